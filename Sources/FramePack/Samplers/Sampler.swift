public import Torch

/// What a sampler tells after each step.
public struct StepReport {
    /// The step, from 0.
    public let step: Int
    /// How many there are.
    public let stepCount: Int
    /// The network's present guess at the clean latents, in the shape of the noise.
    public let denoised: Tensor
}

/// Follows the flow from noise to data.
public protocol Sampler {
    /// The noise levels.
    var schedule: FlowSchedule { get }

    /// Runs all steps.
    ///
    /// - Parameters:
    ///   - noise: Unit Gaussian noise in float32, of any shape; a section's is `(1, 16, F, h, w)`.
    ///   - dtype: The type in which the network gets the latents; predictions begin from the
    ///     rounded latents that it saw.
    ///   - velocity: The network: latents in `dtype` and sigma in, velocity out, all in the shape
    ///     of the noise.
    ///   - onStep: Called after each step; what it throws ends the sampling.
    /// - Returns: Clean latents in float32, in the shape of the noise.
    /// - Throws: What `velocity` and `onStep` throw; `TorchError`, `.outOfMemory` among them.
    func sample(
        _ noise: Tensor, dtype: DType, velocity: (Tensor, Float) throws -> Tensor,
        onStep: (StepReport) throws -> Void
    ) throws -> Tensor
}

extension SamplerChoice {
    /// The sampler of that name.
    public func sampler(_ schedule: FlowSchedule) -> any Sampler {
        switch self {
        case .unipc: UniPCSampler(schedule, variant: .bh1)
        case .unipcBH2: UniPCSampler(schedule, variant: .bh2)
        case .euler: EulerSampler(schedule)
        }
    }
}

/// UniPC over tensors: each step is one call of the network and two weighted sums.
///
/// Source: arXiv 2302.04867; its weights are ``UniPCCoefficients``.
public struct UniPCSampler: Sampler {
    /// The noise levels.
    public let schedule: FlowSchedule
    private let coefficients: UniPCCoefficients

    /// Derives the weights of a schedule.
    public init(_ schedule: FlowSchedule, variant: UniPCCoefficients.Variant = .bh1) {
        self.schedule = schedule
        coefficients = UniPCCoefficients(schedule, variant: variant)
    }

    /// Runs all steps; the result is the last denoised prediction.
    ///
    /// - Parameters:
    ///   - noise: Unit Gaussian noise in float32, of any shape; a section's is `(1, 16, F, h, w)`.
    ///   - dtype: The type in which the network gets the latents.
    ///   - velocity: The network: latents and sigma in, velocity in the same shape out.
    ///   - onStep: Called after each step; what it throws ends the sampling.
    /// - Returns: Clean latents in float32, in the shape of the noise.
    /// - Throws: What `velocity` and `onStep` throw; `TorchError`, `.outOfMemory` among them.
    public func sample(
        _ noise: Tensor, dtype: DType, velocity: (Tensor, Float) throws -> Tensor,
        onStep: (StepReport) throws -> Void
    ) throws -> Tensor {
        var (x, predicted) = (noise, noise)
        var predictions: [Tensor] = []
        for (step, weights) in coefficients.steps.enumerated() {
            let seen = try predicted.to(dtype)
            let v = try velocity(seen, weights.sigma).to(.float32)
            predictions.insert(
                try seen.to(.float32) - v * Double(weights.sigma), at: 0)
            try onStep(
                StepReport(
                    step: step, stepCount: schedule.stepCount, denoised: predictions[0]))
            if let correction = weights.correction {
                x = try correction.applied(to: x, predictions)
            }
            if let prediction = weights.prediction {
                predicted = try prediction.applied(to: x, predictions)
            }
            predictions = Array(predictions.prefix(3))
        }
        return predictions[0]
    }
}

/// Euler's method over tensors, down to sigma 0.
public struct EulerSampler: Sampler {
    /// The noise levels.
    public let schedule: FlowSchedule
    private let coefficients: EulerCoefficients

    /// Derives the weights of a schedule.
    public init(_ schedule: FlowSchedule) {
        self.schedule = schedule
        coefficients = EulerCoefficients(schedule)
    }

    /// Runs all steps; the result is x after the last.
    ///
    /// - Parameters:
    ///   - noise: Unit Gaussian noise in float32, of any shape; a section's is `(1, 16, F, h, w)`.
    ///   - dtype: The type in which the network gets the latents.
    ///   - velocity: The network: latents and sigma in, velocity in the same shape out.
    ///   - onStep: Called after each step; what it throws ends the sampling.
    /// - Returns: Clean latents in float32, in the shape of the noise.
    /// - Throws: What `velocity` and `onStep` throw; `TorchError`, `.outOfMemory` among them.
    public func sample(
        _ noise: Tensor, dtype: DType, velocity: (Tensor, Float) throws -> Tensor,
        onStep: (StepReport) throws -> Void
    ) throws -> Tensor {
        var x = noise
        for (step, weights) in coefficients.steps.enumerated() {
            let seen = try x.to(dtype)
            let v = try velocity(seen, weights.sigma).to(.float32)
            let denoised = try seen.to(.float32) - v * Double(weights.sigma)
            try onStep(
                StepReport(step: step, stepCount: schedule.stepCount, denoised: denoised))
            x = try x + v * weights.velocityWeight
        }
        return x
    }
}

extension LinearCombination {
    /// The weighted sum of x and the newest predictions, newest first.
    func applied(to x: Tensor, _ predictions: [Tensor]) throws -> Tensor {
        try zip(denoised, predictions).reduce(x * sample) { try $0 + $1.1 * $1.0 }
    }
}
