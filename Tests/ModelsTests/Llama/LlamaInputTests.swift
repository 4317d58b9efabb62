import Foundation
import Models
import TestSupport
import Testing
import Torch
import TorchNN

@Suite("Llama inputs, fresh weights and gradients")
struct LlamaInputTests {
    static func tiny() -> LlamaConfig {
        var config = LlamaConfig()
        config.vocabularySize = 11
        config.hiddenSize = 12
        config.intermediateSize = 20
        config.layerCount = 4
        config.headCount = 3
        config.keyValueHeadCount = 1
        config.headSize = 4
        return config
    }

    @Test("Wrong ids and masks are errors that name them")
    func wrongInput() throws {
        let encoder = try LlamaTextEncoder(Self.tiny(), Weights(try RandomWeights(seed: 1)))
        func message(_ ids: Tensor, _ mask: Tensor? = nil) -> String {
            EncoderFolders.message { _ = try encoder(ids, mask) }
        }
        let ids = try Tensor([1, 2, 3, 4, 5, 6] as [Int64], [2, 3])
        func mask(_ values: [Int64]) throws -> Tensor { try Tensor(values, [2, 3]) }
        let high = message(try Tensor([1, 2, 3, 4, 11, 6] as [Int64], [2, 3]))
        #expect(high.contains("token id 11 in row 1 at position 1"), "\(high)")
        #expect(message(try Tensor([-1] as [Int64], [1, 1])).contains("token id -1"))
        #expect(message(try Tensor([1, 2] as [Int64])).contains("input_ids has the shape [2]"))
        #expect(message(try .zeros([1, 0], dtype: .int64)).contains("neither of them empty"))
        #expect(message(try .zeros([1, 2])).contains("input_ids is float32"))
        #expect(message(ids, try .ones([3, 2])).contains("attention_mask has the shape [3, 2]"))
        #expect(message(ids, try mask([1, 1, 1, 0, 1, 1])).contains("a 1 at 1"))
        #expect(message(ids, try mask([1, 0, 1, 1, 1, 1])).contains("position 1 of row 0"))
        #expect(message(ids, try mask([1, 2, 0, 1, 1, 1])).contains("holds 2.0"))
        #expect(message(ids, try mask([1, 1, 0, 1, 0, 0])) == "")
        #expect(message(ids, try mask([1, 1, 0, 1, 0, 0]).to(.bool)) == "")
        #expect(message(try ids.to(.int32), try mask([1, 1, 1, 1, 1, 1]).to(.float32)) == "")
    }

    @Test(
        "Gradients reach every weight, also through bfloat16 arithmetic",
        arguments: [
            DType.float32, .bfloat16,
        ])
    func gradientsFlow(_ dtype: DType) throws {
        let weights = Weights(try RandomWeights(seed: 3))
        let encoder = try LlamaTextEncoder(Self.tiny(), weights, layerCount: 4)
        try weights.store.setRequiresGradient(true)
        let states = try encoder(Tensor([1, 2, 3, 4, 10, 0] as [Int64], [2, 3]), dtype: dtype)
        #expect(states.dtype == dtype)
        try states.to(.float32).square().mean().backward()
        for parameter in weights.store.parameters {
            let gradient = try #require(try parameter.value.gradient(), "\(parameter.name)")
            #expect(gradient.dtype == .float32)
            #expect(try gradient.abs().max().item() > 0, "\(parameter.name)")
            #expect(try gradient.isFinite().all().item() == 1, "\(parameter.name)")
        }
    }

    @Test("A gradient is that of finite differences in float64")
    func gradientIsRight() throws {
        let weights = Weights(try RandomWeights(seed: 5, dtype: .float64))
        let encoder = try LlamaTextEncoder(Self.tiny(), weights)
        let ids = try Tensor([1, 5, 3, 7, 2] as [Int64], [1, 5])
        let name = "layers.0.self_attn.k_proj.weight"
        let parameter = try #require(weights.store[name])
        func loss() throws -> Tensor { try encoder(ids).sin().sum() }
        try parameter.value.setRequiresGradient(true)
        try loss().backward()
        let gradient = try #require(try parameter.value.gradient())
        let base = try parameter.value.detach()
        for index in [0, 7, 30] {
            let step = 1e-6
            var bump = [Double](repeating: 0, count: base.count)
            bump[index] = step
            let change = try Tensor(bump, base.shape)
            parameter.value = try base + change
            let above = try loss().item()
            parameter.value = try base - change
            let below = try loss().item()
            let wanted = (above - below) / (2 * step)
            let found = try gradient.flatten().select(0, index).item()
            #expect(abs(found - wanted) < 1e-6 * max(1, abs(wanted)), "\(found) \(wanted)")
        }
    }

    @Test("Scaled rotary frequencies are those of transformers")
    func scaledFrequencies() {
        let rule = RotaryScaling.llama3(
            factor: 8, lowFactor: 1, highFactor: 4, originalLength: 256)
        // Base 10000, 16 channels; from `_compute_llama3_parameters` of transformers 5.23.0.
        let wanted = [
            1, 0.316227764, 0.100000001, 0.00661310693, 0.00124999997, 0.000395284733,
            0.000125000006, 3.95284733e-05,
        ]
        for (index, value) in wanted.enumerated() {
            let plain = Foundation.pow(10000, -Double(index) / 8)
            #expect(abs(rule.scaled(plain) / value - 1) < 1e-6, "\(index)")
            #expect(RotaryScaling.none.scaled(plain) == plain)
        }
    }

    @Test("Rotary scaling changes all positions but the first")
    func rotaryScaling() throws {
        var config = Self.tiny()
        config.headSize = 16
        let plain = try LlamaTextEncoder(config, Weights(try RandomWeights(seed: 4)))
        config.rotaryScaling = .llama3(factor: 8, lowFactor: 1, highFactor: 4, originalLength: 8)
        let scaled = try LlamaTextEncoder(config, Weights(try RandomWeights(seed: 4)))
        let ids = try Tensor([1, 2, 3, 4, 5, 6, 7, 8] as [Int64], [1, 8])
        let (a, b) = (try plain(ids), try scaled(ids))
        try expectClose(b.narrow(1, 0, 1), a.narrow(1, 0, 1), "position 0")
        #expect(try (a - b).abs().max().item() > 1e-4)
    }
}
