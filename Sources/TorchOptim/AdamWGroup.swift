import Torch

/// Tensors that take one fused step together.
struct AdamWGroup {
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
