public import Models
public import Torch

/// A denoiser that calls only a part of the transformer in steps in which little changes.
///
/// It stands between the stages of the transformer and holds all state: one for each section, and
/// within it one for each branch of true guidance. What decides is a ``StepCachePolicy``.
public protocol StepCache: Denoiser {
    /// For each call so far, whether the blocks ran.
    var computed: [Bool] { get }

    /// The velocity for a whole input of the transformer.
    ///
    /// - Parameter input: Noisy latents `(B, 16, F, h, w)` with their conditions, in the same shapes
    ///   in every call; the samples of a batch run or skip the blocks together.
    /// - Returns: `(B, 16, F, h, w)` in float32.
    /// - Throws: `ModelError` that names the tensor that does not fit; what the execution's
    ///   `onProgress` throws; `TorchError`, `.outOfMemory` among them.
    func velocity(input: TransformerInput) throws -> Tensor
}

/// mean |now - then| / mean |then|: how much something has changed, 0 or more.
func relativeChange(from then: Tensor, to now: Tensor) throws -> Double {
    let difference = try (now - then).abs().mean()
    return try (difference / then.abs().mean()).to(.cpu, .float32).item()
}
