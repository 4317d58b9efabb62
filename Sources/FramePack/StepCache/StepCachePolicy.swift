/// What decides whether the network's blocks run in a step; it sees numbers, never tensors.
///
/// One policy serves one sequence of calls: a section, and each branch of true guidance, has its own.
public protocol StepCachePolicy: Sendable {
    /// Whether the blocks run in a step; call it once for every step, in order.
    ///
    /// - Parameters:
    ///   - step: The step, from 0.
    ///   - change: How much what the cache watches has changed, relatively, 0 or more; nil where
    ///     there is nothing to compare with, and for a policy that needs no measurement.
    mutating func computes(step: Int, change: Double?) -> Bool
}
