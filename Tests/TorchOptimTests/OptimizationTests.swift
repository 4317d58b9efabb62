import TestSupport
import Testing
import Torch
import TorchNN
import TorchOptim

@Suite struct OptimizationTests {
    private func parameter(_ name: String, _ values: [Float]) throws -> Parameter {
        Parameter(name, try Tensor(values))
    }

    @Test func gradientsAreScaledToTheirCommonNorm() throws {
        let parameters = [try parameter("a", [0, 0]), try parameter("b", [0])]
        let optimizer = try AdamW(parameters, learningRate: 1)
        try parameters[0].value.setGradient(Tensor([Float(3), 0]))
        try parameters[1].value.setGradient(Tensor([Float(4)]))
        #expect(try abs(optimizer.clipGradients(to: 10) - 5) < 1e-6)
        try expectClose(
            #require(parameters[0].value.gradient()), Tensor([Float(3), 0]), "untouched")
        #expect(try abs(optimizer.clipGradients(to: 1) - 5) < 1e-6)
        try expectClose(#require(parameters[0].value.gradient()), Tensor([Float(0.6), 0]), "a")
        try expectClose(#require(parameters[1].value.gradient()), Tensor([Float(0.8)]), "b")
    }

    @Test func withoutGradientsTheNormIsZero() throws {
        let optimizer = try AdamW([parameter("a", [1])], learningRate: 1)
        #expect(try optimizer.clipGradients(to: 1) == 0)
        try optimizer.parameters[0].value.setGradient(Tensor([Float(1)]))
        try optimizer.clearGradients()
        #expect(try optimizer.parameters[0].value.gradient() == nil)
    }

    @Test func theAverageFollowsTheWeights() throws {
        let weight = try parameter("weight", [1])
        let average = try ExponentialMovingAverage([weight], decay: 0.9)
        weight.value = try Tensor([Float(2)])
        // Early updates count more: (1 + step) / (10 + step) is kept, at most the decay.
        try average.update(step: 0)
        try expectClose(#require(average.averages["weight"]), Tensor([Float(1.9)]), "step 0")
        try average.update(step: 10_000)
        try expectClose(#require(average.averages["weight"]), Tensor([Float(1.91)]), "late")
    }

    @Test func averagesStandInForTheWeightsForAWhile() throws {
        let weight = try parameter("weight", [1])
        let average = try ExponentialMovingAverage([weight], decay: 0.9)
        weight.value = try Tensor([Float(2)])
        #expect(try average.applied { try weight.value.item() } == 1)
        #expect(try weight.value.item() == 2)
        #expect(throws: TorchError.self) {
            try average.applied { throw TorchError(.invalid, "ended") }
        }
        #expect(try weight.value.item() == 2)
    }

    @Test func storedAveragesAreTakenUpOrNamed() throws {
        let average = try ExponentialMovingAverage([parameter("weight", [1])], decay: 0.9)
        try average.setAverages(["weight": Tensor([Float(7)])])
        #expect(try average.averages["weight"]?.item() == 7)
        let error = #expect(throws: OptimizerError.self) { try average.setAverages([:]) }
        #expect(error?.description.contains("weight of shape [1]") == true)
    }

    @Test func theStepSizeRisesStaysAndFallsAlongACosine() {
        let schedule = LearningRateSchedule(
            peak: 1, final: 0.1, warmupSteps: 10, decayStart: 0.5)
        #expect(schedule.rate(step: 0, progress: 0) == 0.1)
        #expect(schedule.rate(step: 9, progress: 0.09) == 1)
        #expect(schedule.rate(step: 50, progress: 0.5) == 1)
        #expect(abs(schedule.rate(step: 75, progress: 0.75) - 0.55) < 1e-12)
        #expect(abs(schedule.rate(step: 100, progress: 1) - 0.1) < 1e-12)
        #expect(abs(schedule.rate(step: 120, progress: 1.2) - 0.1) < 1e-12)
        let level = LearningRateSchedule(peak: 2, decayStart: 1)
        #expect(level.rate(step: 100, progress: 1) == 2)
    }
}
