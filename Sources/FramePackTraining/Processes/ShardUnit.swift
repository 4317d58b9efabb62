import Torch
import TorchNN

/// Parameters of one type that are gathered and dropped together, and whose gradients are divided
/// together; each process holds a part of them.
///
/// All processes make the same calls in the same order.
protocol ShardUnit: AnyObject {
    /// The whole parameters; their values have no memory unless the unit is gathered.
    var parameters: [Parameter] { get }
    /// What this process holds of each; nil for nothing.
    var parts: [Parameter?] { get }
    /// Which of them had a gradient on this process in this step.
    var hasGradient: [Bool] { get }
    /// Whether the parameters have their whole values.
    var isGathered: Bool { get }
    /// Bytes of this process's parts.
    var heldBytes: Int { get }
    /// Bytes of the whole unit.
    var gatheredBytes: Int { get }

    /// Gives every parameter its whole value.
    func gather() throws
    /// Gives the whole values up.
    func drop() throws
    /// Adds the gradients that the whole values have by now, of all processes, to those of the parts.
    func takeGradients() throws
    /// Leaves the gradients, times a factor, at the parts of those parameters that have any.
    func setGradients(scaledBy factor: Double, _ isUsed: [Bool]) throws
    /// Forgets the gradients of a step.
    func clearGradients()
}

/// A parameter's values without memory: its shape and type alone.
func outline(of value: Tensor) throws -> Tensor {
    try .empty(value.shape, dtype: value.dtype, device: .meta)
}
