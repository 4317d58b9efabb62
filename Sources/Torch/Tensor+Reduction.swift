import CTorch

extension Tensor {
    /// Sum of all elements, as a tensor without axes.
    public func sum(dtype: DType? = nil) throws(TorchError) -> Tensor {
        try .make { ct_sum(&$0, handle, dtype?.rawValue ?? -1) }
    }
    /// Sums along axes.
    public func sum(_ axes: [Int], keepAxes: Bool = false) throws(TorchError) -> Tensor {
        let axes = axes.int64
        return try .make { ct_sum_dim_intlist(&$0, handle, axes, Int64(axes.count), keepAxes, -1) }
    }
    /// Mean of all elements, as a tensor without axes.
    public func mean() throws(TorchError) -> Tensor { try .make { ct_mean(&$0, handle, -1) } }
    /// Means along axes.
    public func mean(_ axes: [Int], keepAxes: Bool = false) throws(TorchError) -> Tensor {
        let axes = axes.int64
        return try .make { ct_mean_dim(&$0, handle, axes, Int64(axes.count), keepAxes, -1) }
    }
    /// Standard deviation along axes; `correction` 1 divides by n − 1.
    public func standardDeviation(
        _ axes: [Int], correction: Double = 1, keepAxes: Bool = false
    ) throws(TorchError) -> Tensor {
        let (axes, correction) = (axes.int64, [scalar(correction)])
        return try .make {
            ct_std_correction(&$0, handle, axes, Int64(axes.count), correction, keepAxes)
        }
    }
    /// Variance along axes; `correction` 1 divides by n − 1.
    public func variance(
        _ axes: [Int], correction: Double = 1, keepAxes: Bool = false
    ) throws(TorchError) -> Tensor {
        let (axes, correction) = (axes.int64, [scalar(correction)])
        return try .make {
            ct_var_correction(&$0, handle, axes, Int64(axes.count), correction, keepAxes)
        }
    }
    /// Largest elements along axes; all of them by default.
    public func max(_ axes: [Int] = [], keepAxes: Bool = false) throws(TorchError) -> Tensor {
        let axes = axes.int64
        return try .make { ct_amax(&$0, handle, axes, Int64(axes.count), keepAxes) }
    }
    /// Smallest elements along axes; all of them by default.
    public func min(_ axes: [Int] = [], keepAxes: Bool = false) throws(TorchError) -> Tensor {
        let axes = axes.int64
        return try .make { ct_amin(&$0, handle, axes, Int64(axes.count), keepAxes) }
    }
    /// Index of the largest element along an axis; the first one where several are equal.
    public func argmax(_ axis: Int) throws(TorchError) -> Tensor {
        let axis = [Int64(axis)]
        return try .make { ct_argmax(&$0, handle, axis, false) }
    }
    /// Whether all elements are true.
    public func all() throws(TorchError) -> Tensor { try .make { ct_all(&$0, handle) } }
    /// Whether one element at least is true.
    public func any() throws(TorchError) -> Tensor { try .make { ct_any(&$0, handle) } }
    /// Running sums along an axis.
    public func cumulativeSum(_ axis: Int) throws(TorchError) -> Tensor {
        try .make { ct_cumsum(&$0, handle, Int64(axis), -1) }
    }
    /// Square root of the sum of squares of all elements.
    public func norm() throws(TorchError) -> Tensor {
        try .make { ct_linalg_vector_norm(&$0, handle, scalar(2), nil, 0, false, -1) }
    }
    /// Elements in order along an axis, and where they came from.
    public func sorted(_ axis: Int = -1, descending: Bool = false) throws(TorchError) -> (
        values: Tensor, indices: Tensor
    ) {
        var indices: ct_tensor?
        let values = try Tensor.make { ct_sort(&$0, &indices, handle, Int64(axis), descending) }
        guard let indices else { throw TorchError(.invalid, "libtorch gave no indices") }
        return (values, Tensor(owning: indices))
    }
}
