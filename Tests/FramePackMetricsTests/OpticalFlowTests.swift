import FramePackMetrics
import Testing

@Suite struct OpticalFlowTests {
    @Test(
        "A texture that is shifted flows by as many pixels",
        arguments: [(1.0, 0.0), (0, 2), (-3, 1), (0.5, -0.25), (6, -4)])
    func shifts(_ x: Double, _ y: Double) {
        let flow = LucasKanade()(from: Patterns.waves().luma, to: Patterns.waves(x, y).luma)
        let wanted = (x * x + y * y).squareRoot()
        print("    shift \(x), \(y): \(flow.x.mean), \(flow.y.mean), length \(flow.meanLength)")
        #expect(abs(flow.x.mean - x) < 0.1 + 0.1 * wanted)
        #expect(abs(flow.y.mean - y) < 0.1 + 0.1 * wanted)
        #expect(abs(flow.meanLength - wanted) < 0.1 + 0.1 * wanted)
    }

    @Test("A large picture is reduced, and its flow is still in its own pixels")
    func large() {
        func wide(_ x: Double) -> Plane {
            // The waves, four times as large.
            let small = Patterns.waves(x / 4, width: 150, height: 20).luma.values
            var values: [Float] = []
            for row in 0..<80 {
                for column in 0..<600 {
                    values.append(small[row / 4 * 150 + column / 4])
                }
            }
            return Plane(width: 600, height: 80, values: values)
        }
        let flow = LucasKanade()(from: wide(0), to: wide(8))
        #expect(flow.x.width == 200)
        #expect(abs(flow.x.mean - 8) < 1, "\(flow.x.mean)")
    }

    @Test("What stands still, is plain or flashes does not move")
    func still() {
        let flow = LucasKanade()
        #expect(flow(from: Patterns.waves().luma, to: Patterns.waves().luma).meanLength == 0)
        #expect(flow(from: Patterns.grey(90).luma, to: Patterns.grey(140).luma).meanLength < 1e-3)
        var brighter = Patterns.waves().luma
        for at in brighter.values.indices { brighter.values[at] += 20 }
        #expect(flow(from: Patterns.waves().luma, to: brighter).meanLength < 1e-2)
    }

    @Test("The longest twentieth is that of the lengths")
    func longest() {
        let lengths = (1...40).map(Float.init)
        let field = FlowField(
            x: Plane(width: 8, height: 5, values: lengths.shuffled()),
            y: Plane(width: 8, height: 5, values: [Float](repeating: 0, count: 40)))
        #expect(field.longestTwentieth == 39.5)
        #expect(field.meanLength == 20.5)
        let still = FlowField(
            x: Plane(width: 8, height: 5, values: field.x.values.map { $0 - 3 }),
            y: Plane(width: 8, height: 5, values: [Float](repeating: 4, count: 40)))
        #expect(abs(field.meanDistance(to: still) - 5) < 1e-6)
    }
}
