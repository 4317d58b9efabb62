import Foundation
import FramePack
import FramePackBench
import Models
import TestSupport
import Testing
import Torch

/// What `framepack plan` predicts of the decoder's memory, held against a process that decodes.
@Suite struct DecodingMemoryTests {
    private static let config = VAEConfig(
        blockOutChannels: [32, 64, 64, 64], layersPerBlock: 1, normNumGroups: 8)

    /// The most memory that was resident of a process that decodes a window of so many latents a side, as
    /// the system keeps it; pages of files are the same for every window.
    private func measured(_ side: Int, in folder: URL) throws -> Int? {
        var sizes = BenchmarkSizes.tiny
        (sizes.vae, sizes.latentFrames, sizes.smallLatents) = (Self.config, 5, side)
        var options = BenchmarkOptions()
        (options.cases, options.rounds, options.threads) = ([.vae16], 1, 1)
        (options.dtype, options.cache) = (.f32, folder.appendingPathComponent("\(side)"))
        // Freed memory that is kept for speed is no part of what the decoder needs.
        let program = WorkerCommand(
            program: URL(filePath: "/usr/bin/env"),
            arguments: [
                "FRAMEPACK_KEPT_MEMORY=1", builtProgram("framepack").path, "bench", "--worker",
            ])
        return try Benchmark(options, sizes: sizes, ours: program, peer: nil).run()
            .results.first?.ours.resident
    }

    @Test("The decoder's peak is within 15 % of the prediction", .enabled(if: Kernels.level > 0))
    func prediction() throws {
        try withTemporaryFolder { folder in
            let side = 28
            // The allocator's fragments are another tenth in some runs, and not in all.
            guard let base = try measured(2, in: folder),
                let peak = try (0..<3).compactMap({ _ in try measured(side, in: folder) }).min()
            else { return }
            let pixels = side * FrameSize.pixelsPerLatent
            var model = ModelSize()
            (model.vaeChannels, model.vaeUpsampledChannels, model.vaeBytes) = (32, 64, 4)
            let plan = try SectionPlan(
                order: .f1, length: .frames(17), window: 4, timeline: PromptTimeline("a"))
            let predicted = MemoryEstimate(
                plan: plan, size: FrameSize(height: pixels, width: pixels), model: model
            ).decoderActivations
            print("    measured \((peak - base) >> 20) MiB, predicted \(predicted >> 20) MiB")
            #expect(abs(Double(peak - base) / Double(predicted) - 1) < 0.15)
        }
    }
}
