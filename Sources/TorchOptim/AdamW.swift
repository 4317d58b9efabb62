public import Torch
public import TorchNN

/// Adam with decoupled weight decay.
///
/// Source: Loshchilov and Hutter (arXiv:1711.05101); the numbers of torch's `AdamW`.
public final class AdamW: Optimizer {
    /// What is trained.
    public let parameters: [Parameter]
    /// The step size.
    public var learningRate: Double
    private let betas: (Double, Double)
    private let eps: Double
    private let weightDecay: Double
    private let decaying: (Parameter) -> Bool
    private let moments: [(first: Tensor, second: Tensor, step: Tensor)]

    /// Prepares the state for parameters in float32.
    ///
    /// - Parameters:
    ///   - betas: How much of the first and second moments each step keeps, in [0, 1).
    ///   - eps: Added to the root of the second moments.
    ///   - weightDecay: Fraction of the step size by which weights shrink.
    ///   - decaying: Which weights shrink; unless told, vectors such as biases and norms do not.
    /// - Throws: `OptimizerError` that names a parameter of another type.
    public init(
        _ parameters: [Parameter], learningRate: Double, betas: (Double, Double) = (0.9, 0.999),
        eps: Double = 1e-8, weightDecay: Double = 0.01,
        decaying: @escaping (Parameter) -> Bool = { $0.value.rank > 1 }
    ) throws {
        if let other = parameters.first(where: { $0.value.dtype != .float32 }) {
            throw OptimizerError(
                """
                AdamW changes parameters in float32, and \(other.name) is \(other.value.dtype); \
                keep the weights in float32, or use Adafactor
                """)
        }
        self.parameters = parameters
        self.learningRate = learningRate
        self.betas = betas
        self.eps = eps
        self.weightDecay = weightDecay
        self.decaying = decaying
        moments = try parameters.map {
            let value = try $0.value.detach()
            return (
                try value.zerosLike(dtype: .float32), try value.zerosLike(dtype: .float32),
                try Tensor.zeros([], device: value.device)
            )
        }
    }

    /// One step; parameters without a gradient stay as they are.
    public func step() throws {
        try withoutGradients {
            for decays in [true, false] {
                var group = AdamWGroup()
                for (parameter, moment) in zip(parameters, moments)
                where decaying(parameter) == decays {
                    guard let gradient = try parameter.value.gradient() else { continue }
                    group.values.append(parameter.value)
                    group.gradients.append(gradient)
                    group.first.append(moment.first)
                    group.second.append(moment.second)
                    group.steps.append(moment.step)
                }
                try group.step(
                    learningRate: learningRate, betas: betas, eps: eps,
                    weightDecay: decays ? weightDecay : 0)
            }
        }
    }

    /// Both moments and the step count of each parameter.
    public func state() throws -> [String: Tensor] {
        var state: [String: Tensor] = [:]
        for (parameter, moment) in zip(parameters, moments) {
            state["\(parameter.name).first"] = moment.first
            state["\(parameter.name).second"] = moment.second
            state["\(parameter.name).step"] = moment.step
        }
        return state
    }

    /// Continues from a stored state.
    public func setState(_ state: [String: Tensor]) throws {
        try restore(state, into: self.state())
    }
}

/// Tensors that take one fused step together.
private struct AdamWGroup {
    var values: [Tensor] = []
    var gradients: [Tensor] = []
    var first: [Tensor] = []
    var second: [Tensor] = []
    var steps: [Tensor] = []

    func step(
        learningRate: Double, betas: (Double, Double), eps: Double, weightDecay: Double
    ) throws {
        guard !values.isEmpty else { return }
        for step in steps { try step.addInPlace(.full([], 1, device: step.device)) }
        try fusedAdamW(
            values, gradients: gradients, firstMoments: first, secondMoments: second, steps: steps,
            learningRate: learningRate, betas: betas, eps: eps, weightDecay: weightDecay)
    }
}
