import CTorch

/// Sums, means, extremes and order.
///
/// Axes count from 0, or from −1 backwards. A reduced axis goes away, or has length 1 with
/// `keepAxes`; the others stay. An empty list of axes stands for all of them. Each operation throws
/// `TorchError` for an axis that is not there or is named twice, for a type that it does not know,
/// and for memory that does not suffice (`.outOfMemory`). Names are torch's in Swift's spelling;
/// where a name differs, its source is given.
extension Tensor {
    /// Sum of all elements, as a tensor without axes.
    ///
    /// - Parameter dtype: The type of the sum; nil for this tensor's, or int64 for bools and whole
    ///   numbers.
    public func sum(dtype: DType? = nil) throws(TorchError) -> Tensor {
        try .make { ct_sum(&$0, handle, dtype?.rawValue ?? -1) }
    }
    /// Sums along axes, which go away unless `keepAxes`; int64 for bools and whole numbers.
    public func sum(_ axes: [Int], keepAxes: Bool = false) throws(TorchError) -> Tensor {
        let axes = axes.int64
        return try .make { ct_sum_dim_intlist(&$0, handle, axes, Int64(axes.count), keepAxes, -1) }
    }
    /// Mean of all elements, as a tensor without axes.
    ///
    /// - Throws: `TorchError` also for bools and whole numbers.
    public func mean() throws(TorchError) -> Tensor { try .make { ct_mean(&$0, handle, -1) } }
    /// Means along axes, which go away unless `keepAxes`.
    ///
    /// - Throws: `TorchError` also for bools and whole numbers.
    public func mean(_ axes: [Int], keepAxes: Bool = false) throws(TorchError) -> Tensor {
        let axes = axes.int64
        return try .make { ct_mean_dim(&$0, handle, axes, Int64(axes.count), keepAxes, -1) }
    }
    /// Standard deviation along axes, which go away unless `keepAxes`.
    ///
    /// - Parameters:
    ///   - axes: The axes.
    ///   - correction: What is taken from the number n of elements that are averaged; 1 divides by
    ///     n − 1.
    ///   - keepAxes: Whether the axes stay with length 1.
    /// - Throws: `TorchError` also for bools and whole numbers.
    ///
    /// Source: `torch.std`.
    public func standardDeviation(
        _ axes: [Int], correction: Double = 1, keepAxes: Bool = false
    ) throws(TorchError) -> Tensor {
        let (axes, correction) = (axes.int64, [scalar(correction)])
        return try .make {
            ct_std_correction(&$0, handle, axes, Int64(axes.count), correction, keepAxes)
        }
    }
    /// Variance along axes, which go away unless `keepAxes`.
    ///
    /// - Parameters:
    ///   - axes: The axes.
    ///   - correction: What is taken from the number n of elements that are averaged; 1 divides by
    ///     n − 1.
    ///   - keepAxes: Whether the axes stay with length 1.
    /// - Throws: `TorchError` also for bools and whole numbers.
    ///
    /// Source: `torch.var`.
    public func variance(
        _ axes: [Int], correction: Double = 1, keepAxes: Bool = false
    ) throws(TorchError) -> Tensor {
        let (axes, correction) = (axes.int64, [scalar(correction)])
        return try .make {
            ct_var_correction(&$0, handle, axes, Int64(axes.count), correction, keepAxes)
        }
    }
    /// Largest elements along axes, which go away unless `keepAxes`; of all elements by default.
    ///
    /// NaN where there is one.
    /// - Throws: `TorchError` also where there is no element to take.
    ///
    /// Source: `torch.amax`.
    public func max(_ axes: [Int] = [], keepAxes: Bool = false) throws(TorchError) -> Tensor {
        let axes = axes.int64
        return try .make { ct_amax(&$0, handle, axes, Int64(axes.count), keepAxes) }
    }
    /// Smallest elements along axes, which go away unless `keepAxes`; of all elements by default.
    ///
    /// NaN where there is one.
    /// - Throws: `TorchError` also where there is no element to take.
    ///
    /// Source: `torch.amin`.
    public func min(_ axes: [Int] = [], keepAxes: Bool = false) throws(TorchError) -> Tensor {
        let axes = axes.int64
        return try .make { ct_amin(&$0, handle, axes, Int64(axes.count), keepAxes) }
    }
    /// Index of the largest element along an axis, which goes away; the first one where several are
    /// equal.
    ///
    /// - Returns: int64 in the shape of the other axes.
    public func argmax(_ axis: Int) throws(TorchError) -> Tensor {
        let axis = [Int64(axis)]
        return try .make { ct_argmax(&$0, handle, axis, false) }
    }
    /// Whether all elements are true, that is not 0: a bool without axes, or uint8 for bytes.
    public func all() throws(TorchError) -> Tensor { try .make { ct_all(&$0, handle) } }
    /// Whether one element at least is true, that is not 0: a bool without axes, or uint8 for
    /// bytes.
    public func any() throws(TorchError) -> Tensor { try .make { ct_any(&$0, handle) } }
    /// Running sums along an axis, in this tensor's shape; int64 for bools and whole numbers.
    ///
    /// Source: `torch.cumsum`.
    public func cumulativeSum(_ axis: Int) throws(TorchError) -> Tensor {
        try .make { ct_cumsum(&$0, handle, Int64(axis), -1) }
    }
    /// For each element the number of boundaries below it, int32 in this tensor's shape.
    ///
    /// - Parameter boundaries: `(n)`, rising, in this tensor's type and on its device. An element
    ///   that equals a boundary is not above it.
    ///
    /// Source: `torch.bucketize`.
    public func bucketed(_ boundaries: Tensor) throws(TorchError) -> Tensor {
        try .make { ct_bucketize_tensor(&$0, handle, boundaries.handle, true, false) }
    }
    /// Square root of the sum of squares of all elements, as a tensor without axes.
    ///
    /// - Throws: `TorchError` also for bools and whole numbers.
    ///
    /// Source: `torch.linalg.vector_norm`.
    public func norm() throws(TorchError) -> Tensor {
        try .make { ct_linalg_vector_norm(&$0, handle, scalar(2), nil, 0, false, -1) }
    }
    /// Elements in order along an axis, and where they came from.
    ///
    /// The order of equal elements is open.
    /// - Parameters:
    ///   - axis: The axis.
    ///   - descending: Whether the largest comes first.
    /// - Returns: The values and their int64 indices on the axis, both in this tensor's shape.
    ///
    /// Source: `torch.sort`.
    public func sorted(_ axis: Int = -1, descending: Bool = false) throws(TorchError) -> (
        values: Tensor, indices: Tensor
    ) {
        var indices: ct_tensor?
        let values = try Tensor.make { ct_sort(&$0, &indices, handle, Int64(axis), descending) }
        guard let indices else { throw TorchError(.invalid, "libtorch gave no indices") }
        return (values, Tensor(owning: indices))
    }
}
