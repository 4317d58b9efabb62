/// When the first-block cache lets the remaining blocks run, and when it reuses what they added.
///
/// The first block runs in every step; if what it adds has hardly changed since the others last ran,
/// they would hardly add anything else either.
///
/// Source: `first_block_cache` of ParaAttention and of diffusers.
public struct FirstBlockPolicy: StepCachePolicy, Equatable {
    /// The threshold that diffusers has as its default.
    public static let defaultThreshold = 0.05

    /// The change at which the remaining blocks run, 0 or more; at 0 they always do.
    public let threshold: Double

    /// Makes a policy.
    public init(threshold: Double = defaultThreshold) { self.threshold = threshold }

    /// Whether the remaining blocks run in a step.
    ///
    /// - Parameters:
    ///   - step: Not used.
    ///   - change: mean |now - then| / mean |then| of what the first block adds, where then is the
    ///     last step in which all blocks ran; nil before there was one.
    public mutating func computes(step: Int, change: Double?) -> Bool {
        guard let change else { return true }
        // Written so that a change which is not a number computes too.
        return !(change < threshold)
    }
}
