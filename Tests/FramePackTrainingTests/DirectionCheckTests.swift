import Checkpoints
import Foundation
import FramePack
import FramePackTraining
import Models
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct DirectionCheckTests {
    /// A training on one shard of random latents, with enough clips to keep some out.
    private func training(in folder: URL, clips: Int) throws -> TransformerTraining {
        let run = try TinyTasks.prepare(folder)
        for name in try FileManager.default.contentsOfDirectory(atPath: run.clips.path) {
            try FileManager.default.removeItem(at: run.clips.appendingPathComponent(name))
        }
        let generator = try Generator(seed: 1)
        try writeSafetensors(
            [
                "latents": Tensor.randn([clips, 16, 10, 2, 2], generator: generator).to(.bfloat16),
                "masks": (Tensor.rand([clips, 10, 2, 2], generator: generator) * 255).to(.uint8),
            ], metadata: ["first": "0"],
            to: run.clips.appendingPathComponent("clips-0000.safetensors"))
        return try TinyTasks.transformer(run)
    }

    private let names = ["f1", "f1-opposite", "inverted", "inverted-opposite"]

    @Test func figuresComeWithTheFirstStepAndThenNowAndThen() throws {
        try withTemporaryFolder { folder in
            let task = try training(in: folder, clips: 40)
            #expect(Set(names).isSubset(of: task.metricNames))
            let first = try task.figures(step: 0)
            for name in names { #expect(first[name]?.isFinite == true, "\(name)") }
            let second = try task.figures(step: 1)
            for name in names { #expect(second[name] == nil, "\(name)") }
        }
    }

    @Test func shardsOfFewClipsAreTrainedWhole() throws {
        try withTemporaryFolder { folder in
            let metrics = try training(in: folder, clips: 4).figures(step: 0)
            for name in names { #expect(metrics[name] == nil, "\(name)") }
        }
    }
}
