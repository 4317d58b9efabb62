/// The weights of Euler's method on the flow: x moves by its velocity times the change of sigma.
public struct EulerCoefficients: Equatable, Sendable {
    /// One step: the network is called at `sigma`, then `x + velocityWeight * velocity` is next.
    public struct Step: Equatable, Sendable {
        /// The noise level of the call.
        public let sigma: Float
        /// The change of sigma, below 0.
        public let velocityWeight: Double

        /// The same update from the denoised prediction, which is `x - sigma * velocity`.
        public var update: LinearCombination {
            let slope = velocityWeight / Double(sigma)
            return LinearCombination(sample: 1 + slope, denoised: [-slope])
        }
    }

    /// The steps; the result is x after the last, which ends at sigma 0.
    public let steps: [Step]

    /// Derives the weights of a schedule.
    public init(_ schedule: FlowSchedule) {
        steps = zip(schedule.sigmas, schedule.sigmas.dropFirst()).map { sigma, next in
            Step(sigma: sigma, velocityWeight: Double(next - sigma))
        }
    }
}
