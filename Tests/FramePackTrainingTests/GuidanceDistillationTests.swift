import Foundation
import FramePackTraining
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct GuidanceDistillationTests {
    @Test func lossFalls() throws {
        try withTemporaryFolder { folder in
            let training = try TinyTraining(in: folder)
            let task = try training.distillation(steps: 120)
            let before = try task.loss(step: 0)
            #expect(try #require(before.metrics["pull"]) > 0)
            let loop = try training.loop(
                task, in: training.run.guidanceState, learningRate: 1e-3)
            try loop.run { _ in }
            let (first, last) = (try before.loss.item(), try task.loss(step: 0).loss.item())
            print("    loss \(first) before, \(last) after 120 steps")
            #expect(last < 0.9 * first)
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
