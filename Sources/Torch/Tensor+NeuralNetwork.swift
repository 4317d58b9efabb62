import CTorch

/// The two forms of the Gaussian error linear unit.
public enum GELU: String, Sendable {
    /// With the error function.
    case exact = "none"
    /// With the tanh approximation.
    case tanh = "tanh"
}

/// What a loss does with its elements; raw values are libtorch's.
public enum LossReduction: Int64, Sendable {
    /// Each element's loss.
    case none = 0
    /// Their mean.
    case mean = 1
    /// Their sum.
    case sum = 2
}

/// Operations of neural networks, those of `torch.nn.functional`.
///
/// Weights have the input's type and device. What has no shape in its description keeps this
/// tensor's shape. Each operation throws `TorchError` for shapes or types that do not fit, and for
/// memory that does not suffice (`.outOfMemory`). Names are torch's in Swift's spelling; where a
/// name differs, its source is given.
extension Tensor {
    /// x · sigmoid(x).
    public func silu() throws(TorchError) -> Tensor { try .make { ct_silu(&$0, handle) } }
    /// Gaussian error linear unit, x · Φ(x).
    ///
    /// - Parameter form: How Φ, the share of a unit Gaussian below x, is computed.
    public func gelu(_ form: GELU) throws(TorchError) -> Tensor {
        try .make { ct_gelu(&$0, handle, form.rawValue) }
    }
    /// max(x, 0).
    public func relu() throws(TorchError) -> Tensor { try .make { ct_relu(&$0, handle) } }
    /// log(1 + eˣ); x itself above 20.
    public func softplus() throws(TorchError) -> Tensor {
        try .make { ct_softplus(&$0, handle, scalar(1), scalar(20)) }
    }
    /// Exponentials that sum to one along an axis, in this tensor's shape.
    public func softmax(_ axis: Int) throws(TorchError) -> Tensor {
        try .make { ct_softmax_int(&$0, handle, Int64(axis), -1) }
    }
    /// Logarithm of the softmax along an axis, in this tensor's shape.
    public func logSoftmax(_ axis: Int) throws(TorchError) -> Tensor {
        try .make { ct_log_softmax_int(&$0, handle, Int64(axis), -1) }
    }
    /// Mean 0 and variance 1 over the last axis, then weight and bias of that length.
    ///
    /// - Parameters:
    ///   - size: The length of the last axis.
    ///   - weight: `(size)`; ones if nil.
    ///   - bias: `(size)`; zeros if nil.
    ///   - eps: Added to the variance.
    /// - Returns: This tensor's shape, `(…, size)`.
    public func layerNorm(
        _ size: Int, weight: Tensor? = nil, bias: Tensor? = nil, eps: Double
    ) throws(TorchError) -> Tensor {
        let size = [Int64(size)]
        return try .make {
            ct_layer_norm(&$0, handle, size, 1, weight?.handle, bias?.handle, eps, true)
        }
    }
    /// Mean 0 and variance 1 over groups of channels of `(B, C, …)`.
    ///
    /// - Parameters:
    ///   - groups: How many; it divides C. A group's statistics span its channels and all later
    ///     axes.
    ///   - weight: `(C)`; ones if nil.
    ///   - bias: `(C)`; zeros if nil.
    ///   - eps: Added to the variance.
    /// - Returns: This tensor's shape.
    public func groupNorm(
        _ groups: Int, weight: Tensor?, bias: Tensor?, eps: Double
    ) throws(TorchError) -> Tensor {
        try .make {
            ct_group_norm(&$0, handle, Int64(groups), weight?.handle, bias?.handle, eps, true)
        }
    }
    /// Rows of `self`, `(n, C)`, for each index; the result has the indices' axes and C.
    ///
    /// - Parameter indices: int64 or int32 of any shape `(…)`, each in 0 ..< n.
    /// - Returns: `(…, C)`.
    /// - Throws: `TorchError` also for an index out of range, on the CPU; a GPU fails later.
    public func embedding(_ indices: Tensor) throws(TorchError) -> Tensor {
        try .make { ct_embedding(&$0, handle, indices.handle, -1, false, false) }
    }
    /// Convolution of `(B, C, h, w)` with weight `(out, C, kh, kw)`.
    ///
    /// - Parameters:
    ///   - weight: `(out, C, kh, kw)`.
    ///   - bias: `(out)`; zeros if nil.
    ///   - stride: Along height and width.
    ///   - padding: Zeros at both ends of height and width.
    /// - Returns: `(B, out, h', w')` with h' = ⌊(h + 2 · padding − kh) / stride⌋ + 1, and so the
    ///   width.
    public func conv2d(
        _ weight: Tensor, _ bias: Tensor?, stride: [Int] = [1, 1], padding: [Int] = [0, 0]
    ) throws(TorchError) -> Tensor {
        let (stride, padding, one) = (stride.int64, padding.int64, [Int64(1), 1])
        return try .make {
            ct_conv2d(
                &$0, handle, weight.handle, bias?.handle, stride, 2, padding, 2, one, 2, 1)
        }
    }
    /// Convolution of `(B, C, F, h, w)` with weight `(out, C, kf, kh, kw)`.
    ///
    /// - Parameters:
    ///   - weight: `(out, C, kf, kh, kw)`.
    ///   - bias: `(out)`; zeros if nil.
    ///   - stride: Along frames, height and width.
    ///   - padding: Zeros at both ends of frames, height and width.
    /// - Returns: `(B, out, F', h', w')` with F' = ⌊(F + 2 · padding − kf) / stride⌋ + 1, and so
    ///   height and width.
    public func conv3d(
        _ weight: Tensor, _ bias: Tensor?, stride: [Int] = [1, 1, 1], padding: [Int] = [0, 0, 0]
    ) throws(TorchError) -> Tensor {
        if let result = try fusedConvolution(weight, bias, stride: stride, padding: padding) {
            return result
        }
        let (stride, padding, one) = (stride.int64, padding.int64, [Int64(1), 1, 1])
        return try .make {
            ct_conv3d(
                &$0, handle, weight.handle, bias?.handle, stride, 3, padding, 3, one, 3, 1)
        }
    }
    /// Means over boxes of `(B, C, F, h, w)`; the stride is the box.
    ///
    /// - Parameter box: Its length along frames, height and width.
    /// - Returns: `(B, C, ⌊F / kf⌋, ⌊h / kh⌋, ⌊w / kw⌋)`; what fills no box is left out.
    ///
    /// Source: `torch.nn.functional.avg_pool3d`.
    public func averagePool3d(_ box: [Int]) throws(TorchError) -> Tensor {
        let box = box.int64
        return try .make {
            ct_avg_pool3d(&$0, handle, box, 3, box, 3, [0, 0, 0], 3, false, true, nil)
        }
    }
    /// The means of `(B, C, h, w)` over squares that lie side by side.
    ///
    /// - Parameter side: Pixels each way.
    /// - Returns: `(B, C, ⌊h / side⌋, ⌊w / side⌋)`.
    public func averagePool2d(_ side: Int) throws(TorchError) -> Tensor {
        let box = [side, side].int64
        return try .make {
            ct_avg_pool2d(&$0, handle, box, 2, box, 2, [0, 0], 2, false, true, nil)
        }
    }
    /// The largest of `(B, C, h, w)` in squares.
    ///
    /// - Parameters:
    ///   - side: Pixels each way.
    ///   - stride: Pixels from one square to the next.
    /// - Returns: `(B, C, h', w')` with h' = ⌊(h − side) / stride⌋ + 1, and so the width.
    public func maxPool2d(_ side: Int, stride: Int) throws(TorchError) -> Tensor {
        let (box, steps, one) = ([side, side].int64, [stride, stride].int64, [Int64(1), 1])
        return try .make {
            ct_max_pool2d(&$0, handle, box, 2, steps, 2, [0, 0], 2, one, 2, false)
        }
    }
    /// How pixels between pixels are found.
    public enum Interpolation: Sendable {
        /// By the four around; `true` where the corners' centres fall on corners' centres.
        case bilinear(alignsCorners: Bool)
        /// By Keys' cubic with a = -0.75 of the sixteen around.
        case bicubic
    }
    /// `(B, C, h, w)` at another size; a smaller picture is not blurred first.
    ///
    /// - Parameters:
    ///   - size: Height and width.
    ///   - interpolation: How pixels between pixels are found.
    ///
    /// Source: `torch.nn.functional.interpolate`.
    public func resized(_ size: [Int], _ interpolation: Interpolation) throws(TorchError) -> Tensor
    {
        let size = size.int64
        switch interpolation {
        case .bilinear(let alignsCorners):
            return try .make {
                ct_upsample_bilinear2d_vec(&$0, handle, size, 2, alignsCorners, nil, 0)
            }
        case .bicubic:
            return try .make { ct_upsample_bicubic2d_vec(&$0, handle, size, 2, false, nil, 0) }
        }
    }
    /// `(B, C, h, w)` at the places of a grid, by the four pixels around; outside are zeros.
    ///
    /// - Parameter grid: `(B, h', w', 2)`: across and down, -1 and 1 for the centres of the first
    ///   and last pixel.
    /// - Returns: `(B, C, h', w')`.
    ///
    /// Source: `torch.nn.functional.grid_sample` with aligned corners.
    public func gridSampled(_ grid: Tensor) throws(TorchError) -> Tensor {
        try .make { ct_grid_sampler_2d(&$0, handle, grid.handle, 0, 0, true) }
    }
    /// Each element repeated, `(B, C, F, h, w)` by three whole factors.
    ///
    /// - Parameter factors: Of frames, height and width.
    /// - Returns: `(B, C, F · f₁, h · f₂, w · f₃)`.
    ///
    /// Source: `torch.nn.functional.interpolate`, mode `nearest`.
    public func upsampleNearest3d(_ factors: [Int]) throws(TorchError) -> Tensor {
        let factors = factors.map(Double.init)
        return try .make { ct_upsample_nearest3d_vec(&$0, handle, nil, 0, factors, 3) }
    }
    /// Attention of queries `(B, H, L, D)` over keys and values `(B, H, S, D)`.
    ///
    /// - Parameters:
    ///   - q: Queries, `(B, H, L, D)`.
    ///   - k: Keys, `(B, H, S, D)`.
    ///   - v: Values, `(B, H, S, D)`.
    ///   - mask: Bools, true where a query may look, or numbers to add to the scores; it must
    ///     broadcast to `(B, H, L, S)`.
    ///   - causal: Each query sees keys up to its own place; not together with a mask.
    ///   - scale: Factor of the scores; 1/√D if nil.
    ///   - groupedQueries: Keys and values have fewer heads, a divisor of H, each for a run of
    ///     query heads.
    /// - Returns: `(B, H, L, D)`.
    ///
    /// Source: `torch.nn.functional.scaled_dot_product_attention`, without dropout.
    public static func attention(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, mask: Tensor? = nil, causal: Bool = false,
        scale: Double? = nil, groupedQueries: Bool = false
    ) throws(TorchError) -> Tensor {
        if mask == nil, !causal, !groupedQueries {
            if let result = try fusedAttention(q, k, v, scale: scale) { return result }
            if let result = try chosenAttention(q, k, v, scale: scale) { return result }
        }
        let scale = scale.map { [$0] }
        return try make {
            ct_scaled_dot_product_attention(
                &$0, q.handle, k.handle, v.handle, mask?.handle, 0, causal, scale,
                groupedQueries)
        }
    }
    /// Squared differences: one number without axes, or with `.none` one for each element.
    ///
    /// - Parameters:
    ///   - target: In this tensor's shape, or one that broadcasts with it.
    ///   - reduction: What becomes of the elements.
    ///
    /// Source: `torch.nn.functional.mse_loss`.
    public func squaredError(_ target: Tensor, _ reduction: LossReduction = .mean)
        throws(TorchError) -> Tensor
    { try .make { ct_mse_loss(&$0, handle, target.handle, reduction.rawValue) } }
    /// Absolute differences: one number without axes, or with `.none` one for each element.
    ///
    /// - Parameters:
    ///   - target: In this tensor's shape, or one that broadcasts with it.
    ///   - reduction: What becomes of the elements.
    ///
    /// Source: `torch.nn.functional.l1_loss`.
    public func absoluteError(_ target: Tensor, _ reduction: LossReduction = .mean)
        throws(TorchError) -> Tensor
    { try .make { ct_l1_loss(&$0, handle, target.handle, reduction.rawValue) } }
}
