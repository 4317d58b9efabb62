import Torch
import TorchNN

/// Attention of text among itself, with the plain names of its four layers.
private final class SelfAttention {
    let query, key, value, output: Linear
    let headSize: Int

    init(_ config: TransformerConfig, _ weights: Weights) throws {
        let size = config.hiddenSize
        headSize = config.headSize
        query = try Linear(size, size, weights["to_q"])
        key = try Linear(size, size, weights["to_k"])
        value = try Linear(size, size, weights["to_v"])
        output = try Linear(size, size, weights["to_out"][0])
    }

    func callAsFunction(_ x: Tensor, _ lengths: TokenLengths, _ execution: Execution) throws
        -> Tensor
    {
        let parts = try [query, key, value].map { try $0(x).unflatten(-1, [-1, headSize]) }
        return try output(attend(parts[0], parts[1], parts[2], lengths, execution))
    }
}

/// A block of the refiner: norms with weights of their own, and gates from the conditions.
private final class TokenRefinerBlock {
    let norm1, norm2: LayerNorm
    let attention: SelfAttention
    let feedForward: FeedForward
    let gates: Linear

    init(_ config: TransformerConfig, _ weights: Weights) throws {
        let size = config.hiddenSize
        norm1 = try LayerNorm(size, weights["norm1"])
        norm2 = try LayerNorm(size, weights["norm2"])
        attention = try SelfAttention(config, weights["attn"])
        // The refiner's width does not follow `mlp_ratio`.
        feedForward = try FeedForward(size, 4 * size, .silu, weights["ff"])
        gates = try Linear(size, 2 * size, zero: true, weights["norm_out"]["linear"])
    }

    func callAsFunction(_ x: Tensor, temb: Tensor, _ lengths: TokenLengths, _ execution: Execution)
        throws -> Tensor
    {
        let gate = try gates(temb.silu()).unsqueeze(1).chunk(2, axis: -1)
        let x = try x.addProduct(attention(norm1(x), lengths, execution), gate[0])
        return try x.addProduct(feedForward(norm2(x)), gate[1])
    }
}

/// Text states made ready for the video: projected, and refined under time and pooled text.
///
/// The reference lets every query see the first key even where it is padding; on real tokens,
/// which are all that leaves here, that changes nothing.
/// Source: HunyuanVideo (arXiv:2412.03603), section 4.2; diffusers `HunyuanVideoTokenRefiner`.
final class TokenRefiner {
    private let conditions: ConditionEmbedding
    private let input: Linear
    private let blocks: [TokenRefinerBlock]

    init(_ config: TransformerConfig, _ weights: Weights) throws {
        conditions = try ConditionEmbedding(
            config.hiddenSize, pooledSize: config.textSize, hasGuidance: false,
            weights["time_text_embed"])
        input = try Linear(config.textSize, config.hiddenSize, weights["proj_in"])
        let scope = weights["token_refiner"]["refiner_blocks"]
        blocks = try (0..<config.refinerBlockCount).map { try TokenRefinerBlock(config, scope[$0]) }
    }

    /// Refines text `(B, T, C)`, of which each sample has its own length; T stays.
    func callAsFunction(
        _ text: Tensor, timestep: Tensor, _ lengths: TokenLengths, _ execution: Execution
    ) throws -> Tensor {
        let temb = try conditions(
            timestep: timestep, guidance: nil, pooled: mean(text, lengths))
        var x = try input(text)
        for block in blocks {
            try execution.onProgress?()
            x = try block(x, temb: temb, lengths, execution)
        }
        return x
    }

    /// Mean over each sample's real tokens, `(B, C)`.
    private func mean(_ text: Tensor, _ lengths: TokenLengths) throws -> Tensor {
        let wide = try text.to(.float32)
        guard !lengths.isUniform else { return try wide.mean([1]).to(text.dtype) }
        let means = try lengths.lengths.enumerated().map { sample, length in
            try wide.narrow(0, sample, 1).narrow(1, 0, length).mean([1])
        }
        return try Tensor.cat(means, axis: 0).to(text.dtype)
    }
}

/// Vision tokens at the transformer's width: linear, SiLU, linear.
///
/// Source: official `ClipVisionProjection`.
final class ImageProjection {
    private let up, down: Linear

    init(_ config: TransformerConfig, _ weights: Weights) throws {
        up = try Linear(config.imageSize, 3 * config.hiddenSize, weights["up"])
        down = try Linear(3 * config.hiddenSize, config.hiddenSize, weights["down"])
    }

    /// Maps `(B, I, imageSize)` to `(B, I, C)`.
    func callAsFunction(_ x: Tensor) throws -> Tensor { try down(up(x, then: .silu)) }
}
