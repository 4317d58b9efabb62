public import Torch
public import TorchNN

/// A block in which video and text keep weights of their own and meet in attention.
///
/// Source: HunyuanVideo (arXiv:2412.03603), section 4.2; diffusers
/// `HunyuanVideoTransformerBlock`.
public final class DoubleStreamBlock {
    private let norm1, norm1Context: AdaLayerNormZero
    private let attention: JointAttention
    private let feedForward, feedForwardContext: FeedForward
    private let norm: LayerNorm

    /// Builds a block from its weights.
    ///
    /// - Parameters:
    ///   - config: The sizes.
    ///   - weights: The scope `transformer_blocks.<i>` of a checkpoint.
    /// - Throws: What the weights' source throws for a missing or misshapen weight.
    public init(_ config: TransformerConfig, _ weights: Weights) throws {
        let (size, inner) = (config.hiddenSize, config.feedForwardSize)
        norm1 = try AdaLayerNormZero(size, branchCount: 2, weights["norm1"])
        norm1Context = try AdaLayerNormZero(size, branchCount: 2, weights["norm1_context"])
        attention = try JointAttention(config, weights["attn"])
        feedForward = try FeedForward(size, inner, .gelu(.tanh), weights["ff"])
        feedForwardContext = try FeedForward(size, inner, .gelu(.tanh), weights["ff_context"])
        norm = LayerNorm(size)
    }

    /// Passes both streams through attention and feed-forward.
    ///
    /// - Parameters:
    ///   - x: Video tokens, `(B, L, C)`.
    ///   - context: Text tokens, `(B, T, C)`.
    ///   - conditions: What all blocks of the pass share, for B samples.
    /// - Returns: Both streams, in the shapes they came in.
    /// - Throws: What `onProgress` of the conditions' execution throws; `TorchError`,
    ///   `.outOfMemory` among them.
    public func callAsFunction(_ x: Tensor, context: Tensor, _ conditions: BlockConditions) throws
        -> (x: Tensor, context: Tensor)
    {
        let modulation = try norm1(conditions)
        let modulationContext = try norm1Context(conditions)
        var (x, context) = (x, context)

        let y = try attention(
            modulation[0](x, norm), context: modulationContext[0](context, norm), conditions)
        x = try modulation[0].add(y.x, to: x)
        context = try modulationContext[0].add(y.context, to: context)

        let mapTokens = conditions.execution.mapTokens
        x = try mapTokens([x]) { [norm, feedForward] part in
            try modulation[1].add(feedForward(modulation[1](part[0], norm)), to: part[0])
        }
        context = try mapTokens([context]) { [norm, feedForwardContext] part in
            try modulationContext[1].add(
                feedForwardContext(modulationContext[1](part[0], norm)), to: part[0])
        }
        return (x, context)
    }

    /// The video tokens as the block's attention sees them, which is what TeaCache watches.
    ///
    /// - Parameters:
    ///   - x: Video tokens, `(B, L, C)`.
    ///   - conditions: What all blocks of the pass share, for B samples.
    /// - Returns: `(B, L, C)`.
    /// - Throws: `TorchError`, `.outOfMemory` among them.
    public func attentionInput(_ x: Tensor, _ conditions: BlockConditions) throws -> Tensor {
        try norm1(conditions)[0](x, norm)
    }

    /// The layers whose results depend on nothing but the conditions.
    var modulations: [Linear] { [norm1.linear, norm1Context.linear] }
}
