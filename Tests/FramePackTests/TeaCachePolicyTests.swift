import FramePack
import Testing

@Suite struct TeaCachePolicyTests {
    @Test func polynomialHasTheKnownValues() {
        #expect(abs(TeaCachePolicy.estimate(0) - 0.0961237896) < 1e-12)
        #expect(abs(TeaCachePolicy.estimate(0.0314) - 0.0521) < 1e-4)
        #expect(abs(TeaCachePolicy.estimate(0.08) - 0.101) < 1e-3)
        #expect(abs(TeaCachePolicy.estimate(0.15) - 0.162) < 1e-3)
    }

    private func decisions(threshold: Double, changes: [Double?]) -> [Bool] {
        var policy = TeaCachePolicy(threshold: threshold, stepCount: changes.count)
        return changes.enumerated().map { policy.computes(step: $0.offset, change: $0.element) }
    }

    @Test func atMostTwoStepsAreSkippedInARow() {
        let changes: [Double?] = [nil] + Array(repeating: 0.0314, count: 9)
        let computed = decisions(threshold: 0.15, changes: changes)
        // 0.0521, 0.1042, 0.1563: every third step after the first, and the last.
        #expect(
            computed == [true, false, false, true, false, false, true, false, false, true])
    }

    @Test func firstAndLastStepsAlwaysCompute() {
        let changes: [Double?] = [0.01, 0.01, 0.01]
        #expect(decisions(threshold: 100, changes: changes) == [true, false, true])
        #expect(decisions(threshold: 100, changes: [nil]) == [true])
    }

    @Test func aChangeThatIsNotANumberComputes() {
        #expect(decisions(threshold: 100, changes: [nil, .nan, 0.01]) == [true, true, true])
    }

    @Test func thresholdZeroComputesAlways() {
        let changes: [Double?] = [nil, 0, 0.03, 0.03, 0.1]
        #expect(decisions(threshold: 0, changes: changes).allSatisfy { $0 })
    }
}
