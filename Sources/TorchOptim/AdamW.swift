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
    private let rates: (Parameter) -> Double
    private let moments: [(first: Tensor, second: Tensor, step: Tensor)]

    /// Prepares the state for parameters in float32.
    ///
    /// - Parameters:
    ///   - betas: How much of the first and second moments each step keeps, in [0, 1).
    ///   - eps: Added to the root of the second moments.
    ///   - weightDecay: Fraction of the step size by which weights shrink.
    ///   - decaying: Which weights shrink; unless told, vectors such as biases and norms do not.
    ///   - rates: What the step size is multiplied by for a parameter; 1 unless told.
    /// - Throws: `OptimizerError` that names a parameter of another type.
    public init(
        _ parameters: [Parameter], learningRate: Double, betas: (Double, Double) = (0.9, 0.999),
        eps: Double = 1e-8, weightDecay: Double = 0.01,
        decaying: @escaping (Parameter) -> Bool = { $0.value.rank > 1 },
        rates: @escaping (Parameter) -> Double = { _ in 1 }
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
        self.rates = rates
        moments = try parameters.map {
            let value = try $0.value.detach()
            return (
                try value.zerosLike(dtype: .float32), try value.zerosLike(dtype: .float32),
                try Tensor.zeros([], device: value.device)
            )
        }
    }

    /// One step; parameters without a gradient stay as they are.
    ///
    /// - Throws: `TorchError` where memory does not suffice.
    public func step() throws {
        try withoutGradients {
            var groups: [AdamWGroup.Kind: AdamWGroup] = [:]
            for (parameter, moment) in zip(parameters, moments) {
                guard let gradient = try parameter.value.gradient() else { continue }
                let kind = AdamWGroup.Kind(decays: decaying(parameter), rate: rates(parameter))
                groups[kind, default: AdamWGroup()].add(parameter.value, gradient, moment)
            }
            for (kind, group) in groups {
                try group.step(
                    learningRate: learningRate * kind.rate, betas: betas, eps: eps,
                    weightDecay: kind.decays ? weightDecay : 0)
            }
        }
    }

    /// Both moments and the step count of each parameter.
    ///
    /// For each parameter `name` there are `name.first` and `name.second`, in its shape, and
    /// `name.step`, one number without axes, all in float32 on its device. They are the optimizer's
    /// own tensors, which later steps change.
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
    ///
    /// - Parameter state: What ``state()`` gave, copied over the optimizer's own; further keys are
    ///   passed over.
    /// - Throws: `OptimizerError` that names a key that is missing or has another shape; nothing is
    ///   changed then.
    public func setState(_ state: [String: Tensor]) throws {
        try restore(state, into: self.state())
    }
}

/// Tensors that take one fused step together.
private struct AdamWGroup {
    /// What its parameters share.
    struct Kind: Hashable {
        let decays: Bool
        let rate: Double
    }

    var values: [Tensor] = []
    var gradients: [Tensor] = []
    var first: [Tensor] = []
    var second: [Tensor] = []
    var steps: [Tensor] = []

    mutating func add(
        _ value: Tensor, _ gradient: Tensor, _ moment: (first: Tensor, second: Tensor, step: Tensor)
    ) {
        values.append(value)
        gradients.append(gradient)
        first.append(moment.first)
        second.append(moment.second)
        steps.append(moment.step)
    }

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
