import Models
import TestSupport
import Testing
import Torch
import TorchNN

/// Weights that are drawn from one stream in the order of their names.
private struct DrawnWeights: WeightSource {
    let values: [String: Tensor]

    init(_ shapes: [String: [Int]], width: Int, _ generator: Generator) throws {
        var values: [String: Tensor] = [:]
        for (name, shape) in shapes.sorted(by: { $0.key < $1.key }) {
            let value = try Tensor.randn(shape, generator: generator)
            if shape.count == 2 {
                try value.multiplyInPlace(shape[1] == width ? 0x1p-6 : 0x1p-7)
            } else if name.hasSuffix("bias") {
                try value.multiplyInPlace(0x1p-4)
            }
            values[name] =
                shape.count == 2 || name.hasSuffix("bias") ? value : try value * 0x1p-3 + 1
        }
        self.values = values
    }

    func tensor(_ name: String, shape: [Int], initialization: Initialization) throws -> Tensor {
        guard let value = values[name], value.shape == shape else {
            throw ModelError("\(name) was drawn in another shape")
        }
        return value
    }

    func contains(_ name: String) -> Bool { values[name] != nil }
}

/// One block of the released width, with 3,456 video and 300 text tokens.
@Suite(.serialized) struct TransformerBlockTests {
    private typealias Streams = (video: Tensor, text: Tensor)
    private typealias Build = (TransformerConfig, Weights) throws -> (
        Tensor, Tensor, BlockConditions
    )
        throws -> Streams

    private func check(_ kind: String, seed: UInt64, _ build: Build) throws {
        let config = TransformerConfig()
        let stored = try Fixtures.tensors("blocks/\(kind).safetensors")
        let generator = try Generator(seed: seed)
        let draws = try [
            ("hidden_states", [1, 3456, 3072]), ("encoder_hidden_states", [1, 300, 3072]),
            ("temb", [1, 3072]),
        ].map { ($0, try Tensor.randn($1, generator: generator)) }
        let shapes = Weights(ShapesOnly())
        _ = try build(config, shapes)
        let source = try DrawnWeights(
            shapes.store.tensors.mapValues(\.shape), width: 3072, generator)
        for (name, value) in draws + source.values.map({ ($0, $1) }) {
            let first = try #require(stored["probe.\(name)"])
            try expectClose(value.flatten().narrow(0, 0, first.count), first, absolute: 1e-6, name)
        }
        let weights = Weights(source)
        let block = try build(config, weights)
        let (video, text, temb) = (draws[0].1, draws[1].1, draws[2].1)
        func run(_ dtype: DType) throws -> Streams {
            try weights.store.move(to: nil, dtype)
            let conditions = try BlockConditions(
                config, temb: temb.to(dtype), indices: .shared(Array(1...9)),
                grid: (height: 16, width: 24), textCount: 300,
                execution: Execution(dtype: dtype, chunkSize: 1000))
            let result = try block(video.to(dtype), text.to(dtype), conditions)
            return (try result.video.to(.float32), try result.text.to(.float32))
        }
        let exact = try run(.float32)
        let low = try run(.bfloat16)
        for (name, exact, low) in [
            ("video", exact.video, low.video), ("text", exact.text, low.text),
        ] {
            let wanted = try #require(stored["out.\(name)"])
            try expectClose(
                exact.slice(1, step: 97).slice(2, step: 13), wanted, absolute: 1e-4,
                relative: 1e-4, "\(kind), \(name)")
            let numbers = try #require(stored["out.\(name)_numbers"]).array(Double.self)
            let norm = try exact.norm().item()
            #expect(abs(norm - numbers[0]) < 1e-5 * numbers[0])
            let error = try (low - exact).norm().item() / norm
            let largest = try (low - exact).abs().max().item()
            print(
                "    \(kind), \(name) in bf16: error \(error), the reference's \(numbers[4]); largest "
                    + "\(largest), the reference's \(numbers[3])")
            #expect(error <= numbers[4])
            // One element of ten million decides it: as large, but for chance.
            #expect(largest <= 1.25 * numbers[3])
        }
    }

    @Test func aDoubleBlockGivesTheReferencesNumbers() throws {
        try withoutGradients {
            try check("double", seed: 1001) { config, weights in
                let block = try DoubleStreamBlock(config, weights)
                return {
                    let streams = try block($0, context: $1, $2)
                    return (streams.x, streams.context)
                }
            }
        }
    }

    @Test func aSingleBlockGivesTheReferencesNumbers() throws {
        try withoutGradients {
            try check("single", seed: 1002) { config, weights in
                let block = try SingleStreamBlock(config, weights)
                return { video, text, conditions in
                    let joined = try block(.cat([video, text], axis: 1), conditions)
                    let parts = try joined.split([video.dim(1), text.dim(1)], axis: 1)
                    return (parts[0], parts[1])
                }
            }
        }
    }
}
