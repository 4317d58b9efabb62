import Foundation
import FramePackTraining
import TestSupport
import Testing
import Torch
import TorchNN

/// Micro-batches: a step in parts is the step as a whole.
@Suite(.serialized) struct AccumulationTests {
    /// The weighted mean of the parts' losses and gradients is the loss and gradients of the whole.
    private func checkParts(
        _ task: any TrainingTask, step: Int, into parts: Int, tolerance: Double = 1e-3
    ) throws {
        TorchLibrary.setThreadCount(1)
        try task.store.setRequiresGradient(true)
        func gradients() throws -> [String: Tensor] {
            var result: [String: Tensor] = [:]
            for parameter in task.store.parameters {
                result[parameter.name] = try parameter.value.gradient()?.clone()
                try parameter.value.setGradient(nil)
            }
            return result
        }
        let whole = try task.loss(step: step)
        try whole.loss.backward()
        let wanted = try gradients()
        var (loss, sum) = (0.0, 0.0)
        for samples in try BatchPart.split(task.sampleCount(step: step), into: parts) {
            let part = try task.loss(step: step, samples: samples)
            let weight = part.weight ?? Double(samples.count)
            try (part.loss * weight).backward()
            loss += try part.loss.item() * weight
            sum += weight
        }
        let expected = try whole.loss.item()
        #expect(abs(loss / sum - expected) < 1e-5 * max(1, abs(expected)))
        let actual = try gradients()
        #expect(actual.keys == wanted.keys)
        for (name, gradient) in wanted {
            let other = try #require(actual[name]) * (1 / sum)
            let difference = try (gradient - other).abs().max().item()
            let bound = try 1e-5 + tolerance * gradient.abs().max().item()
            #expect(difference <= bound, "\(name): \(difference) is above \(bound)")
        }
    }

    @Test func partsOfATransformersStepAreTheStep() throws {
        try withTemporaryFolder { folder in
            let run = try TinyTasks.prepare(folder)
            try checkParts(TinyTasks.transformer(run), step: 1, into: 2)
        }
    }

    @Test func partsOfAVAEsStepAreTheStep() throws {
        // Its loss has absolute values of differences that begin near 0: a gradient's sign may turn.
        try checkParts(TinyTasks.vae(), step: 0, into: 2, tolerance: 2e-2)
    }

    @Test func partsOfADistillationsStepAreTheStep() throws {
        try withTemporaryFolder { folder in
            let training = try TinyTraining(in: folder)
            try checkParts(training.distillation(steps: 2), step: 1, into: 2)
        }
    }

    @Test func aLoopOfMicroBatchesHasTheCurveOfOneOfWholeBatches() throws {
        try withTemporaryFolder { folder in
            let run = try TinyTasks.prepare(folder)
            func losses(_ accumulation: Int) throws -> [Double] {
                var losses: [Double] = []
                let loop = try TinyTasks.loop(
                    TinyTasks.transformer(run), folder.appendingPathComponent("\(accumulation)"),
                    accumulation: accumulation)
                try loop.run { losses.append($0.loss) }
                return losses
            }
            let (whole, parts) = (try losses(1), try losses(2))
            #expect(whole.count == 4)
            for (a, b) in zip(whole, parts) { #expect(abs(a - b) < 1e-3 * a, "\(a) and \(b)") }
        }
    }

    @Test func moreMicroBatchesThanSamplesAreAnError() throws {
        try withTemporaryFolder { folder in
            let loop = try TinyTasks.loop(OneWeight(steps: 2), folder, accumulation: 3)
            let error = #expect(throws: TrainingError.self) { try loop.run { _ in } }
            #expect(error?.description.contains("a step of 1 samples") == true)
        }
    }
}
