public import Models
public import Torch

/// A denoiser that skips the transformer's blocks where their input has hardly changed.
///
/// It stands between the stages of the transformer and holds all state: one for each section, and
/// within it one for each branch of true guidance. A skipped step adds what the blocks added the
/// last time they ran.
///
/// Source: arXiv 2411.19108; `forward` in `diffusers_helper/models/hunyuan_video_packed.py`.
public final class TeaCache: Denoiser {
    private let denoiser: TransformerDenoiser
    private var policy: TeaCachePolicy
    private var signal: Tensor?
    private var residual: Tensor?
    /// For each call so far, whether the blocks ran.
    public private(set) var computed: [Bool] = []

    /// Makes the cache of one branch of one section.
    ///
    /// - Parameters:
    ///   - denoiser: The transformer.
    ///   - threshold: The sum of estimated changes at which the blocks run, 0 to 1.
    ///   - stepCount: The section's steps.
    public init(_ denoiser: TransformerDenoiser, threshold: Double, stepCount: Int) {
        self.denoiser = denoiser
        policy = TeaCachePolicy(threshold: threshold, stepCount: stepCount)
    }

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
        var streams = try transformer.embed(input, denoiser.execution)
        let now = try transformer.stepCacheSignal(streams)
        let computes = policy.computes(step: computed.count, change: try change(to: now))
        signal = now
        computed.append(computes)
        if !computes, let residual {
            streams.x = try streams.x + residual
            return try transformer.head(streams)
        }
        let before = streams.x
        streams = try transformer.run(blocks: 0..<transformer.blockCount, on: streams)
        residual = try streams.x - before
        return try transformer.head(streams)
    }

    /// mean |now - before| / mean |before|; nil in the first step.
    private func change(to now: Tensor) throws -> Double? {
        guard let signal else { return nil }
        let difference = try (now - signal).abs().mean()
        return try (difference / signal.abs().mean()).to(.cpu, .float32).item()
    }
}
