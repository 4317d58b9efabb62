import Checkpoints
import Foundation
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct QuantizedFileTests {
    private static let blocks = Fixtures.url("gguf/blocks.gguf")

    @Test(
        "ggml's blocks are read as its own package reads them", arguments: ["q8_0", "q4_k", "q6_k"])
    func blocks(_ type: String) throws {
        try withTemporaryFolder { folder in
            try FileManager.default.copyItem(
                at: Self.blocks, to: folder.appendingPathComponent("model.gguf"))
            let checkpoint = try CheckpointFolder(folder)
            let weight = try #require(try checkpoint.quantizedWeight("\(type).weight"))
            #expect(weight.format.rawValue == type && weight.shape == [5, 512])
            let wanted = try #require(
                try Fixtures.tensors("gguf/expected.safetensors")["\(type).weight"])
            for kernels in Kernels.allCases {
                let found = try Kernels.$current.withValue(kernels) {
                    try weight.dequantized(to: .float32)
                }
                let difference = try (found - wanted).abs().max().item()
                #expect(difference <= 2e-6, "\(kernels)")
            }
        }
    }

    @Test("Plain tensors of a GGUF file, one of five axes among them")
    func plainTensors() throws {
        let file = try GGUFFile(Self.blocks)
        let wanted = try Fixtures.tensors("gguf/expected.safetensors")
        for name in ["conv.weight", "half.bias", "brain.weight"] {
            let (found, value) = (try file.tensor(name), try #require(wanted[name]))
            #expect(found.shape == value.shape && found.dtype == value.dtype, "\(name)")
            #expect(try found.to(.float32).array(Float.self) == value.to(.float32).array())
        }
    }

    @Test("A GGUF file that is written is read as it was")
    func writing() throws {
        try withTemporaryFolder { folder in
            let numbers = try Tensor.randn([6, 512], generator: Generator(seed: 1))
            let rounded = try QuantizedWeight("a.weight", numbers, as: .q4_k)
            let conv = try Tensor.randn([3, 2, 1, 2, 2], generator: Generator(seed: 2))
            let bias = try Tensor.randn([5], generator: Generator(seed: 3)).to(.bfloat16)
            let url = folder.appendingPathComponent("model.gguf")
            try writeGGUF(
                [
                    GGUFOutline("b.bias", [5], .plain(.bfloat16)),
                    GGUFOutline("a.weight", [6, 512], .quantized(.q4_k)),
                    GGUFOutline("c.weight", conv.shape, .plain(.float32)),
                ], metadata: ["general.architecture": .text("hyvid")], to: url
            ) { ["b.bias": bias, "a.weight": rounded.codes, "c.weight": conv][$0.name] ?? bias }
            let checkpoint = try CheckpointFolder(folder)
            let found = try #require(try checkpoint.quantizedWeight("a.weight"))
            #expect(try found.codes.array(UInt8.self) == rounded.codes.array())
            let file = try #require(checkpoint.file(of: "c.weight"))
            #expect(try file.tensor("c.weight").array(Float.self) == conv.array())
            #expect(
                try file.tensor("b.bias").to(.float32).array(Float.self)
                    == bias.to(.float32).array())
            #expect(file.metadata["general.architecture"] == "hyvid")
            let cut = try Data(contentsOf: url).dropLast(40)
            try cut.write(to: url)
            #expect { try GGUFFile(url) } throws: { "\($0)".contains("cut off") }
        }
    }

    /// A folder with these tensors.
    private func checkpoint(_ tensors: [String: Tensor], _ body: (CheckpointFolder) throws -> Void)
        throws
    {
        try withTemporaryFolder { folder in
            try writeSafetensors(tensors, to: folder.appendingPathComponent("model.safetensors"))
            try body(try CheckpointFolder(folder))
        }
    }

    @Test("fp8 with the scales that are found in files, under both names")
    func fp8() throws {
        let codes = try (Tensor.randn([4, 128], generator: Generator(seed: 4)) * 20)
            .to(.float8e4m3)
        let values = try codes.to(.float32)
        func scales(_ shape: [Int]) throws -> Tensor {
            try Tensor.rand(shape, generator: Generator(seed: 5)) + 0.5
        }
        for (shape, name) in [
            ([], "scale_weight"), ([1], "weight_scale"), ([4], "scale_weight"),
            ([4, 1], "weight_scale"), ([4, 2, 1], "scale_weight"),
        ] as [([Int], String)] {
            let scale = try scales(shape)
            let wide =
                try scale.count == 1
                ? scale.reshape(1, 1)
                : scale.reshape(4, -1).repeatInterleaved(128 * 4 / scale.count, axis: 1)
            try checkpoint(["a.weight": codes, "a.\(name)": scale]) { folder in
                let source = CheckpointWeights(folder)
                let weight = try #require(try source.quantized("a.weight", shape: [4, 128]))
                let found = try weight.dequantized(to: .float32)
                #expect(try (found - values * wide).abs().max().item() < 1e-5, "\(shape)")
                try source.checkAllUsed()
            }
        }
        // Without scales the codes are the numbers, and marks of formats are passed over.
        try checkpoint([
            "a.weight": codes, "scaled_fp8": .zeros([1]).to(.float8e4m3),
            "a.scale_input": .ones([]),
        ]) { folder in
            let source = CheckpointWeights(folder)
            let weight = try #require(try source.quantized("a.weight", shape: [4, 128]))
            #expect(try (weight.dequantized(to: .float32) - values).abs().max().item() == 0)
            // A layer that needs numbers gets them.
            let numbers = try source.tensor("a.weight", shape: [4, 128], initialization: .zeros)
            #expect(numbers.dtype == .bfloat16)
            try source.checkAllUsed()
        }
    }

    @Test("Scales and codes of types that are not read are named")
    func unknownTypes() throws {
        func message(_ tensors: [String: Tensor]) throws -> String {
            var text = ""
            try checkpoint(tensors) { folder in
                do {
                    _ = try CheckpointWeights(folder).quantized("a.weight", shape: [4, 64])
                } catch { text = "\(error)" }
            }
            return text
        }
        let codes = try Tensor.ones([4, 64])
        let powers = try message([
            "a.weight": codes.to(.float8e4m3), "a.weight_scale": .ones([4, 1]).to(.uint8),
        ])
        #expect(powers.contains("a.weight_scale has the type uint8"))
        let other = try message([
            "a.weight": codes.to(.float8e5m2), "a.scale_weight": .ones([4, 1]),
        ])
        #expect(other.contains("a.weight of the type float8e5m2 has a.scale_weight beside it"))
    }

    @Test("int4 and int8 files, and scales that do not fit")
    func wholeNumbers() throws {
        let numbers = try Tensor.randn([6, 128], generator: Generator(seed: 6))
        for target in [QuantizationTarget.int8, .int4] {
            let rounded = try QuantizedWeight("a.weight", numbers, as: target)
            let scales = try #require(rounded.scales)
            try checkpoint(["a.weight": rounded.codes, "a.scale_weight": scales]) { folder in
                #expect(folder.shape(of: "a.weight") == [6, 128])
                let source = CheckpointWeights(folder)
                let found = try #require(try source.quantized("a.weight", shape: [6, 128]))
                #expect(found.format == rounded.format)
                let difference =
                    try found.dequantized(to: .float32)
                    - rounded.dequantized(to: .float32)
                #expect(try difference.abs().max().item() == 0)
                // What is to be trained is read as numbers.
                let training = CheckpointWeights(folder, dtype: .float32, dequantizes: true)
                #expect(try training.quantized("a.weight", shape: [6, 128]) == nil)
                let values = try training.tensor(
                    "a.weight", shape: [6, 128], initialization: .zeros)
                #expect(try (values - rounded.dequantized(to: .float32)).abs().max().item() == 0)
            }
            try checkpoint(["a.weight": rounded.codes, "a.scale_weight": .ones([5, 1])]) { folder in
                #expect {
                    try CheckpointWeights(folder).quantized("a.weight", shape: [6, 128])
                } throws: { "\($0)".contains("a.scale_weight") && "\($0)".contains("6") }
            }
        }
    }

    @Test("Weights are rounded as they are read where that is asked for")
    func reading() throws {
        let numbers = try Tensor.randn([6, 128], generator: Generator(seed: 7))
        try checkpoint(["a.weight": numbers, "b.weight": numbers]) { folder in
            let source = CheckpointWeights(
                folder, quantization: WeightQuantization(.int4) { $0 == "a.weight" })
            let found = try #require(try source.quantized("a.weight", shape: [6, 128]))
            let wanted = try QuantizedWeight("a.weight", numbers, as: .int4)
            #expect(try found.codes.array(UInt8.self) == wanted.codes.array())
            #expect(try source.quantized("b.weight", shape: [6, 128]) == nil)
        }
    }
}
