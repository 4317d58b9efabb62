import CTorch

/// Products of matrices.
///
/// Factors have one type and one device. Each operation throws `TorchError` for shapes that do not
/// fit and for memory that does not suffice (`.outOfMemory`). Names are torch's where none is
/// given.
extension Tensor {
    /// Matrix product of the last two axes; axes before them are matched by broadcasting.
    ///
    /// - Parameter other: `(…, m, p)`, or `(m)`, for this tensor `(…, n, m)`.
    /// - Returns: `(…, n, p)`, or `(…, n)`.
    public func matmul(_ other: Tensor) throws(TorchError) -> Tensor {
        try .make { ct_matmul(&$0, handle, other.handle) }
    }
    /// Products of matrices in a batch, `(B, n, m) × (B, m, p) → (B, n, p)`, without broadcasting.
    ///
    /// Source: `torch.bmm`.
    public func batchedMatmul(_ other: Tensor) throws(TorchError) -> Tensor {
        try .make { ct_bmm(&$0, handle, other.handle) }
    }
    /// `x · weightᵀ + bias` over the last axis, then an activation.
    ///
    /// - Parameters:
    ///   - weight: `(out, in)`.
    ///   - bias: `(out)`; none if nil.
    ///   - activation: Of the result; none if nil.
    /// - Returns: `(…, out)` for this tensor `(…, in)`.
    ///
    /// Source: `torch.nn.functional.linear`.
    public func linear(
        _ weight: Tensor, _ bias: Tensor? = nil, then activation: Activation? = nil
    ) throws(TorchError) -> Tensor {
        if let y = try fusedLinear(weight, bias, then: activation) { return y }
        let y: Tensor = try .make { ct_linear(&$0, handle, weight.handle, bias?.handle) }
        guard let activation else { return y }
        return try y.activated(by: activation)
    }
    /// Outer product of two vectors, `(n) × (m) → (n, m)`.
    public func outer(_ other: Tensor) throws(TorchError) -> Tensor {
        try .make { ct_outer(&$0, handle, other.handle) }
    }
}
