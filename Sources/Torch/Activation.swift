/// The bend between two linear maps.
public enum Activation: Sendable, Equatable {
    /// The Gaussian error linear unit.
    case gelu(GELU)
    /// x · sigmoid(1.702 x), which stands for a GELU.
    case quickGELU
    /// x · sigmoid(x).
    case silu
}

extension Tensor {
    /// An activation of each element, in this tensor's shape and type.
    ///
    /// - Throws: `TorchError` where memory does not suffice.
    public func activated(by activation: Activation) throws(TorchError) -> Tensor {
        switch activation {
        case .gelu(let form): try gelu(form)
        case .quickGELU: try self * (self * 1.702).sigmoid()
        case .silu: try silu()
        }
    }
}
