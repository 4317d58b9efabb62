import Foundation

/// The weights of the multistep sampler UniPC, for every step of a schedule.
///
/// With lambda = -ln sigma, and the scale of the signal taken as 1, the flow's exact solution over
/// a step of length h in lambda is
/// `x(t) = e^(-h) x(s) + integral from 0 to 1 of h e^(-h (1 - u)) m(u) du`,
/// m being the denoised prediction along the step. UniPC puts a polynomial through the predictions
/// at hand: its values at nodes r, where r = 0 is the step's begin, r = 1 its end, and earlier
/// evaluations lie below 0. Weights w on the differences to the prediction at 0 follow from
/// matching the moments, `sum of w r^k = J_k` with `J_k = integral of h e^(-h (1 - u)) u^k du`.
/// Where there is one difference only, the paper's simplified weight is used: half of B(h).
///
/// Source: arXiv 2302.04867, sections 3.1 to 3.3 (predictor UniP, corrector UniC, data prediction).
/// Differs from the paper: the last steps keep their order, as in FramePack's sampler.
public struct UniPCCoefficients: Equatable, Sendable {
    /// The function B(h) of the paper.
    public enum Variant: String, Codable, Sendable, CaseIterable {
        /// B(h) = h, the reference's choice.
        case bh1
        /// B(h) = e^h - 1; with h counted backwards, 1 - e^(-h).
        case bh2

        func weight(_ h: Double) -> Double {
            switch self {
            case .bh1: h
            case .bh2: -expm1(-h)
            }
        }
    }

    /// One call of the network, and what its prediction is used for.
    public struct Step: Equatable, Sendable {
        /// The noise level of the call.
        public let sigma: Float
        /// Replaces the predicted x of this step, now that the network was called there; begins
        /// from the corrected x of the step before.
        ///
        /// Nil in the first step.
        public let correction: LinearCombination?
        /// Predicts the x of the next step from the corrected x of this one.
        ///
        /// Nil in the last step, whose denoised prediction is the result.
        public let prediction: LinearCombination?
    }

    /// The steps, one for each call of the network.
    ///
    /// In every step: call the network on the predicted x, which gives the newest denoised
    /// prediction; apply `correction` to the x before; apply `prediction` to what that gave.
    public let steps: [Step]

    /// Derives the weights of a schedule.
    ///
    /// - Parameters:
    ///   - schedule: Noise levels that fall at each step; its last level, 0, is never reached.
    ///   - variant: The function B(h).
    ///   - order: The highest order; no more than one less than the steps is used.
    public init(_ schedule: FlowSchedule, variant: Variant = .bh1, order: Int = 3) {
        let sigmas = schedule.sigmas.dropLast()
        let lambdas = sigmas.map { -log(Double($0)) }
        let highest = min(order, schedule.stepCount - 1)
        /// Weights to get from step `from` to the next, with the prediction there if `corrects`.
        func weights(from: Int, corrects: Bool) -> LinearCombination {
            Self.weights(
                lambdas, from: from, order: min(highest, from + 1), variant: variant,
                corrects: corrects)
        }
        steps = sigmas.enumerated().map { step, sigma in
            Step(
                sigma: sigma,
                correction: step > 0 ? weights(from: step - 1, corrects: true) : nil,
                prediction: step + 1 < sigmas.count ? weights(from: step, corrects: false) : nil)
        }
    }

    /// The weights of one update.
    ///
    /// - Parameters:
    ///   - lambdas: -ln sigma of every step.
    ///   - from: The step where the update begins; it ends at the next.
    ///   - order: How many earlier evaluations it uses, the one at its begin included.
    ///   - variant: The function B(h).
    ///   - corrects: Whether the prediction at its end is known and used.
    private static func weights(
        _ lambdas: [Double], from: Int, order: Int, variant: Variant, corrects: Bool
    ) -> LinearCombination {
        let h = lambdas[from + 1] - lambdas[from]
        precondition(h > 0, "noise levels fall from step to step")
        let earlier = (1..<max(order, 1)).map { (lambdas[from - $0] - lambdas[from]) / h }
        let nodes = (corrects ? [1] : []) + earlier
        let differences =
            nodes.count == 1
            ? [variant.weight(h) / 2 / nodes[0]] : momentWeights(nodes: nodes, h: h)
        let atBegin = -expm1(-h) - differences.reduce(0, +)
        let denoised =
            corrects
            ? [differences[0], atBegin] + differences.dropFirst() : [atBegin] + differences
        return LinearCombination(sample: exp(-h), denoised: denoised)
    }

    /// Solves `sum over i of w[i] nodes[i]^k = J_k`, with one equation for each node.
    private static func momentWeights(nodes: [Double], h: Double) -> [Double] {
        let count = nodes.count
        var rows = (1...max(count, 1)).prefix(count).map { power in
            nodes.map { pow($0, Double(power)) } + [moment(power, h)]
        }
        for pivot in 0..<count {
            let best = (pivot..<count).max { abs(rows[$0][pivot]) < abs(rows[$1][pivot]) } ?? pivot
            rows.swapAt(pivot, best)
            for row in 0..<count where row != pivot {
                let factor = rows[row][pivot] / rows[pivot][pivot]
                rows[row] = zip(rows[row], rows[pivot]).map { $0 - factor * $1 }
            }
        }
        return (0..<count).map { rows[$0][count] / rows[$0][$0] }
    }

    /// J_k, the integral of `h e^(-h (1 - u)) u^k` over u from 0 to 1.
    private static func moment(_ k: Int, _ h: Double) -> Double {
        // Integration by parts loses its digits at small h, the power series at large h.
        guard h < 1 else {
            return (0..<k).reduce(-expm1(-h)) { 1 - Double($1 + 1) / h * $0 }
        }
        var (term, sum) = (h / Double(k + 1), 0.0)
        for n in 2...24 {
            sum += term
            term *= -h / Double(k + n)
        }
        return sum
    }
}
