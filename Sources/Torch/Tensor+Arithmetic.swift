import CTorch

/// Arithmetic, element by element.
///
/// Shapes broadcast: axes are matched from the last, and an axis that is missing or of length 1 is
/// repeated. The result of several tensors has the broadcast shape, that of one tensor its shape.
/// Types follow torch's promotion: a `Double` makes float32 of whole numbers and leaves floats in
/// their type. Each operation gives a new tensor, and throws `TorchError` for shapes that do not
/// broadcast, for tensors of several devices, and for memory that does not suffice
/// (`.outOfMemory`).
///
/// Names are torch's in Swift's spelling, and operators are `torch.add`, `sub`, `mul`, `div` and
/// `neg`; where a name differs, its source is given.
extension Tensor {
    /// Sum, element by element.
    public static func + (a: Tensor, b: Tensor) throws(TorchError) -> Tensor {
        try make { ct_add_tensor(&$0, a.handle, b.handle, scalar(1)) }
    }
    /// Difference, element by element.
    public static func - (a: Tensor, b: Tensor) throws(TorchError) -> Tensor {
        try make { ct_sub_tensor(&$0, a.handle, b.handle, scalar(1)) }
    }
    /// Product, element by element.
    public static func * (a: Tensor, b: Tensor) throws(TorchError) -> Tensor {
        try make { ct_mul_tensor(&$0, a.handle, b.handle) }
    }
    /// Quotient, element by element.
    public static func / (a: Tensor, b: Tensor) throws(TorchError) -> Tensor {
        try make { ct_div_tensor(&$0, a.handle, b.handle) }
    }
    /// Adds a number to each element.
    public static func + (a: Tensor, b: Double) throws(TorchError) -> Tensor {
        try make { ct_add_scalar(&$0, a.handle, scalar(b), scalar(1)) }
    }
    /// Adds each element to a number.
    public static func + (a: Double, b: Tensor) throws(TorchError) -> Tensor { try b + a }
    /// Subtracts a number from each element.
    public static func - (a: Tensor, b: Double) throws(TorchError) -> Tensor {
        try make { ct_sub_scalar(&$0, a.handle, scalar(b), scalar(1)) }
    }
    /// Subtracts each element from a number.
    ///
    /// Source: `torch.rsub`.
    public static func - (a: Double, b: Tensor) throws(TorchError) -> Tensor {
        try make { ct_rsub_scalar(&$0, b.handle, scalar(a), scalar(1)) }
    }
    /// Multiplies each element by a number.
    public static func * (a: Tensor, b: Double) throws(TorchError) -> Tensor {
        try make { ct_mul_scalar(&$0, a.handle, scalar(b)) }
    }
    /// Multiplies a number by each element.
    public static func * (a: Double, b: Tensor) throws(TorchError) -> Tensor { try b * a }
    /// Divides each element by a number.
    public static func / (a: Tensor, b: Double) throws(TorchError) -> Tensor {
        try make { ct_div_scalar(&$0, a.handle, scalar(b)) }
    }
    /// Divides a number by each element, which rounds twice: the reciprocal, then its product.
    public static func / (a: Double, b: Tensor) throws(TorchError) -> Tensor {
        try b.reciprocal() * a
    }
    /// Changes each sign.
    public static prefix func - (a: Tensor) throws(TorchError) -> Tensor {
        try make { ct_neg(&$0, a.handle) }
    }

    /// Products of complex numbers, each a pair of a real and an imaginary part along the last
    /// axis.
    ///
    /// - Parameter other: Pairs `(…, 2)` in the same type, float32 or float64; axes before the last
    ///   broadcast.
    /// - Returns: Pairs `(…, 2)`, the axes before the last in the broadcast shape.
    /// - Throws: `TorchError` also where a last axis is not 2 long, or the two parts of a pair are
    ///   not neighbours in memory.
    ///
    /// Source: `torch.mul` of `torch.view_as_complex`.
    public func complexProduct(_ other: Tensor) throws(TorchError) -> Tensor {
        try .make { ct_complex_product(&$0, handle, other.handle) }
    }
    /// The larger element of each pair; NaN where either is.
    public func maximum(_ other: Tensor) throws(TorchError) -> Tensor {
        try .make { ct_maximum(&$0, handle, other.handle) }
    }
    /// The smaller element of each pair; NaN where either is.
    public func minimum(_ other: Tensor) throws(TorchError) -> Tensor {
        try .make { ct_minimum(&$0, handle, other.handle) }
    }
    /// Each element to the power of a number.
    public func pow(_ exponent: Double) throws(TorchError) -> Tensor {
        try .make { ct_pow_tensor_scalar(&$0, handle, scalar(exponent)) }
    }
    /// A number to the power of each element.
    public static func pow(_ base: Double, _ exponent: Tensor) throws(TorchError) -> Tensor {
        try make { ct_pow_scalar(&$0, scalar(base), exponent.handle) }
    }
    /// Remainder of the division by a number, with the number's sign.
    public func remainder(_ divisor: Double) throws(TorchError) -> Tensor {
        try .make { ct_remainder_scalar(&$0, handle, scalar(divisor)) }
    }
    /// Elements cut to `min` … `max`; a bound that is nil is open.
    ///
    /// - Throws: `TorchError` also where both bounds are nil.
    public func clamp(min: Double? = nil, max: Double? = nil) throws(TorchError) -> Tensor {
        let (low, high) = (min.map { [scalar($0)] }, max.map { [scalar($0)] })
        return try .make { ct_clamp(&$0, handle, low, high) }
    }
    /// `self + weight · (end − self)`, in the broadcast shape of both tensors, which have one type.
    public func lerp(_ end: Tensor, _ weight: Double) throws(TorchError) -> Tensor {
        try .make { ct_lerp_scalar(&$0, handle, end.handle, scalar(weight)) }
    }
    /// `self + weight · (end − self)`, a weight for each element, in the broadcast shape of all
    /// three tensors, which have one type.
    public func lerp(_ end: Tensor, _ weight: Tensor) throws(TorchError) -> Tensor {
        try .make { ct_lerp_tensor(&$0, handle, end.handle, weight.handle) }
    }
    /// `self + scale · a · b`, in the broadcast shape of all three tensors.
    ///
    /// Source: `torch.addcmul`.
    public func addProduct(_ a: Tensor, _ b: Tensor, scale: Double = 1) throws(TorchError)
        -> Tensor
    {
        if scale == 1, let result = try fusedAddProduct(a, b) { return result }
        return try .make { ct_addcmul(&$0, handle, a.handle, b.handle, scalar(scale)) }
    }

    /// Magnitudes.
    public func abs() throws(TorchError) -> Tensor { try .make { ct_abs(&$0, handle) } }
    /// eˣ.
    public func exp() throws(TorchError) -> Tensor { try .make { ct_exp(&$0, handle) } }
    /// Natural logarithm.
    public func log() throws(TorchError) -> Tensor { try .make { ct_log(&$0, handle) } }
    /// Square root.
    public func sqrt() throws(TorchError) -> Tensor { try .make { ct_sqrt(&$0, handle) } }
    /// One over the square root.
    public func rsqrt() throws(TorchError) -> Tensor { try .make { ct_rsqrt(&$0, handle) } }
    /// One over each element.
    public func reciprocal() throws(TorchError) -> Tensor {
        try .make { ct_reciprocal(&$0, handle) }
    }
    /// x².
    public func square() throws(TorchError) -> Tensor { try .make { ct_square(&$0, handle) } }
    /// Sine, of radians.
    public func sin() throws(TorchError) -> Tensor { try .make { ct_sin(&$0, handle) } }
    /// Cosine, of radians.
    public func cos() throws(TorchError) -> Tensor { try .make { ct_cos(&$0, handle) } }
    /// Hyperbolic tangent.
    public func tanh() throws(TorchError) -> Tensor { try .make { ct_tanh(&$0, handle) } }
    /// 1 / (1 + e⁻ˣ).
    public func sigmoid() throws(TorchError) -> Tensor { try .make { ct_sigmoid(&$0, handle) } }
    /// Largest whole number not above.
    public func floor() throws(TorchError) -> Tensor { try .make { ct_floor(&$0, handle) } }
    /// Nearest whole number, halves to even.
    public func round() throws(TorchError) -> Tensor { try .make { ct_round(&$0, handle) } }
    /// −1, 0 or 1.
    public func sign() throws(TorchError) -> Tensor { try .make { ct_sign(&$0, handle) } }
    /// Whether each element is neither infinite nor NaN, as bools.
    public func isFinite() throws(TorchError) -> Tensor { try .make { ct_isfinite(&$0, handle) } }
}

/// Comparisons and choices, element by element.
///
/// Shapes broadcast as in arithmetic, and a result has the broadcast shape. Comparisons and logic
/// give bools; logic takes any type, in which every number but 0 is true. Each operation throws
/// `TorchError` for shapes that do not broadcast and for memory that does not suffice
/// (`.outOfMemory`).
extension Tensor {
    /// Where elements are equal, as bools.
    ///
    /// Source: `torch.eq`.
    public func equal(_ other: Tensor) throws(TorchError) -> Tensor {
        try .make { ct_eq_tensor(&$0, handle, other.handle) }
    }
    /// Where elements equal a number, as bools.
    ///
    /// Source: `torch.eq`.
    public func equal(_ value: Double) throws(TorchError) -> Tensor {
        try .make { ct_eq_scalar(&$0, handle, scalar(value)) }
    }
    /// Where elements are below a number, as bools.
    ///
    /// Source: `torch.lt`.
    public func less(_ value: Double) throws(TorchError) -> Tensor {
        try .make { ct_lt_scalar(&$0, handle, scalar(value)) }
    }
    /// Where elements are below the other's, as bools.
    ///
    /// Source: `torch.lt`.
    public func less(_ other: Tensor) throws(TorchError) -> Tensor {
        try .make { ct_lt_tensor(&$0, handle, other.handle) }
    }
    /// Where elements are at most the other's, as bools.
    ///
    /// Source: `torch.le`.
    public func lessOrEqual(_ other: Tensor) throws(TorchError) -> Tensor {
        try .make { ct_le_tensor(&$0, handle, other.handle) }
    }
    /// Where elements are above a number, as bools.
    ///
    /// Source: `torch.gt`.
    public func greater(_ value: Double) throws(TorchError) -> Tensor {
        try .make { ct_gt_scalar(&$0, handle, scalar(value)) }
    }
    /// Where both are true, as bools.
    ///
    /// Source: `torch.logical_and`.
    public func and(_ other: Tensor) throws(TorchError) -> Tensor {
        try .make { ct_logical_and(&$0, handle, other.handle) }
    }
    /// Where one or both are true, as bools.
    ///
    /// Source: `torch.logical_or`.
    public func or(_ other: Tensor) throws(TorchError) -> Tensor {
        try .make { ct_logical_or(&$0, handle, other.handle) }
    }
    /// Where elements are false, as bools.
    ///
    /// Source: `torch.logical_not`.
    public func not() throws(TorchError) -> Tensor { try .make { ct_logical_not(&$0, handle) } }
    /// `a` where this is true, `b` elsewhere, in the broadcast shape of all three tensors.
    ///
    /// - Throws: `TorchError` also where this tensor holds neither bools nor bytes.
    ///
    /// Source: `torch.where`.
    public func select(_ a: Tensor, else b: Tensor) throws(TorchError) -> Tensor {
        try .make { ct_where_self(&$0, handle, a.handle, b.handle) }
    }
    /// A copy with `value` where `mask`, bools, is true, in this tensor's type and the broadcast
    /// shape.
    ///
    /// - Throws: `TorchError` also where the mask does not hold bools.
    ///
    /// Source: `torch.masked_fill`.
    public func filled(_ value: Double, where mask: Tensor) throws(TorchError) -> Tensor {
        try .make { ct_masked_fill_scalar(&$0, handle, mask.handle, scalar(value)) }
    }
}
