import FramePack
package import ToyWorld

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension FineTuningConfig.NoiseSettings {
    /// The noise level of one sample, in [0, 1].
    ///
    /// What is drawn is spread evenly over the timesteps from the least to the greatest.
    /// Source: musubi-tuner, `get_noisy_model_input_and_timesteps`.
    package func level(_ random: inout SplitMix64) -> Double {
        let uniform = Double.random(in: 0..<1, using: &random)
        let level: Double
        switch sampling {
        case .uniform: level = uniform
        case .uniformShift: level = shifted(uniform)
        case .sigmoid: level = sigmoid(scale * random.gaussian())
        case .shift: level = shifted(sigmoid(scale * random.gaussian()))
        case .logitNormal: level = shifted(sigmoid(mean + scale * random.gaussian()))
        }
        let (least, greatest) = (minTimestep / 1000, maxTimestep / 1000)
        return least + (greatest - least) * level
    }

    /// A level moved towards noise: s·t / (1 + (s − 1)·t).
    private func shifted(_ level: Double) -> Double {
        shift * level / (1 + (shift - 1) * level)
    }

    private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
}

extension LossWeighting {
    /// How much the squared error at a noise level counts.
    ///
    /// Source: Stable Diffusion 3 (arXiv:2403.03206), section 3.1; levels below one timestep count as
    /// one.
    package func weight(_ level: Double) -> Double {
        switch self {
        case .none: 1
        case .sigmaSquareRoot: 1 / (max(level, 1e-3) * max(level, 1e-3))
        case .cosineMap: 2 / (Double.pi * (1 - 2 * level + 2 * level * level))
        }
    }
}

extension SplitMix64 {
    /// A draw of the unit Gaussian.
    ///
    /// Source: Box and Muller (1958).
    mutating func gaussian() -> Double {
        // Even in (0, 1], whose logarithm is finite.
        let radius = 1 - Double.random(in: 0..<1, using: &self)
        let angle = Double.random(in: 0..<1, using: &self)
        return (-2 * log(radius)).squareRoot() * cos(2 * Double.pi * angle)
    }
}
