public import Torch
public import TorchNN

/// Adam with decoupled weight decay.
///
/// Weights may be in bfloat16: everything is computed in float32, with moments in float32, and the
/// result is rounded at random, up or down by how near either is, so that small steps are not lost.
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
    private let roundsStochastically: Bool
    private let decaying: (Parameter) -> Bool
    private let rates: (Parameter) -> Double
    private let moments: [(first: Tensor, second: Tensor, step: Tensor)]

    /// Prepares the state.
    ///
    /// - Parameters:
    ///   - parameters: What is trained, in float32 or bfloat16.
    ///   - learningRate: The step size.
    ///   - betas: How much of the first and second moments each step keeps, in [0, 1).
    ///   - eps: Added to the root of the second moments.
    ///   - weightDecay: Fraction of the step size by which weights shrink.
    ///   - roundsStochastically: Whether results in bfloat16 are rounded at random instead of to the
    ///     nearest.
    ///   - decaying: Which weights shrink; unless told, vectors such as biases and norms do not.
    ///   - rates: What the step size is multiplied by for a parameter; 1 unless told.
    /// - Throws: `OptimizerError` that names a parameter of another type.
    public init(
        _ parameters: [Parameter], learningRate: Double, betas: (Double, Double) = (0.9, 0.999),
        eps: Double = 1e-8, weightDecay: Double = 0.01, roundsStochastically: Bool = true,
        decaying: @escaping (Parameter) -> Bool = { $0.value.rank > 1 },
        rates: @escaping (Parameter) -> Double = { _ in 1 }
    ) throws {
        try checkTypes(parameters.map { ($0.name, $0.value.dtype) }, of: "AdamW")
        self.parameters = parameters
        self.learningRate = learningRate
        self.betas = betas
        self.eps = eps
        self.weightDecay = weightDecay
        self.roundsStochastically = roundsStochastically
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
            for (index, parameter) in parameters.enumerated() {
                guard let gradient = try parameter.value.gradient() else { continue }
                let kind = AdamWGroup.Kind(decays: decaying(parameter), rate: rates(parameter))
                if parameter.value.dtype == .float32 {
                    groups[kind, default: AdamWGroup()].add(
                        parameter.value, gradient, moments[index])
                } else {
                    try change(parameter, gradient, kind, index)
                }
            }
            for (kind, group) in groups { try step(group, kind) }
        }
    }

    /// One parameter of 16 bits, by way of float32; one at a time, so that only one has a copy.
    private func change(
        _ parameter: Parameter, _ gradient: Tensor, _ kind: AdamWGroup.Kind, _ index: Int
    ) throws {
        let stored = StoredWeight(
            tensor: try parameter.value.detach(), roundsStochastically: roundsStochastically)
        let value = try stored.value()
        var group = AdamWGroup()
        group.add(value, try gradient.to(.float32), moments[index])
        try step(group, kind)
        try stored.set(value, step: moments[index].step.item(), index: index)
    }

    private func step(_ group: AdamWGroup, _ kind: AdamWGroup.Kind) throws {
        try group.step(
            learningRate: learningRate * kind.rate, betas: betas, eps: eps,
            weightDecay: kind.decays ? weightDecay : 0)
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
