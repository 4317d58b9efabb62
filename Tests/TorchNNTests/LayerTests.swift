import Foundation
import Testing
import Torch
import TorchNN

/// Weights by name, for layers with known numbers.
struct GivenWeights: WeightSource {
    struct Missing: Error { let name: String }
    let values: [String: [Double]]

    func tensor(_ name: String, shape: [Int], initialization: Initialization) throws -> Tensor {
        guard let found = values[name] else { throw Missing(name: name) }
        return try Tensor(found, shape)
    }

    func contains(_ name: String) -> Bool { values[name] != nil }
}

@Suite("Layers")
struct LayerTests {
    static func given(_ values: [String: [Double]]) -> Weights {
        Weights(GivenWeights(values: values))
    }

    static func expect(
        _ tensor: Tensor, _ wanted: [Double], within bound: Double = 1e-9,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let found = try tensor.array(Double.self)
        #expect(
            found.count == wanted.count && zip(found, wanted).allSatisfy { abs($0 - $1) <= bound },
            "found \(found), wanted \(wanted)", sourceLocation: sourceLocation)
    }

    @Test("A linear layer multiplies by its weight and adds its bias")
    func linear() throws {
        let weights = Self.given(["a.weight": [1, 2, 3, 4], "a.bias": [10, 20]])
        let x = try Tensor([1, -1] as [Double])
        try Self.expect(Linear(2, 2, weights["a"])(x), [9, 19])
        try Self.expect(Linear(2, 2, bias: false, weights["a"])(x), [-1, -1])
        #expect(throws: GivenWeights.Missing.self) { _ = try Linear(2, 2, weights["b"]) }
    }

    @Test("Norms divide by what their names say")
    func norms() throws {
        let weights = Self.given(["weight": [1, 2], "bias": [0, 1]])
        let x = try Tensor([3, 4] as [Double], [1, 2])
        let root = 12.5.squareRoot()
        try Self.expect(RMSNorm(2, eps: 0, weights)(x), [3 / root, 8 / root])
        try Self.expect(LayerNorm(2, eps: 0, weights)(x), [-1, 3])
        try Self.expect(LayerNorm(2, eps: 0)(x), [-1, 1])
        let channels = try Tensor([1, 3, 2, 6] as [Double], [1, 2, 2])
        try Self.expect(GroupNorm(2, 2, eps: 0, weights)(channels), [-1, 1, -1, 3])
    }

    @Test("RMSNorm takes its mean in float32 and rounds before the weight")
    func roundedNorm() throws {
        let x = try Tensor([200, 300, -400, 1] as [Float], [1, 4]).to(.float16)
        let weights = Weights(try RandomWeights(seed: 1))
        let y = try RMSNorm(4, eps: 1e-6, weights)(x)
        // The squares are beyond float16; the result is not.
        #expect(y.dtype == .float16)
        let root = (290001.0 / 4).squareRoot()
        try Self.expect(y, [200 / root, 300 / root, -400 / root, 1 / root], within: 1e-3)
    }

    @Test("Convolutions and embeddings read their weights")
    func others() throws {
        let box = Self.given(["weight": Array(repeating: 1, count: 8), "bias": [0.5]])
        let video = try Tensor.ones([1, 1, 2, 2, 2], dtype: .float64)
        try Self.expect(Conv3d(1, 1, kernel: [2, 2, 2], box)(video), [8.5])
        let flat = Self.given(["weight": [1, 0, 0, 1]])
        let image = try Tensor([1, 2, 3, 4] as [Double], [1, 1, 2, 2])
        try Self.expect(Conv2d(1, 1, kernel: [2, 2], bias: false, flat)(image), [5])
        let table = Self.given(["weight": [1, 2, 3, 4]])
        try Self.expect(Embedding(2, 2, table)(Tensor([1, 0] as [Int64])), [3, 4, 1, 2])
    }

    @Test("Float32 weights work on bfloat16 activations, and get float32 gradients")
    func mixedTypes() throws {
        let weights = Weights(try RandomWeights(seed: 2))
        let layer = try Linear(4, 3, weights)
        try weights.store.setRequiresGradient(true)
        let y = try layer(Tensor.ones([2, 4], dtype: .bfloat16))
        #expect(y.dtype == .bfloat16)
        try y.to(.float32).sum().backward()
        let gradient = try #require(try layer.weight.parameter?.value.gradient())
        #expect(gradient.dtype == .float32)
        try Self.expect(gradient, Array(repeating: 2, count: 12))
    }
}

@Suite("Scopes, stores and sources of weights")
struct WeightsTests {
    @Test("Scopes make names, and a name is one parameter")
    func names() throws {
        let weights = Weights(try RandomWeights(seed: 1))
        let a = try weights["blocks"][3]["attn.to_q"].parameter("weight", [2, 2], .normal(1))
        #expect(a.name == "blocks.3.attn.to_q.weight")
        let b = try weights["blocks.3"]["attn"]["to_q"].parameter("weight", [2, 2], .normal(1))
        #expect(a === b)
        #expect(weights.store["blocks.3.attn.to_q.weight"] === a)
        #expect(weights.store["other"] == nil)
        _ = try weights.parameter("z", [3], .ones)
        #expect(weights.store.parameters.map(\.name) == ["blocks.3.attn.to_q.weight", "z"])
        #expect(weights.store.elementCount == 7 && weights.store.byteCount == 28)
        #expect(weights.store.tensors.keys.sorted() == ["blocks.3.attn.to_q.weight", "z"])
    }

    @Test("Fresh weights begin as asked, alike for one seed")
    func fresh() throws {
        func draw(_ seed: UInt64) throws -> [Float] {
            let weights = Weights(try RandomWeights(seed: seed))
            #expect(try weights.parameter("o", [2], .ones).value.array(Float.self) == [1, 1])
            #expect(try weights.parameter("z", [2], .zeros).value.array(Float.self) == [0, 0])
            let even = try weights.parameter("u", [4000], .uniform(0.5)).value
            #expect(try even.abs().max().item() <= 0.5 && even.abs().max().item() > 0.49)
            let normal = try weights.parameter("n", [4000], .normal(0.02)).value
            #expect(try abs(normal.standardDeviation([0]).item() - 0.02) < 0.002)
            return try normal.array(Float.self)
        }
        #expect(try draw(5) == draw(5))
        #expect(try draw(5) != draw(6))
    }

    @Test("A layer that begins at zero adds nothing")
    func zero() throws {
        let weights = Weights(try RandomWeights(seed: 5))
        let y = try Linear(3, 2, zero: true, weights)(Tensor.ones([1, 3]))
        #expect(try y.array(Float.self) == [0, 0])
    }

    @Test("A store moves all of its parameters into a type")
    func move() throws {
        let weights = Weights(try RandomWeights(seed: 5))
        let layer = try Linear(3, 2, weights)
        try weights.store.move(.bfloat16)
        #expect(
            layer.weight.parameter?.value.dtype == .bfloat16 && layer.bias?.value.dtype == .bfloat16
        )
    }

    @Test("Shapes alone take no memory")
    func shapesOnly() throws {
        let weights = Weights(ShapesOnly())
        _ = try Linear(1 << 20, 1 << 20, weights["huge"])
        #expect(weights.store["huge.weight"]?.value.shape == [1 << 20, 1 << 20])
        #expect(weights.contains("anything"))
    }
}
