import Foundation

/// The noise levels of a flow-matching sampler.
///
/// Source: `get_flux_sigmas_from_mu` and `calculate_flux_mu` in
/// `diffusers_helper/pipelines/k_diffusion_hunyuan.py`; the shift after arXiv 2403.03206.
public struct FlowSchedule: Equatable, Sendable {
    /// Noise levels from 1 down to 0, one more than there are steps.
    public let sigmas: [Float]

    /// Steps of the sampler, each one call of the network.
    public var stepCount: Int { sigmas.count - 1 }

    /// The largest shift that the official rule gives, reached at 8,798 tokens.
    public static let largestShift = 7.0

    /// Makes the schedule of a section.
    ///
    /// sigma(t) = s / (s + 1/t - 1) for t from 1 to 0 in equal steps, with s the shift. It is
    /// computed in Float32, operation by operation as the reference does.
    ///
    /// - Parameters:
    ///   - tokenCount: Tokens of the generated latents alone, F·h·w/4.
    ///   - stepCount: Steps, 1 or more.
    ///   - shift: The shift s, above 0; nil for the official rule.
    public init(tokenCount: Int, stepCount: Int, shift: Double? = nil) {
        precondition(stepCount >= 1, "a schedule has at least one step")
        let shift = Float(shift ?? Self.shift(tokenCount: tokenCount))
        let spacing = -1 / Float(stepCount)
        sigmas = (0...stepCount).map { step in
            // Both halves are counted from their own end, as torch.linspace does.
            let t =
                step < (stepCount + 1) / 2
                ? 1 + spacing * Float(step) : -spacing * Float(stepCount - step)
            return shift / (shift + (1 / t - 1))
        }
    }

    /// The official shift: its logarithm is linear in the tokens through (256, 0.5) and
    /// (4096, 1.15), capped at ln 7.
    ///
    /// - Parameter tokenCount: Tokens of the generated latents alone.
    /// - Returns: The shift, from 1.58 to 7.
    public static func shift(tokenCount: Int) -> Double {
        let slope = (1.15 - 0.5) / (4096.0 - 256.0)
        let logarithm = slope * Double(tokenCount) + (0.5 - slope * 256)
        return exp(min(logarithm, log(largestShift)))
    }
}
