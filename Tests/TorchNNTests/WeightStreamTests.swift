import Foundation
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct WeightStreamTests {
    /// Layers of several sizes, each from the width of the one before it.
    private static let widths = [64, 96, 32, 160, 64, 96, 64, 128, 64]

    private static func layers(quantized: Bool = false) throws -> [Linear] {
        let source: any WeightSource =
            quantized ? Rounded(try RandomWeights(seed: 3)) : try RandomWeights(seed: 3)
        let weights = Weights(source)
        return try zip(widths, widths.dropFirst()).enumerated().map {
            try Linear($1.0, $1.1, weights[$0])
        }
    }

    /// Gives linear layers' weights rounded to fp8.
    private struct Rounded: WeightSource {
        let source: RandomWeights

        init(_ source: RandomWeights) { self.source = source }

        func tensor(_ name: String, shape: [Int], initialization: Initialization) throws -> Tensor {
            try source.tensor(name, shape: shape, initialization: initialization)
        }

        func quantized(_ name: String, shape: [Int]) throws -> QuantizedWeight? {
            try QuantizedWeight(
                name, tensor(name, shape: shape, initialization: .uniform(0.1)), as: .fp8)
        }

        func contains(_ name: String) -> Bool { true }
    }

    private static func input() throws -> Tensor {
        try .randn([5, widths[0]], generator: Generator(seed: 4))
    }

    private static func pass(_ layers: [Linear], _ x: Tensor, _ order: [Int]? = nil) throws
        -> Tensor
    {
        try withoutGradients {
            var x = x
            for index in order ?? Array(layers.indices) { x = try layers[index](x) }
            return x
        }
    }

    /// Whether two tensors are the same, bit for bit.
    private static func same(_ a: Tensor, _ b: Tensor) throws -> Bool {
        try a.shape == b.shape && a.dtype == b.dtype
            && a.to(.cpu, .float32).array(Float.self) == b.to(.cpu, .float32).array(Float.self)
    }

    private static let sizes = zip(widths, widths.dropFirst()).map { 4 * $0 * $1 }
    private static let largest = sizes.max() ?? 0
    private static let total = sizes.reduce(0, +)

    @Test(
        "Weights that come and go give the numbers of those that stay, whatever the room",
        arguments: [1.0, 1.3, 2, 3, 100], [false, true])
    func sameNumbers(_ room: Double, _ isQuantized: Bool) throws {
        let x = try Self.input()
        let wanted = try Self.pass(Self.layers(quantized: isQuantized), x)
        let layers = try Self.layers(quantized: isQuantized)
        let stream = try WeightStream(
            layers, to: .cpu, capacity: Int(room * Double(Self.largest)))
        for _ in 0..<5 {
            #expect(try Self.same(Self.pass(layers, x), wanted))
        }
        #expect(stream.figures.count >= layers.count)
    }

    @Test("What is larger than the ring comes once a pass; what is not comes once")
    func bytes() throws {
        let x = try Self.input()
        for (capacity, perPass) in [(3 * Self.largest, Self.total), (2 * Self.total, 0)] {
            let layers = try Self.layers()
            let stream = try WeightStream(layers, to: .cpu, capacity: capacity)
            for _ in 0..<4 { _ = try Self.pass(layers, x) }
            let before = stream.figures.bytes
            for _ in 0..<4 { _ = try Self.pass(layers, x) }
            // Copies run ahead by what the ring holds.
            let brought = stream.figures.bytes - before
            #expect(abs(brought - 4 * perPass) <= capacity)
            #expect(perPass > 0 || brought == 0)
        }
    }

    @Test("An order is known after one pass, with loops in it too")
    func order() throws {
        let x = try Tensor.randn([5, 64], generator: Generator(seed: 4))
        let layers = try Self.layers()
        // 64 → 96 → 32 → 160 → 64, the last two again as for another piece of the tokens.
        let first = [0, 1, 2, 3]
        let stream = try WeightStream(layers, to: .cpu, capacity: 3 * Self.largest)
        func run() throws {
            let y = try Self.pass(layers, x, first)
            let z = try Self.pass(layers, y, [4, 5])
            let again = try Self.pass(layers, y, [4, 5])
            #expect(try Self.same(z, again))
            _ = try Self.pass(layers, z, [6, 7])
        }
        for _ in 0..<2 { try run() }
        let learned = stream.figures.surprises
        for _ in 0..<3 { try run() }
        #expect(stream.figures.surprises == learned)
        // Another order is a surprise, and its numbers are right.
        let wanted = try Self.pass(Self.layers(), x, [4, 1, 2, 3])
        #expect(try Self.same(Self.pass(layers, x, [4, 1, 2, 3]), wanted))
        #expect(stream.figures.surprises > learned)
    }

    @Test("Any order gives the right numbers", arguments: 0..<8 as Range<UInt64>)
    func anyOrder(_ seed: UInt64) throws {
        let kept = try Self.layers()
        let layers = try Self.layers()
        let capacity = Self.largest + Int(seed) * Self.largest / 3
        _ = try WeightStream(layers, to: .cpu, capacity: capacity)
        var state = seed &* 2_654_435_761 &+ 17
        try withoutGradients {
            for _ in 0..<200 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let index = Int(state >> 33) % layers.count
                let x = try Tensor.full([2, Self.widths[index]], Double(index) + 0.5)
                #expect(try Self.same(layers[index](x), kept[index](x)))
            }
        }
    }

    @Test("Weights come in the type that is asked for")
    func conversion() throws {
        let x = try Self.input().to(.bfloat16)
        let layers = try Self.layers()
        let wanted = try Self.pass(Self.layers(), x)
        let stream = try WeightStream(
            layers, to: .cpu, dtype: .bfloat16, capacity: Self.largest)
        #expect(try Self.same(Self.pass(layers, x), wanted))
        #expect(WeightStream.byteCount(of: layers[0], dtype: .bfloat16) == 2 * 64 * 96)
        #expect(stream.figures.surprises <= 1)
    }

    @Test("A ring that is too small names the largest weight and what it takes")
    func tooSmall() throws {
        let layers = try Self.layers()
        let error = #expect(throws: TorchError.self) {
            try WeightStream(layers, to: .cpu, capacity: Self.largest - 1)
        }
        #expect(error?.code == .outOfMemory)
        #expect(error?.message.contains("3.weight takes 40960 bytes") == true)
    }

    @Test("Gradients cannot go through what is gone when they are computed")
    func gradients() throws {
        let layers = try Self.layers()
        _ = try WeightStream(layers, to: .cpu, capacity: Self.total)
        let error = #expect(throws: TorchError.self) { try layers[0](Self.input()) }
        #expect(error?.message.contains("0.weight is streamed") == true)
    }

    @Test("Weights come again after the room was given back")
    func givingBack() throws {
        let x = try Self.input()
        let wanted = try Self.pass(Self.layers(), x)
        let layers = try Self.layers()
        let stream = try WeightStream(layers, to: .cpu, capacity: 2 * Self.total)
        for _ in 0..<3 {
            #expect(try Self.same(Self.pass(layers, x), wanted))
            try stream.giveRoomBack()
            let resting = stream.figures
            try stream.giveRoomBack()
            #expect(stream.figures == resting)
            #expect(try Self.same(Self.pass(layers, x), wanted))
            #expect(stream.figures.bytes >= resting.bytes + Self.total)
        }
    }

    @Test("An adapter adds to a weight that comes and goes")
    func adapters() throws {
        let x = try Self.input()
        func adapted(_ isStreamed: Bool) throws -> Tensor {
            let layers = try Self.layers()
            let adapter = LowRankAdapter(
                down: Parameter("down", try .full([1, 64], 0.25)),
                up: Parameter("up", try .full([96, 1], 0.5)), alpha: 2)
            try AdapterSet("set", [(layer: "0", adapter: adapter)]).attach(to: [("0", layers[0])])
            if isStreamed { _ = try WeightStream(layers, to: .cpu, capacity: Self.largest) }
            return try Self.pass(layers, x)
        }
        let wanted = try adapted(false)
        #expect(try Self.same(adapted(true), wanted))
        #expect(try !Self.same(Self.pass(Self.layers(), x), wanted))
    }
}
