import CTorch

/// Changes of the tensor itself, and with it of every view of its memory.
///
/// Shape and type stay. Other tensors broadcast to this shape; an operation throws `TorchError`
/// where they do not. All but `copy` and `fillInPlace` throw it too for what would put fractions
/// into whole numbers, and all but `copy` for a tensor of another device. A leaf that asks for
/// gradients can be changed only inside ``withoutGradients(_:)``. Torch's names end in an
/// underscore; they are given where they differ in more than that.
extension Tensor {
    /// Overwrites the elements with the source's, converting type and device.
    ///
    /// - Parameters:
    ///   - source: Any tensor whose shape broadcasts to this one's.
    ///   - nonBlocking: Lets a copy from pinned memory to a GPU run on.
    public func copy(from source: Tensor, nonBlocking: Bool = false) throws(TorchError) {
        try check(ct_copy_(handle, source.handle, nonBlocking))
    }
    /// Adds `scale · other` to the elements.
    public func addInPlace(_ other: Tensor, scale: Double = 1) throws(TorchError) {
        try check(ct_add__tensor(handle, other.handle, scalar(scale)))
    }
    /// Multiplies the elements by a number.
    ///
    /// Source: `torch.Tensor.mul_`.
    public func multiplyInPlace(_ value: Double) throws(TorchError) {
        try check(ct_mul__scalar(handle, scalar(value)))
    }
    /// Multiplies by another tensor's elements.
    ///
    /// Source: `torch.Tensor.mul_`.
    public func multiplyInPlace(_ other: Tensor) throws(TorchError) {
        try check(ct_mul__tensor(handle, other.handle))
    }
    /// Divides by another tensor's elements.
    ///
    /// Source: `torch.Tensor.div_`.
    public func divideInPlace(_ other: Tensor) throws(TorchError) {
        try check(ct_div__tensor(handle, other.handle))
    }
    /// Moves the elements towards `end`, in the same type, by a fraction of the way.
    public func lerpInPlace(_ end: Tensor, _ weight: Double) throws(TorchError) {
        try check(ct_lerp__scalar(handle, end.handle, scalar(weight)))
    }
    /// Adds `scale · a · b`.
    ///
    /// Source: `torch.Tensor.addcmul_`.
    public func addProductInPlace(_ a: Tensor, _ b: Tensor, scale: Double = 1) throws(TorchError) {
        try check(ct_addcmul_(handle, a.handle, b.handle, scalar(scale)))
    }
    /// Adds `scale · a / b`.
    ///
    /// Source: `torch.Tensor.addcdiv_`.
    public func addQuotientInPlace(_ a: Tensor, _ b: Tensor, scale: Double = 1) throws(TorchError) {
        try check(ct_addcdiv_(handle, a.handle, b.handle, scalar(scale)))
    }
    /// Sets all elements to zero.
    public func zeroInPlace() throws(TorchError) { try check(ct_zero_(handle)) }
    /// Sets all elements to a number.
    public func fillInPlace(_ value: Double) throws(TorchError) {
        try check(ct_fill__scalar(handle, scalar(value)))
    }
    /// Keeps those bits of whole numbers that are set in `mask`.
    ///
    /// Source: `torch.Tensor.bitwise_and_`.
    public func bitAndInPlace(_ mask: Int) throws(TorchError) {
        try check(ct_bitwise_and__scalar(handle, scalar(mask)))
    }
    /// Cuts elements to `min` … `max`; a bound that is nil is open.
    ///
    /// - Throws: `TorchError` also where both bounds are nil.
    public func clampInPlace(min: Double? = nil, max: Double? = nil) throws(TorchError) {
        let (low, high) = (min.map { [scalar($0)] }, max.map { [scalar($0)] })
        try check(ct_clamp_(handle, low, high))
    }
    /// Fills with draws from a Gaussian.
    ///
    /// - Parameters:
    ///   - mean: Its mean.
    ///   - deviation: Its standard deviation, 0 or more.
    ///   - generator: Of this tensor's device; its default one if nil.
    public func normalInPlace(
        mean: Double = 0, deviation: Double = 1, generator: Generator? = nil
    ) throws(TorchError) { try check(ct_normal_(handle, mean, deviation, generator?.handle)) }
    /// Fills with draws from an even distribution over [low, high).
    ///
    /// - Parameters:
    ///   - low: The least.
    ///   - high: The bound above, `low` or more.
    ///   - generator: Of this tensor's device; its default one if nil.
    public func uniformInPlace(
        _ low: Double, _ high: Double, generator: Generator? = nil
    ) throws(TorchError) { try check(ct_uniform_(handle, low, high, generator?.handle)) }
}

/// Operations on a whole list, which a GPU does in few calls.
///
/// Each throws `TorchError`, for an empty list too.
extension [Tensor] {
    /// Multiplies every tensor of the list by a number, in place.
    ///
    /// Source: `torch._foreach_mul_`.
    public func multiplyAllInPlace(_ value: Double) throws(TorchError) {
        try withHandles { (handles, count) throws(TorchError) in
            try check(ct__foreach_mul__scalar(handles, count, scalar(value)))
        }
    }
    /// Moves every tensor of the list towards its partner by a fraction of the way, in place.
    ///
    /// - Parameters:
    ///   - ends: One for each tensor, in its shape and type.
    ///   - weight: The fraction.
    ///
    /// Source: `torch._foreach_lerp_`.
    public func lerpAllInPlace(_ ends: [Tensor], _ weight: Double) throws(TorchError) {
        try withHandles { (handles, count) throws(TorchError) in
            try ends.withHandles { (endHandles, endCount) throws(TorchError) in
                try check(
                    ct__foreach_lerp__scalar(handles, count, endHandles, endCount, scalar(weight)))
            }
        }
    }
    /// The 2-norm of each tensor of the list, as numbers without axes.
    ///
    /// Source: `torch._foreach_norm`.
    public func norms() throws(TorchError) -> [Tensor] {
        try withHandles { (handles, count) throws(TorchError) in
            try Tensor.makeList { ct__foreach_norm_scalar(&$0, handles, count, scalar(2), -1) }
        }
    }
}
