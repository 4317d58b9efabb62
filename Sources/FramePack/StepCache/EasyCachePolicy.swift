/// When EasyCache calls the network, and when it reuses how the network transformed its input.
///
/// How strongly the velocity answers to a change of the latents hardly changes from step to step. That
/// rate times the change of the latents foretells the change of the velocity; the foretold changes
/// add up, and the network runs once the sum reaches the threshold.
///
/// Source: arXiv 2507.02860, section 3.3; `EasyCache4HunyuanVideo`.
public struct EasyCachePolicy: StepCachePolicy, Equatable {
    /// The threshold that the authors take for HunyuanVideo.
    public static let defaultThreshold = 0.025
    /// The share of steps at the beginning in which the network always runs: 5 of 50.
    public static let warmup = 0.1

    /// The sum at which the network runs, 0 or more; at 0 it always does.
    public let threshold: Double
    /// Steps of the section.
    public let stepCount: Int
    /// The first step that may be skipped; a rate is known after two.
    public let firstSkip: Int
    private var accumulated = 0.0

    /// Makes the policy of one section.
    public init(threshold: Double = defaultThreshold, stepCount: Int) {
        (self.threshold, self.stepCount) = (threshold, stepCount)
        firstSkip = max(2, Int((Self.warmup * Double(stepCount)).rounded(.up)))
    }

    /// Whether the network runs in a step; call it once for every step, in order.
    ///
    /// - Parameters:
    ///   - step: The step, from 0; those at the beginning and the last always compute.
    ///   - change: The foretold change of the velocity since the step before; nil where no rate is
    ///     known yet.
    public mutating func computes(step: Int, change: Double?) -> Bool {
        guard let change, step >= firstSkip, step < stepCount - 1 else {
            accumulated = 0
            return true
        }
        accumulated += change
        // Written so that a change which is not a number computes too.
        if accumulated < threshold { return false }
        accumulated = 0
        return true
    }
}
