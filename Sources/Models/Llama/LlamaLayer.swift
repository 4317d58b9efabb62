import Torch
import TorchNN

/// Attention in which each token sees itself and those before it, with rotary positions.
///
/// Source: transformers `LlamaAttention`.
final class LlamaAttention {
    private let query: Linear
    private let key: Linear
    private let value: Linear
    private let output: Linear
    private let headCount: Int
    private let keyValueHeadCount: Int
    private let headSize: Int

    init(_ config: LlamaConfig, _ weights: Weights) throws {
        (headCount, keyValueHeadCount) = (config.headCount, config.keyValueHeadCount)
        headSize = config.headSize
        let (width, bias) = (config.hiddenSize, config.attentionBias)
        let (all, shared) = (headCount * headSize, keyValueHeadCount * headSize)
        query = try Linear(width, all, bias: bias, weights["q_proj"])
        key = try Linear(width, shared, bias: bias, weights["k_proj"])
        value = try Linear(width, shared, bias: bias, weights["v_proj"])
        output = try Linear(all, width, bias: bias, weights["o_proj"])
    }

    /// Where it computes.
    var device: Device { query.device }

    /// Maps `(B, T, C)`.
    func callAsFunction(_ x: Tensor, _ phases: RotaryPhases) throws -> Tensor {
        let q = try phases.rotate(heads(query(x), headCount))
        let k = try shared(phases.rotate(heads(key(x), keyValueHeadCount)))
        let v = try shared(heads(value(x), keyValueHeadCount))
        let mixed = try Tensor.attention(q, k, v, causal: true)
        return try output(mixed.transpose(1, 2).flatten(2))
    }

    /// `(B, T, H·D)` as `(B, H, T, D)`.
    private func heads(_ x: Tensor, _ count: Int) throws -> Tensor {
        try x.unflatten(-1, [count, headSize]).transpose(1, 2)
    }

    /// Each key or value head once for every query head that shares it.
    private func shared(_ x: Tensor) throws -> Tensor {
        keyValueHeadCount == headCount
            ? x : try x.repeatInterleaved(headCount / keyValueHeadCount, axis: 1)
    }
}

/// The gated MLP, `down(silu(gate(x)) · up(x))`.
///
/// Source: transformers `LlamaMLP`.
final class LlamaMLP {
    private let gate: Linear
    private let up: Linear
    private let down: Linear

    init(_ config: LlamaConfig, _ weights: Weights) throws {
        let (width, inner, bias) = (config.hiddenSize, config.intermediateSize, config.mlpBias)
        gate = try Linear(width, inner, bias: bias, weights["gate_proj"])
        up = try Linear(width, inner, bias: bias, weights["up_proj"])
        down = try Linear(inner, width, bias: bias, weights["down_proj"])
    }

    /// Maps `(B, T, C)`.
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        try down(gate(x, then: .silu) * up(x))
    }
}

/// Attention and MLP, each behind a norm and added to what came in.
///
/// Source: transformers `LlamaDecoderLayer`.
final class LlamaLayer {
    private let attentionNorm: RMSNorm
    private let attention: LlamaAttention
    private let mlpNorm: RMSNorm
    private let mlp: LlamaMLP

    init(_ config: LlamaConfig, _ weights: Weights) throws {
        let (width, eps) = (config.hiddenSize, config.normEpsilon)
        attentionNorm = try RMSNorm(width, eps: eps, weights["input_layernorm"])
        attention = try LlamaAttention(config, weights["self_attn"])
        mlpNorm = try RMSNorm(width, eps: eps, weights["post_attention_layernorm"])
        mlp = try LlamaMLP(config, weights["mlp"])
    }

    /// Where it computes.
    var device: Device { attention.device }

    /// Maps `(B, T, C)`.
    func callAsFunction(_ x: Tensor, _ phases: RotaryPhases) throws -> Tensor {
        let x = try x + attention(attentionNorm(x), phases)
        return try x + mlp(mlpNorm(x))
    }
}
