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
    private let name: String

    /// Builds a block from its weights.
    ///
    /// - Parameters:
    ///   - config: The sizes.
    ///   - weights: The scope `transformer_blocks.<i>` of a checkpoint.
    /// - Throws: What the weights' source throws for a missing or misshapen weight.
    public init(_ config: TransformerConfig, _ weights: Weights) throws {
        let (size, inner) = (config.hiddenSize, config.feedForwardSize)
        name = weights.prefix
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
        let y = try attended(x, context, modulation[0], modulationContext[0], conditions)
        let execution = conditions.execution
        return (
            try finish(x, y.x, modulation, feedForward, execution),
            try finish(context, y.context, modulationContext, feedForwardContext, execution)
        )
    }

    /// What attention gives both streams.
    ///
    /// Normalised tokens, then heads, go as soon as they are used.
    private func attended(
        _ x: Tensor, _ context: Tensor, _ modulation: Modulation, _ modulationContext: Modulation,
        _ conditions: BlockConditions
    ) throws -> (x: Tensor, context: Tensor) {
        func joined() throws -> Tensor {
            let (q, k, v) = try attention.heads(
                modulation(x, norm), context: modulationContext(context, norm), conditions)
            return try attention.attended(q, k, v, conditions)
        }
        return try attention.outputs(joined(), videoCount: x.dim(1))
    }

    /// Passes the section's own tokens through attention and feed-forward, where the context is reused.
    ///
    /// - Parameters:
    ///   - x: The section's own tokens, `(B, L, C)`.
    ///   - conditions: What all blocks of the pass share, for B samples and these tokens.
    /// - Returns: `(B, L, C)`.
    func callAsFunction(_ x: Tensor, _ conditions: BlockConditions) throws -> Tensor {
        let modulation = try norm1(conditions)
        let y = try attention(modulation[0](x, norm), conditions)
        return try finish(x, y, modulation, feedForward, conditions.execution)
    }

    /// Adds attention's result to a stream, then its feed-forward.
    private func finish(
        _ x: Tensor, _ y: Tensor, _ modulation: [Modulation], _ feedForward: FeedForward,
        _ execution: Execution
    ) throws -> Tensor {
        let x = try modulation[0].add(y, to: x)
        return try execution.mapTokens([x]) { [norm] part in
            try modulation[1].add(feedForward(modulation[1](part[0], norm)), to: part[0])
        }
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

    /// What the names of weights begin with that serve the text alone.
    var textPrefixes: [String] {
        attention.textPrefixes + ["\(name)ff_context.", "\(norm1Context.linear.name)."]
    }

    /// The layers whose results depend on nothing but the conditions.
    var modulations: [Linear] { [norm1.linear, norm1Context.linear] }
}
