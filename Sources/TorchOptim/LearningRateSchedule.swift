#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The step size over a run: up in a straight line, level, then down along a cosine.
public struct LearningRateSchedule: Codable, Sendable, Equatable {
    /// The highest step size.
    public var peak: Double
    /// The step size at the end.
    public var final: Double
    /// Over how many steps it rises.
    public var warmupSteps: Int
    /// At which fraction of the run it begins to fall, in [0, 1].
    public var decayStart: Double

    /// Makes a schedule.
    public init(peak: Double, final: Double = 0, warmupSteps: Int = 0, decayStart: Double = 0) {
        self.peak = peak
        self.final = final
        self.warmupSteps = warmupSteps
        self.decayStart = decayStart
    }

    /// The step size of a step.
    ///
    /// - Parameters:
    ///   - step: Counted from 0.
    ///   - progress: How much of the run is done, in [0, 1].
    public func rate(step: Int, progress: Double) -> Double {
        if step < warmupSteps { return peak * Double(step + 1) / Double(warmupSteps) }
        guard progress > decayStart, decayStart < 1 else { return peak }
        let fall = min((progress - decayStart) / (1 - decayStart), 1)
        return final + (peak - final) * 0.5 * (1 + cos(Double.pi * fall))
    }
}
