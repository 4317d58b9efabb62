/// When TeaCache lets the network's blocks run, and when it reuses what they added last time.
///
/// The relative change of the first block's modulated input is turned by a polynomial into an
/// estimate of how much the blocks' result changes; estimates add up, and the blocks run once the
/// sum reaches the threshold. There is at most a run of two skipped steps at the default threshold,
/// since the polynomial never falls below 0.052.
///
/// One policy serves one sequence of calls: a section, and each branch of true guidance, has its own.
///
/// Source: arXiv 2411.19108; `initialize_teacache` and `forward` in
/// `diffusers_helper/models/hunyuan_video_packed.py`.
public struct TeaCachePolicy: StepCachePolicy, Equatable {
    /// The threshold that the reference uses: about twice as fast.
    public static let defaultThreshold = 0.15
    /// The polynomial of HunyuanVideo, highest power first.
    public static let coefficients = [
        733.226126, -401.131952, 67.5869174, -3.149878, 0.0961237896,
    ]

    /// The sum at which the blocks run, 0 or more; at 0 they always do.
    public let threshold: Double
    /// Steps of the section.
    public let stepCount: Int
    /// The sum of estimates since the blocks last ran.
    public private(set) var accumulated = 0.0

    /// Makes the policy of one section.
    public init(threshold: Double = defaultThreshold, stepCount: Int) {
        (self.threshold, self.stepCount) = (threshold, stepCount)
    }

    /// Whether the blocks run in a step; call it once for every step, in order.
    ///
    /// - Parameters:
    ///   - step: The step, from 0; the first and the last always compute.
    ///   - change: mean |now - before| / mean |before| of the modulated input, where before is the
    ///     step before, computed or not; nil in the first step.
    public mutating func computes(step: Int, change: Double?) -> Bool {
        guard let change, step > 0, step < stepCount - 1 else {
            accumulated = 0
            return true
        }
        accumulated += Self.estimate(change)
        // Written so that a change which is not a number computes too.
        if accumulated < threshold { return false }
        accumulated = 0
        return true
    }

    /// The estimated change of the result for a change of the input.
    public static func estimate(_ change: Double) -> Double {
        coefficients.reduce(0) { $0 * change + $1 }
    }
}
