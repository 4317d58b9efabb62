import FramePackMetrics
import Testing

@Suite struct DriftTests {
    @Test(
        "Fifteen per cent are whole frames, rounded down, and one at least",
        arguments: [
            (1, 1), (2, 1), (6, 1), (7, 1), (13, 1), (14, 2), (20, 3), (99, 14), (100, 15),
            (145, 21),
        ])
    func ends(_ frames: Int, _ wanted: Int) {
        #expect(Drift.endCount(of: frames) == wanted)
    }

    @Test("The difference has no sign and looks at both ends alone")
    func difference() {
        // Twenty frames: three at each end.
        let rising = [1, 2, 3] + [Double](repeating: 50, count: 14) + [7, 8, 12]
        #expect(Drift.of(rising.map(Optional.some)) == 7)
        #expect(Drift.of(rising.reversed().map(Optional.some)) == 7)
        #expect(Drift.of([Double?](repeating: 4, count: 9)) == 0)
    }

    @Test("Frames without a value don't count, and an end without any has no drift")
    func missing() {
        #expect(Drift.of([nil, 2, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 5, nil]) == 3)
        #expect(Drift.of([nil, 2, 3, 4]) == nil)
        #expect(Drift.of([1]) == nil)
        #expect(Drift.of([Double?]()) == nil)
    }

    @Test("Any measure of a piece of video can drift")
    func anyMeasure() throws {
        struct Failure: Error {}
        let frames = Array("aaabbbbbbbbbbbbbbbbc")
        let kinds = Drift.between(endsOf: frames) { Double(Set($0).count) }
        #expect(kinds == 1)
        #expect(Drift.between(endsOf: frames) { _ in nil } == nil)
        #expect(throws: Failure.self) {
            _ = try Drift.between(endsOf: frames) { _ in throw Failure() }
        }
    }
}
