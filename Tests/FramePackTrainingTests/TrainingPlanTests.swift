import Foundation
import FramePack
import FramePackTraining
import Testing

@Suite struct TrainingPlanTests {
    private func amount(_ report: TrainingPlanReport, _ name: String) throws -> Double {
        try #require(report.memory.first { $0.name == name }).amount
    }

    @Test func theTensorsAreAllOfTheTransformer() {
        var other = TransformerSize()
        (other.hiddenSize, other.headSize, other.doubleBlocks, other.singleBlocks) = (96, 16, 3, 5)
        (other.refinerBlocks, other.textSize, other.pooledSize, other.visionSize) = (1, 40, 24, 56)
        for size in [TransformerSize(), other] {
            let sum = size.trainedTensors.reduce(0) { $0 + $1.weights }
            #expect(sum == size.parameterCount)
        }
    }

    @Test func aLoRAOfRank32Has138MillionWeights() {
        let tensors = TransformerSize().trainedTensors.flatMap { $0.adapters(rank: 32) }
        let byHand = 32 * 3072 * (20 * (8 * 2 + 2 * (5 + 5)) + 40 * (3 * 2 + 5 + 6))
        #expect(tensors.reduce(0) { $0 + $1.weights } == byHand)
        #expect(byHand == 137_625_600)
    }

    @Test func optimizersKeepWhatTheyKeep() throws {
        let tensors = TransformerSize().trainedTensors
        let weights = Double(TransformerSize().parameterCount)
        func bytes(_ optimizer: OptimizerChoice) -> Double {
            Double(tensors.reduce(0) { $0 + $1.stateBytes(optimizer) })
        }
        #expect(bytes(.adamw) == 8 * weights)
        #expect(abs(bytes(.adamw8bit) / weights - 2.03125) < 0.003)
        #expect(bytes(.adafactor) < 0.05e9)
    }

    @Test func fullTrainingIsTheArithmeticOfTheReferences() throws {
        var plan = TrainingPlan()
        (plan.batch, plan.isAveraged, plan.textTokens) = (1, false, 60)
        plan.size = FrameSize(height: 608, width: 640)
        let report = try plan.report()
        #expect(report.tokens == 18_289)
        #expect(try amount(report, "weights") == 2 * Double(plan.transformer.parameterCount))
        #expect(try amount(report, "gradients") == 2 * Double(plan.transformer.parameterCount))
        #expect(try abs(amount(report, "checkpoints") - 6.74e9) < 0.01e9)
        #expect(try abs(amount(report, "a block again, backwards") - 3.03e9) < 0.01e9)
        // Four forward passes of 0.495e15.
        #expect(abs(report.operationsOfASample - 1.98e15) < 0.01e15)
        #expect(abs(report.secondsPerStep - 14.15) < 0.05)
        plan.size = FrameSize(height: 480, width: 832)
        (plan.textTokens, plan.checkpointsActivations) = (256, false)
        let kept = try plan.report()
        #expect(abs(kept.work[0].amount + kept.work[1].amount - 0.52e15) < 0.005e15)
        #expect(try abs(amount(kept, "activations") / amount(report, "checkpoints") - 15.5) < 0.1)
        #expect(kept.work.count == 3)
    }

    @Test func shardsShareAllButActivations() throws {
        var plan = TrainingPlan()
        (plan.batch, plan.gpus, plan.accumulation, plan.optimizer) = (8, 8, 1, .adamw)
        let whole = try plan.report()
        plan.isSharded = true
        let spread = try plan.report()
        for name in ["weights", "gradients", "state of adamw", "averages"] {
            #expect(try amount(spread, name) == amount(whole, name) / 8)
        }
        #expect(try amount(spread, "checkpoints") == amount(whole, "checkpoints"))
        let size = TransformerSize()
        #expect(
            try amount(spread, "a block put together") == 4 * Double(size.doubleBlockParameters))
        #expect(try abs(amount(spread, "what is in no block") - 4 * 0.41e9) < 0.1e9)
        #expect(spread.secondsPerStep == whole.secondsPerStep)
        #expect(!whole.fits && spread.fits)
    }

    @Test func asManySamplesAsFitAreComputedAtOnce() throws {
        let report = try ReleasedTrainingPlans().full
        #expect(report.fits && report.samplesAtOnce * report.accumulation == 8)
        var plan = report.plan
        #expect(report.accumulation % 2 == 0)
        plan.accumulation = report.accumulation / 2
        let more = try plan.report()
        #expect(more.isTight)
    }

    /// The passes that a run takes are those that are planned, whatever would fit.
    @Test func passesThatAreGivenAreTaken() throws {
        var plan = TrainingPlan()
        (plan.method, plan.batch, plan.accumulation) = (.lora(rank: 4), 7, 3)
        let report = try plan.report()
        #expect(report.samplesAtOnce == 3 && report.accumulation == 3)
        plan.accumulation = 1
        #expect(try plan.report().samplesAtOnce == 7)
    }

    /// Anti-drifting order generates both ends at once, two windows; a tail adds tokens to the context.
    @Test func thePlanIsThatOfTheLargestSectionOfAllLayouts() throws {
        var plan = TrainingPlan()
        let released = try plan.videoTokens()
        plan.layouts = [.init(.f1), .init(.antiDrifting)]
        #expect(try plan.videoTokens().target == released.target)
        plan.sections = 3
        #expect(try plan.videoTokens().target == 2 * released.target)
        let report = try plan.report()
        #expect(report.tokenArithmetic.hasPrefix("\(2 * released.target) generated"))
        plan.layouts = try [
            .init(.vanilla, packing: Packing(name: "td_f1k1_g9")),
            .init(.vanilla, packing: Packing(name: "td_f4k1_g9")),
        ]
        let frame = released.target / 9
        #expect(try plan.videoTokens() == (9 * frame, 4 * frame))
        plan.layouts = [.init(.vanilla, packing: try Packing(name: "ta_f2k2f1k1_g9"))]
        plan.sections = 1
        let short = try plan.videoTokens().context
        plan.sections = 8
        #expect(try plan.videoTokens().context > short)
    }

    /// Batch 64 with windows of 2 and 3, 32 with 4 and 5; 64 with 5 leaves 3 %, with 9 it is too much.
    @Test func theArithmeticSupportsThePapersClaim() throws {
        let plans = try ReleasedTrainingPlans()
        #expect(plans.claimed.map(\.plan.window) == [2, 3, 4, 5])
        #expect(plans.claimed.map(\.plan.batch) == [64, 64, 32, 32])
        #expect(plans.claimed.allSatisfy { $0.fits && !$0.isTight && $0.accumulation == 1 })
        #expect(plans.beyond.map(\.plan.window) == [4, 5, 9])
        #expect(plans.beyond.map(\.fits) == [true, true, false])
        #expect(plans.beyond.map(\.isTight) == [false, true, true])
        #expect(plans.text.contains("The arithmetic supports the claim"))
    }

    @Test func theTextHasAtMost80ColumnsAndTheJSONComesBack() throws {
        let plans = try ReleasedTrainingPlans()
        print(plans.text)
        for line in plans.text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
        let data = try JSONEncoder().encode(plans)
        #expect(try JSONDecoder().decode(ReleasedTrainingPlans.self, from: data) == plans)
    }

    @Test func numbersThatCannotBeAreNamed() throws {
        var plan = TrainingPlan()
        (plan.batch, plan.gpus) = (10, 4)
        let error = #expect(throws: TrainingError.self) { try plan.report() }
        #expect(error?.description.contains("10 samples can't be spread evenly over 4") == true)
        (plan.batch, plan.gpus, plan.accumulation) = (8, 2, 5)
        let passes = #expect(throws: TrainingError.self) { try plan.report() }
        #expect(passes?.description.contains("5 passes; it must be from 1 to 4") == true)
    }
}
