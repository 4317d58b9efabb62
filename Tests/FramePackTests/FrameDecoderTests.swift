import Foundation
import FramePack
import Media
import Models
import TestSupport
import Testing
import Torch

@Suite struct FrameDecoderTests {
    private func plan(_ order: SamplingOrder, window: Int, sections: Int) throws -> SectionPlan {
        try SectionPlan(
            order: order,
            length: .frames(VideoLength.frameCount(latents: sections * window + 1)),
            window: window, timeline: PromptTimeline("a"))
    }

    /// Every frame is finished once, whatever the order.
    @Test(arguments: SamplingOrder.allCases, [1, 2, 3, 9])
    func finishedFramesCoverTheVideo(order: SamplingOrder, window: Int) throws {
        for sections in [1, 2, 3, 6] {
            let plan = try plan(order, window: window, sections: sections)
            let ranges = plan.sections.map(plan.finishedFrames).filter { !$0.isEmpty }
                .sorted { $0.lowerBound < $1.lowerBound }
            #expect(ranges.first?.lowerBound == 0)
            #expect(ranges.last?.upperBound == plan.decodedFrameCount)
            for (a, b) in zip(ranges, ranges.dropFirst()) { #expect(a.upperBound == b.lowerBound) }
        }
    }

    /// The whole video in memory, joined as the reference joins it.
    private func plainly(_ plan: SectionPlan, _ vae: VAE, _ latents: Tensor) throws -> Tensor {
        var video: Tensor?
        for section in plan.sections where !section.decodedLatents.isEmpty {
            let range = section.decodedLatents
            let piece = try vae.decode(latents.narrow(2, range.lowerBound, range.count))
            guard let whole = video else {
                video = piece
                continue
            }
            let (earlier, later) = plan.order != .inverted ? (whole, piece) : (piece, whole)
            let overlap = section.overlapFrames
            let weights = try Tensor.linspace(1, 0, count: overlap).reshape(1, 1, overlap, 1, 1)
            let start = earlier.dim(2) - overlap
            video = try .cat(
                [
                    earlier.narrow(2, 0, start),
                    weights * earlier.narrow(2, start, overlap) + (1 - weights)
                        * later.narrow(2, 0, overlap),
                    later.narrow(2, overlap, later.dim(2) - overlap),
                ], axis: 2)
        }
        return try #require(video)
    }

    @Test(
        arguments: [
            (SamplingOrder.inverted, 9, 3), (.inverted, 3, 4), (.inverted, 2, 3), (.inverted, 1, 3),
            (.f1, 9, 3), (.f1, 4, 3), (.f1, 3, 4), (.f1, 9, 1), (.antiDrifting, 9, 4),
            (.antiDrifting, 4, 2), (.planned, 3, 5),
        ])
    func keptWindowsChangeNothing(order: SamplingOrder, window: Int, sections: Int) throws {
        try withoutGradients {
            let vae = try VAE(folder: Fixtures.url("goldens/pipeline/model/vae"))
            let plan = try plan(order, window: window, sections: sections)
            let generator = try Generator(seed: 7)
            let latents = try Tensor.randn([1, 16, plan.latentCount, 2, 2], generator: generator)
            var history = LatentHistory(start: try latents.narrow(2, 0, 1), plan: plan)
            let decoder = FrameDecoder(vae, plan: plan)
            var append = SoftAppend(plan)
            var parts: [Int: Tensor] = [:]
            for section in plan.sections {
                let pieces = try section.pieces.map {
                    try latents.narrow(2, $0.latents.lowerBound, $0.latents.count)
                }
                try history.add(.cat(pieces, axis: 2), of: section)
                guard !section.decodedLatents.isEmpty else { continue }
                let finished = try append.join(
                    decoder.decode(after: section, history), after: section)
                #expect(finished?.dim(2) ?? 0 == plan.finishedFrames(after: section).count)
                parts[section.newFrames.lowerBound] = finished
            }
            let video = try Tensor.cat(
                parts.sorted { $0.key < $1.key }.map(\.value), axis: 2)
            try expectClose(
                video, plainly(plan, vae, latents), absolute: 0, relative: 0,
                "\(order) window \(window)")
            // A window is found again where sections advance by whole strides of 3 latents and are
            // long enough; the piece with the start latent is one latent off.
            guard order == .inverted || order == .f1 else { return }
            let aligned = order == .inverted ? window % 3 == 0 : window == 9 && sections > 2
            #expect((decoder.windowCounts.kept > 0) == aligned)
        }
    }

    @Test func nineLatentsKeepTwoOfSixWindows() throws {
        let vae = try VAE(folder: Fixtures.url("goldens/pipeline/model/vae"))
        let plan = try plan(.f1, window: 9, sections: 3)
        let latents = try Tensor.zeros([1, 16, plan.latentCount, 2, 2])
        var history = LatentHistory(start: try latents.narrow(2, 0, 1), plan: plan)
        let decoder = FrameDecoder(vae, plan: plan)
        for section in plan.sections {
            try history.add(latents.narrow(2, 0, 9), of: section)
            _ = try decoder.decode(after: section, history)
        }
        // 10 latents are 4 windows, 18 are 6.
        #expect(decoder.windowCounts.decoded == 4 + 6 + 4)
        #expect(decoder.windowCounts.kept == 2)
    }

    @Test func streamGivesEveryFrameOnceAndResemblesTheWindows() throws {
        try withoutGradients {
            let vae = try VAE(folder: Fixtures.url("goldens/pipeline/model/vae"))
            let latents = try Tensor.randn(
                [1, 16, 19, 4, 4], generator: Generator(seed: 3))
            let stream = StreamingFrameDecoder(vae)
            let first = try stream.decode(latents.narrow(2, 0, 10))
            let second = try stream.decode(latents.narrow(2, 10, 9))
            #expect(first.dim(2) == 37)
            #expect(second.dim(2) == 36)
            let streamed = try Tensor.cat([first, second], axis: 2)
            let whole = try vae.decode(latents, tiling: .none)
            let error = try (streamed - whole).square().mean().item()
            let power = try whole.square().mean().item()
            print("    streaming: mean squared error \(error) of \(power)")
            #expect(error < power / 2)
        }
    }

    @Test func roundingIsNearestOrDown() throws {
        let pixels = try Tensor([-1, 0, 0.999, 2, -3, 0.5] as [Float], [1, 3, 2, 1, 1])
        // Channels lie apart: frame 0 has -1, 0.999, -3; frame 1 has 0, 2, 0.5.
        let nearest = try FrameRounding.nearest.pictures(pixels)
        let down = try FrameRounding.down.pictures(pixels)
        #expect(nearest.map(\.pixels) == [[0, 255, 0], [128, 255, 191]])
        #expect(down.map(\.pixels) == [[0, 254, 0], [127, 255, 191]])
    }
}
