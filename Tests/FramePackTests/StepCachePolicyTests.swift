import FramePack
import Testing

/// Steps as text: 1 where the blocks run, 0 where they don't.
private func decisions(_ policy: some StepCachePolicy, _ changes: [Double?]) -> String {
    var policy = policy
    return changes.enumerated().map {
        policy.computes(step: $0.offset, change: $0.element) ? "1" : "0"
    }.joined()
}

@Suite struct MagCachePolicyTests {
    private func decisions(
        _ ratios: [Double], threshold: Double = 0.1, steps: Int? = nil, skip: Int = 3
    ) -> String {
        let count = steps ?? ratios.count
        let policy = MagCachePolicy(
            MagnitudeRatios(ratios), threshold: threshold, stepCount: count, longestSkip: skip)
        return FramePackTests.decisions(policy, Array(repeating: nil, count: count))
    }

    @Test func noMoreStepsInARowThanTheLimitAreSkipped() {
        let even = Array(repeating: 1.0, count: 12)
        #expect(decisions(even) == "110001000100")
        #expect(decisions(even, skip: 1) == "110101010101")
    }

    @Test func ratiosMultiplyAndTheirErrorsAddUp() {
        // 0.04, then 0.04 + 0.0784: the second in a row is too much.
        #expect(decisions(Array(repeating: 0.96, count: 10)) == "1101010101")
        // 0.04 + 0.0784 = 0.1184.
        #expect(decisions(Array(repeating: 0.96, count: 10), threshold: 0.12) == "1100100100")
    }

    @Test func aRatioFarFromOneIsComputed() {
        var ratios = Array(repeating: 1.0, count: 10)
        ratios[3] = 0.93
        #expect(decisions(ratios, threshold: 1) == "1101000100")
    }

    /// What the authors' program decides, worked out from its text.
    @Test(arguments: [
        (MagnitudeRatios.released, 25, 0.1, 3, "1111100101001001001000101"),
        (.released, 25, 0.15, 4, "1111100100100010001000011"),
        (.releasedF1, 25, 0.1, 3, "1111100101001000100010101"),
        (.released, 16, 0.1, 3, "1110010010001001"),
        (.releasedF1, 40, 0.15, 4, "1111111100010010001000100010100010011001"),
    ])
    func releasedModelsSkipAsTheAuthorsDo(
        ratios: MagnitudeRatios, steps: Int, threshold: Double, skip: Int, wanted: String
    ) {
        #expect(
            decisions(ratios.values, threshold: threshold, steps: steps, skip: skip) == wanted)
    }

    @Test func thresholdZeroComputesAlways() {
        #expect(decisions(Array(repeating: 1, count: 8), threshold: 0) == "11111111")
    }

    @Test func otherStepCountsTakeTheNearestStep() {
        let ratios = MagnitudeRatios((0..<25).map { Double($0) + 1 })
        #expect(
            ratios.resampled(10).values.map { $0 - 1 } == [0, 3, 5, 8, 11, 13, 16, 19, 21, 24])
        // A half goes to the even step: 0.5 to 0, 1.5 to 2.
        #expect(ratios.resampled(49).values.prefix(4).map { $0 - 1 } == [0, 0, 1, 2])
        #expect(ratios.resampled(1).values == [25])
        #expect(ratios.resampled(25) == ratios)
    }

    @Test func meansAreTakenStepByStep() {
        let mean = MagnitudeRatios.mean(of: [MagnitudeRatios([1, 2]), MagnitudeRatios([1, 4])])
        #expect(mean.values == [1, 3])
    }
}

@Suite struct EasyCachePolicyTests {
    @Test func foretoldChangesAddUpToTheThreshold() {
        let changes: [Double?] = [nil, nil] + Array(repeating: 0.01, count: 8)
        // 0.01 and 0.02 are below, 0.03 isn't; the last step is computed.
        #expect(
            decisions(EasyCachePolicy(threshold: 0.025, stepCount: 10), changes) == "1100100101")
    }

    @Test func theBeginningIsComputed() {
        let changes: [Double?] = Array(repeating: 0, count: 50)
        let computed = decisions(EasyCachePolicy(stepCount: 50), changes)
        #expect(computed == "11111" + String(repeating: "0", count: 44) + "1")
    }

    @Test func whatIsNotKnownComputes() {
        let changes: [Double?] = [nil, nil, nil, .nan, 0.001, 0.1]
        #expect(
            decisions(EasyCachePolicy(threshold: 0.05, stepCount: 6), changes) == "111101")
    }

    @Test func thresholdZeroComputesAlways() {
        let changes: [Double?] = Array(repeating: 0, count: 8)
        #expect(decisions(EasyCachePolicy(threshold: 0, stepCount: 8), changes) == "11111111")
    }
}

@Suite struct FirstBlockPolicyTests {
    @Test func onlyChangesBelowTheThresholdSkip() {
        let changes: [Double?] = [nil, 0.1, 0.04, 0.05, 0.01, .nan]
        #expect(decisions(FirstBlockPolicy(threshold: 0.05), changes) == "110101")
    }

    @Test func thresholdZeroComputesAlways() {
        #expect(decisions(FirstBlockPolicy(threshold: 0), [nil, 0, 0.1]) == "111")
    }
}
