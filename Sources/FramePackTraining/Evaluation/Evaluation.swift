public import Foundation
public import FramePack
import Media
import Models
public import Torch
import ToyWorld

/// What happened while a model is measured.
public struct EvaluationProgress: Sendable {
    /// The row's name.
    public let row: String
    /// The video that is done, counted from 1.
    public let video: Int
    /// Videos in the row.
    public let count: Int
    /// Whether an earlier run had done it.
    public let isKept: Bool
    /// Seconds that the video took.
    public let seconds: Double
}

/// Measures what a small model's videos show, against scenes whose truth is known.
///
/// The scenes are combinations of colour, shape and motion that training never sees. What was
/// measured of each video is kept in a folder, so that an interrupted run goes on where it was.
public final class Evaluation {
    /// The model.
    public let model: ModelFolder
    /// What is measured.
    public let options: EvaluationOptions
    /// The side of the pictures, in pixels.
    public let side: Int
    private let device: Device
    private let rows: [EvaluationRowPlan]
    private let folder: URL
    private let scenes: WorldClips
    private let frameCount: Int
    private let fingerprint: String
    private var generator: FrameGenerator?
    private var vae: VAE?

    /// Prepares a measurement; networks are loaded when a video needs them.
    ///
    /// - Parameters:
    ///   - cache: The folder in which finished videos' figures are kept.
    ///   - device: Where the networks compute.
    /// - Throws: `FramePackError` for a setting outside its range, or a model without a part or
    ///   without a resolution of its own.
    public init(
        _ model: ModelFolder, options: EvaluationOptions, cache: URL, device: Device = .cpu
    ) throws {
        try model.requireAll()
        guard let side = model.settings.resolution, model.settings.world != nil else {
            throw TrainingError(
                "\(model.name) is no small model: its framepack.json has no resolution or no world")
        }
        (self.model, self.options, self.side, self.device) = (model, options, side, device)
        rows = try options.rows(model.settings)
        guard options.count > 0, let first = rows.first else {
            throw TrainingError("nothing is to be measured; ask for an order and a count above 0")
        }
        frameCount = try first.request.plan(defaultOrder: .f1).frameCount
        fingerprint = try model.fingerprint()
        // What decodes decides about pixels.
        let decoding = Precision(nil, stored: .float32, device: device, parity: false).decoding
        folder = cache.appendingPathComponent(fingerprint)
            .appendingPathComponent("\(Kernels.current.rawValue)-\(decoding)")
        scenes = WorldClips(
            side: side, seed: SplitMix64.mix(options.seed ^ 0x0E7A_1000),
            configs: [(options.world.config, 1)])
    }

    /// Measures all rows.
    ///
    /// - Parameter onVideo: Called after each video; what it throws ends the run, and what was
    ///   done stays done.
    public func run(onVideo: (EvaluationProgress) throws -> Void = { _ in }) throws
        -> EvaluationReport
    {
        let done = try rows.map { row in
            EvaluationRow(
                row,
                videos: try (0..<row.count(options)).map { index in
                    let (video, isKept) = try video(index, of: row)
                    try onVideo(
                        EvaluationProgress(
                            row: row.name, video: index + 1, count: row.count(options),
                            isKept: isKept,
                            seconds: video.seconds))
                    return video
                })
        }
        return EvaluationReport(
            model: model.name, fingerprint: fingerprint, side: side, frames: frameCount,
            options: options, rows: done)
    }

    private func video(_ index: Int, of row: EvaluationRowPlan) throws -> (EvaluatedVideo, Bool) {
        let file = folder.appendingPathComponent(row.key(options))
            .appendingPathComponent("\(index).json")
        let isShown = index < options.shown
        if let data = try? Data(contentsOf: file),
            let kept = try? JSONDecoder().decode(EvaluatedVideo.self, from: data),
            kept.strip != nil || !isShown
        {
            return (kept, true)
        }
        let start = Date()
        let scene = scenes.scene(index, split: .heldOut)
        let prompt = scene.caption(variant: index)
        let pixels = try pixels(row, scene, prompt: prompt, index: index)
        let seconds = Date().timeIntervalSince(start)
        // Without a start picture nobody can know the place that the scene has in mind.
        let report = Judge().report(
            video: pixels, side: side, facts: scene.facts,
            scene: row.request.image == nil ? nil : scene)
        let video = EvaluatedVideo(
            prompt: prompt, report: report, seconds: seconds,
            strip: isShown ? strip(pixels) : nil)
        try writeJSON(video, to: file)
        return (video, false)
    }

    // MARK: - Videos

    private func pixels(_ row: EvaluationRowPlan, _ scene: Scene, prompt: String, index: Int) throws
        -> [UInt8]
    {
        switch row.kind {
        case .rendered: return scene.render(frames: 0..<frameCount)
        case .roundTrip: return try roundTrip(scene)
        case .generated:
            let generator = try generator ?? FrameGenerator(model, device: device)
            self.generator = generator
            var request = row.request
            request.prompt = prompt
            request.seed = Int(SplitMix64.mix(options.seed &+ UInt64(index)) >> 33)
            let picture =
                request.image == nil
                ? nil : Picture(width: side, height: side, pixels: scene.startPicture)
            return try generator.frames(request, from: picture).flatMap(\.pixels)
        }
    }

    /// The rendered video after the VAE's encoding and decoding, in the reference's windows.
    private func roundTrip(_ scene: Scene) throws -> [UInt8] {
        let vae = try vae ?? VAE(folder: model.folder(of: .vae), device: device, dtype: .float32)
        self.vae = vae
        return try withoutGradients {
            let video = try scenes.render([scene], starts: [0], count: frameCount).video
            let latents = try vae.encode(video.to(device)).mean * vae.config.scalingFactor
            return try unitToPixels(vae.decode(latents).to(.cpu, .float32))
        }
    }

    /// Eight frames from the first to the last, one after the other.
    private func strip(_ pixels: [UInt8]) -> Data {
        let bytes = 3 * side * side
        return (0..<EvaluatedVideo.stripFrames).reduce(into: Data()) { data, number in
            let frame = (pixels.count / bytes - 1) * number / (EvaluatedVideo.stripFrames - 1)
            data += pixels[frame * bytes..<(frame + 1) * bytes]
        }
    }
}

/// What was measured of one video.
struct EvaluatedVideo: Codable {
    /// Frames of a strip.
    static let stripFrames = 8

    let prompt: String
    let report: VideoReport
    let seconds: Double
    /// Frames one after the other, `[8, side, side, 3]`; nil where the picture doesn't show them.
    let strip: Data?
}
