public import Torch
public import TorchNN

/// A block in which video and text share weights, attention and feed-forward side by side.
///
/// Source: HunyuanVideo (arXiv:2412.03603), section 4.2; diffusers
/// `HunyuanVideoSingleTransformerBlock`.
public final class SingleStreamBlock {
    private let norm: LayerNorm
    private let modulation: AdaLayerNormZero
    private let heads: HeadProjections
    private let up, down: Linear
    private let name: String

    /// Builds a block from its weights.
    ///
    /// - Parameters:
    ///   - config: The sizes.
    ///   - weights: The scope `single_transformer_blocks.<i>` of a checkpoint.
    /// - Throws: What the weights' source throws for a missing or misshapen weight.
    public init(_ config: TransformerConfig, _ weights: Weights) throws {
        let (size, inner) = (config.hiddenSize, config.feedForwardSize)
        name = weights.prefix
        norm = LayerNorm(size)
        modulation = try AdaLayerNormZero(size, branchCount: 1, weights["norm"])
        heads = try HeadProjections(config, .video, weights["attn"])
        up = try Linear(size, inner, weights["proj_mlp"])
        down = try Linear(size + inner, size, weights["proj_out"])
    }

    /// Passes the joined streams through attention and feed-forward.
    ///
    /// - Parameters:
    ///   - x: Video tokens, then text tokens, `(B, N, C)`; where the context is reused, the section's
    ///     own tokens alone.
    ///   - conditions: What all blocks of the pass share, for B samples.
    /// - Returns: The tokens in the shape they came in.
    /// - Throws: What `onProgress` of the conditions' execution throws; `TorchError`,
    ///   `.outOfMemory` among them.
    public func callAsFunction(_ x: Tensor, _ conditions: BlockConditions) throws -> Tensor {
        let modulation = try modulation(conditions)[0]
        // The normalised tokens live for the projections alone; feed-forward makes its own, piece by
        // piece, so that attention has their room.
        let (q, ownKeys, ownValues) = try heads(modulation(x, norm), conditions.rotary)
        try conditions.keep(name, ownKeys, ownValues)
        let (k, v) = try conditions.joined(name, ownKeys, ownValues)
        let y = try attend(q, k, v, conditions.lengths, conditions.execution)
        return try conditions.execution.mapTokens([x, y]) { [up, down, norm] parts in
            let inner = try up(modulation(parts[0], norm), then: .gelu(.tanh))
            return try modulation.add(down(.cat([parts[1], inner], axis: -1)), to: parts[0])
        }
    }
    /// The layers whose results depend on nothing but the conditions.
    var modulations: [Linear] { [modulation.linear] }
}
