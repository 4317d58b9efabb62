import CTorch

/// Other axes, parts and joins of the same elements; no element changes.
///
/// Axes count from 0, or from −1 backwards. What is said to be without a copy shares this tensor's
/// memory. Each operation throws `TorchError` for a shape or axis that does not fit, and for memory
/// that does not suffice (`.outOfMemory`). Names are torch's in Swift's spelling; where a name
/// differs, its source is given.
extension Tensor {
    /// The same elements under other axes; one length may be −1, which stands for what remains.
    ///
    /// Copies only if it has to.
    public func reshape(_ shape: [Int]) throws(TorchError) -> Tensor {
        let shape = shape.int64
        return try .make { ct_reshape(&$0, handle, shape, Int64(shape.count)) }
    }
    /// The same elements under other axes; one length may be −1, which stands for what remains.
    ///
    /// Copies only if it has to.
    public func reshape(_ shape: Int...) throws(TorchError) -> Tensor { try reshape(shape) }
    /// The axes in another order, without a copy: axis i of the result is axis `axes[i]` of this
    /// tensor.
    public func permute(_ axes: [Int]) throws(TorchError) -> Tensor {
        let axes = axes.int64
        return try .make { ct_permute(&$0, handle, axes, Int64(axes.count)) }
    }
    /// The axes in another order, without a copy: axis i of the result is axis `axes[i]` of this
    /// tensor.
    public func permute(_ axes: Int...) throws(TorchError) -> Tensor { try permute(axes) }
    /// Two axes exchanged, without a copy.
    public func transpose(_ a: Int, _ b: Int) throws(TorchError) -> Tensor {
        try .make { ct_transpose_int(&$0, handle, Int64(a), Int64(b)) }
    }
    /// A new axis of length 1 before `axis`, without a copy; −1 puts it last.
    public func unsqueeze(_ axis: Int) throws(TorchError) -> Tensor {
        try .make { ct_unsqueeze(&$0, handle, Int64(axis)) }
    }
    /// An axis of length 1 dropped, without a copy; a longer one stays.
    public func squeeze(_ axis: Int) throws(TorchError) -> Tensor {
        try .make { ct_squeeze_dim(&$0, handle, Int64(axis)) }
    }
    /// Axes of length 1 repeated without a copy.
    ///
    /// - Parameter shape: The length of each axis of the result; −1 keeps an axis. New axes come
    ///   first.
    public func expand(_ shape: [Int]) throws(TorchError) -> Tensor {
        let shape = shape.int64
        return try .make { ct_expand(&$0, handle, shape, Int64(shape.count), false) }
    }
    /// Repeated along each axis, by copying.
    ///
    /// - Parameter counts: How often, for each axis; counts beyond this tensor's rank make new
    ///   axes, which come first.
    /// - Returns: Each axis as long as its count times its length.
    ///
    /// Source: `torch.Tensor.repeat`.
    public func repeated(_ counts: [Int]) throws(TorchError) -> Tensor {
        let counts = counts.int64
        return try .make { ct_repeat(&$0, handle, counts, Int64(counts.count)) }
    }
    /// Each slice along an axis repeated in place: a, a, b, b and so on.
    ///
    /// - Returns: A copy in which the axis is `count` times as long.
    ///
    /// Source: `torch.repeat_interleave`.
    public func repeatInterleaved(_ count: Int, axis: Int) throws(TorchError) -> Tensor {
        let axis = [Int64(axis)]
        return try .make { ct_repeat_interleave_self_int(&$0, handle, Int64(count), axis, nil) }
    }
    /// The axes from `start` to `end`, which is included, joined into one.
    ///
    /// Copies only if it has to.
    public func flatten(_ start: Int = 0, _ end: Int = -1) throws(TorchError) -> Tensor {
        try .make { ct_flatten_using_ints(&$0, handle, Int64(start), Int64(end)) }
    }
    /// One axis split into several, without a copy; one length may be −1, which stands for what
    /// remains.
    public func unflatten(_ axis: Int, _ shape: [Int]) throws(TorchError) -> Tensor {
        let shape = shape.int64
        return try .make {
            ct_unflatten_int(&$0, handle, Int64(axis), shape, Int64(shape.count))
        }
    }
    /// `count` slices of an axis from `start` on, without a copy; the axis has then length `count`.
    public func narrow(_ axis: Int, _ start: Int, _ count: Int) throws(TorchError) -> Tensor {
        try .make { ct_narrow(&$0, handle, Int64(axis), Int64(start), Int64(count)) }
    }
    /// One slice of an axis, which goes away, without a copy.
    ///
    /// - Parameters:
    ///   - axis: The axis.
    ///   - index: From 0, or from −1 backwards.
    public func select(_ axis: Int, _ index: Int) throws(TorchError) -> Tensor {
        try .make { ct_select_int(&$0, handle, Int64(axis), Int64(index)) }
    }
    /// Every `step`-th slice of an axis from `start` up to but without `end`, without a copy.
    ///
    /// - Parameters:
    ///   - axis: The axis.
    ///   - start: The first; 0 if nil. Negative ones count from the end, and both bounds are cut to
    ///     the axis.
    ///   - end: The end; that of the axis if nil.
    ///   - step: The distance, 1 or more.
    /// - Returns: The axis has the length ⌈(end − start) / step⌉.
    ///
    /// Source: the slices `a:b:c` of `torch.Tensor`.
    public func slice(
        _ axis: Int, from start: Int? = nil, to end: Int? = nil, step: Int = 1
    ) throws(TorchError) -> Tensor {
        let (start, end) = (start.map { [Int64($0)] }, end.map { [Int64($0)] })
        return try .make { ct_slice_tensor(&$0, handle, Int64(axis), start, end, Int64(step)) }
    }
    /// The slices of an axis named by `index`, `(n)` of int64, in that order; a copy, with n
    /// slices.
    public func indexSelect(_ axis: Int, _ index: Tensor) throws(TorchError) -> Tensor {
        try .make { ct_index_select(&$0, handle, Int64(axis), index.handle) }
    }
    /// Elements picked along an axis: the result has the shape of `index`.
    ///
    /// - Parameters:
    ///   - axis: The axis.
    ///   - index: int64 with as many axes as this tensor; none but `axis` may be longer than this
    ///     tensor's.
    public func gather(_ axis: Int, _ index: Tensor) throws(TorchError) -> Tensor {
        try .make { ct_gather(&$0, handle, Int64(axis), index.handle, false) }
    }
    /// At most `count` pieces of ⌈n / count⌉ slices of an axis of n, the last perhaps shorter,
    /// without a copy.
    public func chunk(_ count: Int, axis: Int) throws(TorchError) -> [Tensor] {
        try Tensor.makeList { ct_chunk(&$0, handle, Int64(count), Int64(axis)) }
    }
    /// Pieces of an axis, without a copy.
    ///
    /// - Parameters:
    ///   - lengths: The pieces' lengths; their sum is that of the axis.
    ///   - axis: The axis.
    public func split(_ lengths: [Int], axis: Int) throws(TorchError) -> [Tensor] {
        let lengths = lengths.int64
        return try Tensor.makeList {
            ct_split_with_sizes(&$0, handle, lengths, Int64(lengths.count), Int64(axis))
        }
    }
    /// The slices of an axis, each without it and without a copy.
    public func unbind(_ axis: Int) throws(TorchError) -> [Tensor] {
        try Tensor.makeList { ct_unbind_int(&$0, handle, Int64(axis)) }
    }
    /// Tensors joined along an axis, whose lengths add up; all other axes agree.
    ///
    /// - Throws: `TorchError` also for an empty list.
    public static func cat(_ parts: [Tensor], axis: Int) throws(TorchError) -> Tensor {
        try parts.withHandles { (handles, count) throws(TorchError) in
            try make { ct_cat(&$0, handles, count, Int64(axis)) }
        }
    }
    /// Tensors of one shape put beside each other along a new axis as long as the list.
    ///
    /// - Throws: `TorchError` also for an empty list.
    public static func stack(_ parts: [Tensor], axis: Int) throws(TorchError) -> Tensor {
        try parts.withHandles { (handles, count) throws(TorchError) in
            try make { ct_stack(&$0, handles, count, Int64(axis)) }
        }
    }
    /// The order of slices turned around along axes, by copying, in this tensor's shape.
    public func flip(_ axes: [Int]) throws(TorchError) -> Tensor {
        let axes = axes.int64
        return try .make { ct_flip(&$0, handle, axes, Int64(axes.count)) }
    }
    /// The elements in the order of a layout; itself if they are so already.
    ///
    /// - Throws: `TorchError` also for a layout whose number of axes isn't this tensor's.
    public func contiguous(_ layout: MemoryLayout = .contiguous) throws(TorchError) -> Tensor {
        try .make { ct_contiguous(&$0, handle, layout.rawValue) }
    }
    /// A copy with its own memory.
    public func clone() throws(TorchError) -> Tensor { try .make { ct_clone(&$0, handle, -1) } }
    /// Which axis lies fastest in memory; raw values are libtorch's `MemoryFormat`.
    public enum MemoryLayout: Int32, Sendable {
        /// The last axis fastest.
        case contiguous = 0
        /// The channel axis of `(B, C, h, w)` fastest.
        case channelsLast = 2
        /// The channel axis of `(B, C, F, h, w)` fastest.
        case channelsLast3d = 3
    }

    /// How values are made up beyond the edge.
    public enum Padding: Sendable {
        /// One value.
        case constant(Double)
        /// The nearest element at the edge.
        case replicate
    }

    /// Padded at both ends of the last axes.
    ///
    /// - Parameters:
    ///   - amounts: Elements in front of and behind the last axis, then the one before it, and so
    ///     on. With one value, negative amounts cut elements off.
    ///   - padding: What the new elements are. Replication works on the last one to three axes of a
    ///     tensor with one or two more.
    /// - Returns: Each padded axis longer by its two amounts; the others stay.
    ///
    /// Source: `torch.nn.functional.pad`.
    public func pad(_ amounts: [Int], _ padding: Padding) throws(TorchError) -> Tensor {
        let amounts = amounts.int64
        switch padding {
        case .constant(let value):
            return try .make {
                ct_constant_pad_nd(&$0, handle, amounts, Int64(amounts.count), scalar(value))
            }
        case .replicate:
            return try .make {
                ct_pad(&$0, handle, amounts, Int64(amounts.count), "replicate", nil)
            }
        }
    }
}
