/// When MagCache lets the network's blocks run, and when it reuses what they added last time.
///
/// What the blocks add keeps its direction over most steps and changes in length alone, in a way that
/// hardly depends on the prompt. So the error of a reused addition is known beforehand: the ratios of
/// lengths are multiplied since the blocks last ran, and their distances from 1 add up. Nothing of a
/// run is measured.
///
/// Source: arXiv 2506.09045, section 3.3; `MagCache4FramePack`, from which the limit of a single ratio
/// is. Differs from it in nothing but a threshold of 0, at which the blocks always run.
public struct MagCachePolicy: StepCachePolicy, Equatable {
    /// The threshold that the authors recommend for FramePack: about twice as fast.
    public static let defaultThreshold = 0.1
    /// The distance from 1 at which a single ratio lets the blocks run.
    public static let largestDistance = 0.06

    /// The ratios of the section's steps.
    public let ratios: MagnitudeRatios
    /// The sum of errors above which the blocks run, 0 or more; at 0 they always do.
    public let threshold: Double
    /// Steps in a row that are skipped at most.
    public let longestSkip: Int
    /// The first step that may be skipped.
    public let firstSkip: Int
    private var ratio = 1.0
    private var error = 0.0
    private var skipped = 0

    /// Makes the policy of one section.
    ///
    /// - Parameters:
    ///   - ratios: As measured, at any number of steps.
    ///   - threshold: The sum of errors above which the blocks run.
    ///   - stepCount: The section's steps.
    ///   - longestSkip: Steps in a row that are skipped at most.
    ///   - retention: The share of steps at the beginning in which the blocks always run, 0 to 1.
    public init(
        _ ratios: MagnitudeRatios, threshold: Double = defaultThreshold, stepCount: Int,
        longestSkip: Int = 3, retention: Double = 0.2
    ) {
        self.ratios = ratios.resampled(stepCount)
        (self.threshold, self.longestSkip) = (threshold, longestSkip)
        firstSkip = max(1, Int(retention * Double(stepCount)))
    }

    /// Whether the blocks run in a step; call it once for every step, in order.
    ///
    /// - Parameters:
    ///   - step: The step, from 0; those at the beginning always compute.
    ///   - change: Not used.
    public mutating func computes(step: Int, change: Double? = nil) -> Bool {
        guard step >= firstSkip, threshold > 0 else { return true }
        let now = ratios.values[step]
        ratio *= now
        error += abs(1 - ratio)
        skipped += 1
        if error <= threshold, skipped <= longestSkip, abs(1 - now) <= Self.largestDistance {
            return false
        }
        (ratio, error, skipped) = (1, 0, 0)
        return true
    }
}
