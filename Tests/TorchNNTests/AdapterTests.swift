import Testing
import Torch
import TorchNN

@Suite struct AdapterTests {
    private static func layer() throws -> Linear {
        try Linear(
            2, 2, LayerTests.given(["a.weight": [1, 2, 3, 4], "a.bias": [10, 20]])["a"])
    }

    /// 2 → 1 → 2 channels with factor alpha / 1.
    private static func set(_ name: String, alpha: Double, layer: String = "a") throws -> AdapterSet
    {
        let adapter = LowRankAdapter(
            down: Parameter("\(name).down", try Tensor([1, -1] as [Double], [1, 2])),
            up: Parameter("\(name).up", try Tensor([1, 0.5] as [Double], [2, 1])), alpha: alpha)
        return AdapterSet(name, [(layer: layer, adapter: adapter)])
    }

    @Test func addsTheProductTimesStrengthAlphaOverRank() throws {
        let layer = try Self.layer()
        let x = try Tensor([1, -1] as [Double])
        let set = try Self.set("s", alpha: 3)
        try set.attach(to: [("a", layer)])
        try LayerTests.expect(layer(x), [9 + 6, 19 + 3])
        set.strength = 0.5
        try LayerTests.expect(layer(x), [9 + 3, 19 + 1.5])
        set.strength = 0
        try LayerTests.expect(layer(x), [9, 19], within: 0)
    }

    @Test func setsOnOneLayerAddUpAndComeOffAgain() throws {
        let layer = try Self.layer()
        let x = try Tensor([1, -1] as [Double])
        let (a, b) = (try Self.set("a", alpha: 1), try Self.set("b", alpha: 10))
        try a.attach(to: [("a", layer)])
        try b.attach(to: [("a", layer)])
        try LayerTests.expect(layer(x), [9 + 22, 19 + 11])
        a.detach(from: [("a", layer)])
        try LayerTests.expect(layer(x), [9 + 20, 19 + 10])
        b.detach(from: [("a", layer)])
        try LayerTests.expect(layer(x), [9, 19], within: 0)
    }

    @Test func keepsTheTypeOfTheActivations() throws {
        let layer = try Self.layer()
        try Self.set("s", alpha: 3).attach(to: [("a", layer)])
        let y = try layer(Tensor([1, -1] as [Float]).to(.bfloat16))
        #expect(y.dtype == .bfloat16)
        try LayerTests.expect(y.to(.float64), [15, 22])
    }

    @Test func refusesLayersThatAreNotThereOrHaveOtherSizes() throws {
        let layer = try Self.layer()
        let wide = try Linear(3, 2, Weights(RandomWeights(seed: 1))["b"])
        #expect {
            try Self.set("s", alpha: 1, layer: "c").attach(to: [("a", layer)])
        } throws: { "\($0)".contains("adapts c") }
        #expect {
            try Self.set("s", alpha: 1).attach(to: [("a", wide)])
        } throws: { "\($0)".contains("leads from 3 to 2") }
    }

    @Test func scopesKnowTheLayersThatWereMadeInThem() throws {
        let weights = Weights(try RandomWeights(seed: 1))
        _ = try Linear(2, 3, weights["model"]["first"])
        _ = try Linear(3, 4, weights["model"]["second"][0])
        _ = try Linear(4, 5, weights["other"])
        #expect(weights["model"].linears.map(\.name) == ["first", "second.0"])
        #expect(weights["model"].parameters.count == 4)
        #expect(weights.linears.last?.layer.outputSize == 5)
    }
}
