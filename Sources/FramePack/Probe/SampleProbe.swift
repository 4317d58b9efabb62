import Foundation
public import Torch

/// A closed form that stands in for the network, so that samplers can be held against a reference.
public enum ClosedForm: String, CaseIterable, Sendable {
    /// denoised(x, sigma) = 0.8 tanh(x) - 0.35 sigma.
    case tanh
    /// velocity(x, sigma) = sin(0.7 x) + 0.35 sigma.
    case sin

    /// The velocity at x, in the shape of x.
    func velocity(_ x: Tensor, _ sigma: Float) throws -> Tensor {
        switch self {
        case .tanh: try (x - (x.tanh() * 0.8 - 0.35 * Double(sigma))) / Double(sigma)
        case .sin: try (x * 0.7).sin() + 0.35 * Double(sigma)
        }
    }
}

/// A sampler on a closed form: the row `sample` of `framepack probe`.
public enum SampleProbe {
    /// Runs a sampler.
    ///
    /// - Parameters:
    ///   - noise: Any shape.
    ///   - sampler: The sampler.
    ///   - schedule: The noise levels.
    ///   - function: What stands in for the network.
    /// - Returns: `result` in the shape of the noise, and with UniPC `denoised`, `(steps, …)`, both
    ///   in float32.
    /// - Throws: `TorchError` where memory does not suffice.
    public static func run(
        noise: Tensor, sampler: SamplerChoice, schedule: FlowSchedule, function: ClosedForm
    ) throws -> [String: Tensor] {
        var denoised: [Tensor] = []
        let result = try sampler.sampler(schedule).sample(noise.to(.float32), dtype: .float32) {
            try function.velocity($0, $1)
        } onStep: {
            denoised.append($0.denoised)
        }
        guard sampler != .euler else { return ["result": result] }
        return ["result": result, "denoised": try .stack(denoised, axis: 0)]
    }
}
