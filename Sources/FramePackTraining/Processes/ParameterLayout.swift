import Torch
import TorchDistributed
import TorchNN
import TorchOptim

/// What each process holds of a run's parameters, and how processes agree on gradients.
///
/// All processes make the same calls in the same order.
protocol ParameterLayout: AnyObject {
    /// What this process holds and its optimizer changes, by the names of the whole parameters.
    var parameters: [Parameter] { get }
    /// Whether a tensor of a part's shape is a part of one of the whole parameter's shape.
    var dividesRows: Bool { get }
    /// Bytes of weights and gradients that this process holds.
    var heldBytes: HeldBytes { get }

    /// Called before a step's first loss.
    func beginStep() throws
    /// Adds the gradients of a micro-batch's loss.
    func backward(_ loss: Tensor) throws
    /// Leaves the sum of all processes' gradients, times a factor, at ``parameters``.
    func finishGradients(scaledBy factor: Double) throws
    /// Cuts the gradients to a norm over all processes; gives the norm before.
    func clipGradients(of optimizer: any Optimizer, to maximum: Double) throws -> Double
    /// Called after a step.
    func endStep() throws

    /// Puts together a tensor of a parameter's shape of which each process has its part.
    ///
    /// - Parameters:
    ///   - part: This process's part; nil where it has none of that parameter.
    ///   - dtype: The type of the tensor.
    func whole(_ part: Tensor?, of name: String, dtype: DType) throws -> Tensor
    /// This process's part of a tensor of a parameter's shape; nil where it has none.
    func part(of whole: Tensor, name: String) throws -> Tensor?
}

/// Bytes that a process of a training holds.
public struct HeldBytes: Equatable, Sendable {
    /// The weights that lie here at all times.
    public var weights = 0
    /// Their gradients, before the optimizer's step.
    public var gradients = 0
    /// The optimizer's state.
    public var optimizer = 0
    /// The averaged weights.
    public var averages = 0
    /// The most that other processes' weights took at one time, with what belongs to them here.
    public var gathered = 0

    /// None.
    public init() {}

    /// All of them.
    public var total: Int { weights + gradients + optimizer + averages + gathered }
}
