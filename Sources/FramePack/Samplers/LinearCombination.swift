/// A weighted sum of latents: how a sampler's update is told to tensor code.
///
/// The result is `sample * x + denoised[0] * newest + denoised[1] * the one before + ...`.
public struct LinearCombination: Equatable, Sendable {
    /// The weight of the latents x that the update begins from.
    public let sample: Double
    /// The weights of the denoised predictions, from the newest to the oldest that is used.
    public let denoised: [Double]

    /// Makes a combination from its weights.
    public init(sample: Double, denoised: [Double]) {
        (self.sample, self.denoised) = (sample, denoised)
    }
}
