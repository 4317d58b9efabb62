import CTorch

extension Tensor {
    /// Matrix product of the last two axes; axes before them are matched by broadcasting.
    public func matmul(_ other: Tensor) throws(TorchError) -> Tensor {
        try .make { ct_matmul(&$0, handle, other.handle) }
    }
    /// Products of matrices in a batch, `(B, n, m) × (B, m, p)`.
    public func batchedMatmul(_ other: Tensor) throws(TorchError) -> Tensor {
        try .make { ct_bmm(&$0, handle, other.handle) }
    }
    /// `x · weightᵀ + bias` over the last axis: weight `(out, in)`, bias `(out)`.
    public func linear(_ weight: Tensor, _ bias: Tensor? = nil) throws(TorchError) -> Tensor {
        try .make { ct_linear(&$0, handle, weight.handle, bias?.handle) }
    }
    /// Outer product of two vectors, `(n) × (m) → (n, m)`.
    public func outer(_ other: Tensor) throws(TorchError) -> Tensor {
        try .make { ct_outer(&$0, handle, other.handle) }
    }
}
