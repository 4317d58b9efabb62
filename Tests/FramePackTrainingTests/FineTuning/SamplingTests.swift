import Foundation
import FramePackTraining
import TestSupport
import Testing
import Torch
import ToyWorld

/// What is drawn for samples: noise levels, their order, and spoilt history.
@Suite struct FineTuningSamplingTests {
    private func levels(_ settings: FineTuningConfig.NoiseSettings, count: Int = 4000) -> [Double] {
        var random = SplitMix64(seed: 7)
        return (0..<count).map { _ in settings.level(&random) }.sorted()
    }

    /// The values that a share of levels lies below, from the distributions' formulas.
    @Test(arguments: [
        (NoiseSampling.uniform, [0.25, 0.5, 0.75]),
        // sigmoid(±0.6745) at the quartiles of the Gaussian.
        (.sigmoid, [0.3375, 0.5, 0.6625]),
        // 3t / (1 + 2t) of these.
        (.shift, [0.6045, 0.75, 0.8548]),
        (.uniformShift, [0.5, 0.75, 0.9]),
        // sigmoid(0.5 ± 0.6745), shifted.
        (.logitNormal, [0.7159, 0.8318, 0.9066]),
    ])
    func levelsHaveTheirDistribution(_ sampling: NoiseSampling, quartiles: [Double]) {
        var settings = FineTuningConfig.NoiseSettings()
        (settings.sampling, settings.mean) = (sampling, 0.5)
        let drawn = levels(settings)
        for (number, wanted) in quartiles.enumerated() {
            let found = drawn[(number + 1) * drawn.count / 4]
            #expect(abs(found - wanted) < 0.025, "\(sampling): \(found), not \(wanted)")
        }
    }

    @Test func levelsSpreadOverTheTimestepsThatAreWanted() {
        var settings = FineTuningConfig.NoiseSettings()
        (settings.sampling, settings.minTimestep, settings.maxTimestep) = (.uniform, 200, 600)
        let drawn = levels(settings)
        #expect(drawn[0] >= 0.2 && drawn[0] < 0.21)
        #expect(drawn[drawn.count - 1] <= 0.6 && drawn[drawn.count - 1] > 0.59)
    }

    @Test func weightsAreThoseOfTheirFormulas() {
        #expect(LossWeighting.none.weight(0.3) == 1)
        #expect(abs(LossWeighting.sigmaSquareRoot.weight(0.5) - 4) < 1e-9)
        #expect(abs(LossWeighting.cosineMap.weight(0.5) - 4 / Double.pi) < 1e-9)
        #expect(abs(LossWeighting.cosineMap.weight(1) - 2 / Double.pi) < 1e-9)
        #expect(LossWeighting.sigmaSquareRoot.weight(0).isFinite)
    }

    @Test func onePassShowsEverySectionInStepsOfOneShape() {
        let wide = (0..<7).map { (shape: "wide", item: SampleItem(clip: 0, section: $0)) }
        let tall = (0..<4).map { (shape: "tall", item: SampleItem(clip: 1, section: $0)) }
        let order = SampleOrder(wide + tall, count: 2, seed: 5)
        #expect(order.stepsPerPass == 6)
        var passes: [[SampleItem]] = []
        for pass in 0..<2 {
            let steps = (0..<6).map { order.samples(step: 6 * pass + $0) }
            for step in steps {
                #expect(step.count == 2 && Set(step.map(\.clip)).count == 1)
            }
            let seen = steps.flatMap { $0 }
            // The seventh wide one shares its step with another that is seen twice.
            #expect(Set(seen).count == 11 && seen.count == 12)
            passes.append(seen)
        }
        #expect(passes[0] != passes[1])
        let again = SampleOrder(wide + tall, count: 2, seed: 5)
        #expect(again.samples(step: 8) == order.samples(step: 8))
        #expect(SampleOrder(wide + tall, count: 1, seed: 5).stepsPerPass == 11)
    }

    @Test func historyIsSpoiltAndTheStartIsNot() throws {
        let clip = try Tensor.randn([4, 6, 5, 7], generator: Generator(seed: 3))
        func spoilt(_ change: (inout HistoryCorruption) -> Void) throws -> Tensor {
            var corruption = HistoryCorruption()
            corruption.share = 1
            change(&corruption)
            var random = SplitMix64(seed: 11)
            return try corruption.spoilt(clip, &random)
        }
        #expect(try spoilt { _ in }.array(Float.self) == clip.array(Float.self))
        for change: (inout HistoryCorruption) -> Void in [
            { $0.noise = 0.5 }, { $0.blur = 1 }, { $0.saturation = 0.5 },
        ] {
            let result = try spoilt(change)
            #expect(result.shape == clip.shape)
            let difference = try (result - clip).abs().mean([0, 2, 3]).array(Float.self)
            #expect(difference[0] == 0)
            for frame in difference.dropFirst() { #expect(frame > 1e-3) }
        }
        #expect(
            try spoilt { ($0.share, $0.noise) = (0, 1) }.array(Float.self)
                == clip.array(Float.self))
        // Saturation moves values from their mean and leaves that where it is.
        let mean = try spoilt { $0.saturation = 0.5 }.mean([2, 3])
        try expectClose(mean, clip.mean([2, 3]), "means")
        // A blur keeps what is the same everywhere.
        let flat = try Tensor.ones([4, 6, 5, 7])
        var corruption = HistoryCorruption()
        (corruption.share, corruption.blur) = (1, 1)
        var random = SplitMix64(seed: 11)
        try expectClose(corruption.spoilt(flat, &random), flat, "a flat picture")
    }
}
