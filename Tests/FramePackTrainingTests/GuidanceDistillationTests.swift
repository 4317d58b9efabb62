import Foundation
import FramePackTraining
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct GuidanceDistillationTests {
    /// A task that shows the samples of its first step again and again.
    private final class OneBatch: TrainingTask {
        let task: GuidanceDistillation

        init(_ task: GuidanceDistillation) { self.task = task }

        var store: ParameterStore { task.store }
        var totalSteps: Int { task.totalSteps }
        var device: Device { task.device }
        var metricNames: [String] { task.metricNames }
        func prepare(step: Int) -> Bool { false }
        func sampleCount(step: Int) -> Int { task.sampleCount(step: 0) }

        func loss(step: Int, samples: Range<Int>) throws -> TrainingLoss {
            try task.loss(step: 0, samples: samples)
        }
    }

    @Test func lossFalls() throws {
        try withTemporaryFolder { folder in
            let training = try TinyTraining(in: folder)
            let task = OneBatch(try training.distillation(steps: 40))
            var losses: [Double] = []
            try training.loop(task, in: training.run.guidanceState, learningRate: 3e-3).run {
                losses.append($0.loss)
                #expect($0.metrics["pull"] ?? 0 > 0)
            }
            let (first, last) = (losses[0], try #require(losses.last))
            print("    loss \(first) at first, \(last) at last")
            #expect(last < 0.6 * first)
        }
    }

    @Test func onlyTheTransformerIsTrained() throws {
        try withTemporaryFolder { folder in
            let task = try TinyTraining(in: folder).distillation(steps: 1)
            #expect(task.store.parameters.allSatisfy { $0.name.hasPrefix("transformer.") })
            #expect(task.store["transformer.proj_out.weight"] != nil)
        }
    }

    @Test func continuedRunGivesTheSameWeights() throws {
        try withTemporaryFolder { folder in
            let training = try TinyTraining(in: folder.appendingPathComponent("run"))
            let whole = try training.distillation(steps: 4)
            try training.loop(whole, in: folder.appendingPathComponent("whole")).run { _ in }
            let parts = folder.appendingPathComponent("parts")
            var steps = 0
            try training.loop(training.distillation(steps: 4), in: parts)
                .run(shouldStop: { steps == 2 }) { _ in steps += 1 }
            let continued = try training.distillation(steps: 4)
            let loop = try training.loop(continued, in: parts)
            #expect(loop.step == 2)
            try loop.run { _ in }
            for (name, value) in whole.store.tensors {
                let other = try #require(continued.store[name]).value
                #expect(try value.detach().array(Float.self) == other.detach().array(Float.self))
            }
        }
    }
}
