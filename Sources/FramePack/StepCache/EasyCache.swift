public import Models
public import Torch

/// A step cache that adds to the latents what the whole network added the last time it ran: EasyCache.
///
/// A skipped step calls nothing of the transformer.
///
/// Source: arXiv 2507.02860; `EasyCache4HunyuanVideo`.
public final class EasyCache: StepCache {
    /// A step in which the network ran.
    private struct Computed {
        let latents: Tensor
        let velocity: Tensor
    }

    private let denoiser: TransformerDenoiser
    private var policy: EasyCachePolicy
    private var latents: Tensor?
    private var last: Computed?
    /// mean |change of the velocity| / mean |change of the latents| between computed steps.
    private var rate: Double?
    /// For each call so far, whether the network ran.
    public private(set) var computed: [Bool] = []

    /// Makes the cache of one branch of one section.
    public init(_ denoiser: TransformerDenoiser, _ policy: EasyCachePolicy) {
        (self.denoiser, self.policy) = (denoiser, policy)
    }

    /// The velocity, from an earlier step's where that will do.
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
    ///   batch are computed or skipped together.
    /// - Returns: `(B, 16, F, h, w)` in float32.
    /// - Throws: `ModelError` that names the tensor that does not fit; what the execution's
    ///   `onProgress` throws; `TorchError`, `.outOfMemory` among them.
    public func velocity(input: TransformerInput) throws -> Tensor {
        let now = try input.latents.to(.float32)
        let change = try foretoldChange(to: now)
        latents = now
        let wanted = policy.computes(step: computed.count, change: change)
        guard !wanted, let last else { return try compute(input, now) }
        computed.append(false)
        return try now + (last.velocity - last.latents)
    }

    /// The change of the velocity since the step before, in units of the velocity itself.
    private func foretoldChange(to now: Tensor) throws -> Double? {
        guard let rate, let latents, let last else { return nil }
        let change = try (now - latents).abs().mean() / last.velocity.abs().mean()
        return try rate * change.to(.cpu, .float32).item()
    }

    private func compute(_ input: TransformerInput, _ now: Tensor) throws -> Tensor {
        computed.append(true)
        let velocity = try denoiser.velocity(input: input)
        if let last {
            let answer = try (velocity - last.velocity).abs().mean()
            rate = try (answer / (now - last.latents).abs().mean()).to(.cpu, .float32).item()
        }
        last = Computed(latents: now, velocity: velocity)
        return velocity
    }
}
