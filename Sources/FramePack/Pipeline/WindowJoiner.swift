import Foundation
import Media
import Models
import Torch

/// Decodes a run's sections in windows as they come, joins them, and writes what is finished.
final class WindowJoiner {
    private unowned let run: GenerationRun
    private let decoder: FrameDecoder
    private var append: SoftAppend
    private var before: Section?

    init(_ run: GenerationRun, _ tiling: VAETiling) {
        self.run = run
        let library = run.library
        decoder = FrameDecoder(
            loading: { try library.vae() }, plan: run.plan, tiling: tiling,
            dtype: library.precision.decoding, device: library.device
        ) { [token = run.token] in try token.check() }
        append = SoftAppend(run.plan)
    }

    /// Decodes after a section, unless an earlier run wrote its frames.
    func decode(_ section: Section, _ history: LatentHistory) throws {
        guard !section.decodedLatents.isEmpty else { return run.meter.decodingDone(seconds: nil) }
        let finished = run.finishedFrames(after: section)
        if run.frames.has(section, frames: finished) {
            // Without frames of its own a section is decoded for the next one's join.
            before = section
            return run.meter.decodingDone(seconds: nil)
        }
        try run.begin(
            .decode, "Decoding section \(section.number + 1) of \(run.plan.sections.count)")
        try run.library.giveRoomBack()
        let began = Date()
        if let before {
            try append.restore(decoder.decode(after: before, history))
            self.before = nil
        }
        let pixels = try append.join(decoder.decode(after: section, history), after: section)
        try run.write(pixels, frames: finished, of: section, since: began)
    }
}

/// Decodes a run's sections in time order, each latent once, and writes their frames.
final class FrameStream {
    private unowned let run: GenerationRun
    private let decoder: StreamingFrameDecoder

    init(_ run: GenerationRun, _ vae: VAE) {
        self.run = run
        decoder = StreamingFrameDecoder(
            vae, dtype: run.library.precision.decoding, device: run.library.device)
    }

    /// Decodes a section; the stream needs it even where an earlier run wrote its frames.
    ///
    /// - Parameter latents: Those that its new frames come of, `(1, 16, F, h, w)`.
    func decode(_ section: Section, _ latents: @autoclosure () throws -> Tensor) throws {
        guard !section.newFrames.isEmpty else { return run.meter.decodingDone(seconds: nil) }
        try run.begin(
            .decode, "Decoding section \(section.number + 1) of \(run.plan.sections.count)")
        try run.library.giveRoomBack()
        let began = Date()
        let pixels = try decoder.decode(latents()) { [token = run.token] in try token.check() }
        if run.frames.has(section, frames: section.newFrames) {
            return run.meter.decodingDone(seconds: Date().timeIntervalSince(began))
        }
        try run.write(pixels, frames: section.newFrames, of: section, since: began)
    }
}

extension GenerationRun {
    /// Writes finished frames, `(1, 3, N, H, W)`, and tells of them.
    fileprivate func write(
        _ pixels: Tensor?, frames range: Range<Int>, of section: Section, since began: Date
    ) throws {
        if let pixels {
            let rounding: FrameRounding = request.parity ? .down : .nearest
            try frames.write(rounding.pictures(pixels), frames: range, of: section) {
                try token.check()
            }
        }
        meter.decodingDone(seconds: Date().timeIntervalSince(began))
        guard !frames.kept(range).isEmpty else { return }
        try emit(
            .sectionDecoded(
                section: section.number + 1, sections: plan.sections.count,
                file: frames.segment(section)))
    }
}
