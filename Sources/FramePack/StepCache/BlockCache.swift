public import Models
public import Torch

/// A step cache that adds what the transformer's blocks added the last time they ran: TeaCache,
/// MagCache and the first-block cache, which differ in what they watch and in their policies.
///
/// Source: arXiv 2411.19108 and `forward` in `diffusers_helper/models/hunyuan_video_packed.py`
/// (TeaCache); arXiv 2506.09045 (MagCache); ParaAttention (first-block cache).
public final class BlockCache: StepCache {
    /// What is measured in each step.
    enum Watched {
        /// Nothing: the policy knows enough.
        case nothing
        /// The first block's modulated input, against the step before.
        case input
        /// What the first block adds, against the last step in which all ran.
        case firstBlock
    }

    private let denoiser: TransformerDenoiser
    private let watched: Watched
    private var policy: any StepCachePolicy
    private var signal: Tensor?
    private var residual: Tensor?
    /// For each call so far, whether the blocks ran.
    public private(set) var computed: [Bool] = []

    private init(_ denoiser: TransformerDenoiser, _ watched: Watched, _ policy: any StepCachePolicy)
    {
        (self.denoiser, self.watched, self.policy) = (denoiser, watched, policy)
    }

    /// TeaCache, for one branch of one section.
    public static func teaCache(_ denoiser: TransformerDenoiser, _ policy: TeaCachePolicy)
        -> BlockCache
    { BlockCache(denoiser, .input, policy) }

    /// MagCache, for one branch of one section.
    public static func magCache(_ denoiser: TransformerDenoiser, _ policy: MagCachePolicy)
        -> BlockCache
    { BlockCache(denoiser, .nothing, policy) }

    /// The first-block cache, for one branch of one section.
    public static func firstBlock(_ denoiser: TransformerDenoiser, _ policy: FirstBlockPolicy)
        -> BlockCache
    { BlockCache(denoiser, .firstBlock, policy) }

    /// The velocity, with the blocks' part from an earlier step where it will do.
    ///
    /// - Parameters:
    ///   - x: Noisy latents, `(1, 16, F, h, w)`, in the same shape in every call.
    ///   - sigma: The noise level in [0, 1].
    ///   - context: The history and the places of the F latents, the same in every call.
    ///   - prompt: What the prompt and the picture say, for one sample.
    /// - Returns: `(1, 16, F, h, w)` in float32.
    /// - Throws: `ModelError` that names the tensor that does not fit; what the execution's
    ///   `onProgress` throws; `TorchError`, `.outOfMemory` among them.
    public func velocity(
        _ x: Tensor, sigma: Float, context: SectionContext, prompt: Conditioning
    ) throws -> Tensor {
        try velocity(input: denoiser.input(x, sigma: sigma, context: context, prompt: prompt))
    }

    /// The velocity for a whole input of the transformer.
    ///
    /// - Parameter input: Noisy latents `(B, 16, F, h, w)` with their conditions; the samples of a
    ///   batch run or skip the blocks together.
    /// - Returns: `(B, 16, F, h, w)` in float32.
    /// - Throws: `ModelError` that names the tensor that does not fit; what the execution's
    ///   `onProgress` throws; `TorchError`, `.outOfMemory` among them.
    public func velocity(input: TransformerInput) throws -> Tensor {
        let transformer = denoiser.transformer
        var streams = try denoiser.embed(input)
        let now = try measure(&streams)
        let change = try now.flatMap { now in
            try signal.map { try relativeChange(from: $0, to: now) }
        }
        let wanted = policy.computes(step: computed.count, change: change)
        guard !wanted, let residual else {
            return try compute(streams, signal: now)
        }
        computed.append(false)
        // TeaCache compares each step with the one before it, whether that was computed or not.
        if watched == .input { signal = now }
        streams.x = try ownTokens(streams) + residual
        return try transformer.head(streams)
    }

    /// What is watched in this step; the first block is run where it is that.
    private func measure(_ streams: inout TokenStreams) throws -> Tensor? {
        switch watched {
        case .nothing: return nil
        case .input: return try denoiser.transformer.stepCacheSignal(streams)
        case .firstBlock:
            // The context's tokens do not run in every step where they are reused.
            let isReused = denoiser.contextRefresh != nil
            func tokens() throws -> Tensor { isReused ? try ownTokens(streams) : streams.x }
            let before = try tokens()
            streams = try denoiser.run(blocks: 0..<1, on: streams)
            return try tokens() - before
        }
    }

    /// The section's own tokens, `(B, L, C)`: all that the head reads.
    private func ownTokens(_ streams: TokenStreams) throws -> Tensor {
        try streams.sectionTokens(patchSize: denoiser.transformer.config.patchSize)
    }

    /// Runs the blocks that did not run yet, and keeps what they add.
    private func compute(_ streams: TokenStreams, signal now: Tensor?) throws -> Tensor {
        computed.append(true)
        signal = now
        let transformer = denoiser.transformer
        let first = watched == .firstBlock ? 1 : 0
        let result = try denoiser.run(blocks: first..<transformer.blockCount, on: streams)
        residual = try ownTokens(result) - ownTokens(streams)
        return try transformer.head(result)
    }
}
