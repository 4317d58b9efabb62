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

extension Tensor {
    /// x · sigmoid(x).
    public func silu() throws(TorchError) -> Tensor { try .make { ct_silu(&$0, handle) } }
    /// Gaussian error linear unit.
    public func gelu(_ form: GELU) throws(TorchError) -> Tensor {
        try .make { ct_gelu(&$0, handle, form.rawValue) }
    }
    /// max(x, 0).
    public func relu() throws(TorchError) -> Tensor { try .make { ct_relu(&$0, handle) } }
    /// log(1 + eˣ).
    public func softplus() throws(TorchError) -> Tensor {
        try .make { ct_softplus(&$0, handle, scalar(1), scalar(20)) }
    }
    /// Exponentials that sum to one along an axis.
    public func softmax(_ axis: Int) throws(TorchError) -> Tensor {
        try .make { ct_softmax_int(&$0, handle, Int64(axis), -1) }
    }
    /// Logarithm of the softmax along an axis.
    public func logSoftmax(_ axis: Int) throws(TorchError) -> Tensor {
        try .make { ct_log_softmax_int(&$0, handle, Int64(axis), -1) }
    }
    /// Mean 0 and variance 1 over the last axis, then weight and bias of that length.
    public func layerNorm(
        _ size: Int, weight: Tensor? = nil, bias: Tensor? = nil, eps: Double
    ) throws(TorchError) -> Tensor {
        let size = [Int64(size)]
        return try .make {
            ct_layer_norm(&$0, handle, size, 1, weight?.handle, bias?.handle, eps, true)
        }
    }
    /// Mean 0 and variance 1 over groups of channels of `(B, C, …)`.
    public func groupNorm(
        _ groups: Int, weight: Tensor?, bias: Tensor?, eps: Double
    ) throws(TorchError) -> Tensor {
        try .make {
            ct_group_norm(&$0, handle, Int64(groups), weight?.handle, bias?.handle, eps, true)
        }
    }
    /// Rows of `self`, `(n, C)`, for each index; the result has the indices' axes and C.
    public func embedding(_ indices: Tensor) throws(TorchError) -> Tensor {
        try .make { ct_embedding(&$0, handle, indices.handle, -1, false, false) }
    }
    /// Convolution of `(B, C, h, w)` with weight `(out, C, kh, kw)`.
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
    public func conv3d(
        _ weight: Tensor, _ bias: Tensor?, stride: [Int] = [1, 1, 1], padding: [Int] = [0, 0, 0]
    ) throws(TorchError) -> Tensor {
        let (stride, padding, one) = (stride.int64, padding.int64, [Int64(1), 1, 1])
        return try .make {
            ct_conv3d(
                &$0, handle, weight.handle, bias?.handle, stride, 3, padding, 3, one, 3, 1)
        }
    }
    /// Means over boxes of `(…, F, h, w)`; the stride is the box.
    public func averagePool3d(_ box: [Int]) throws(TorchError) -> Tensor {
        let box = box.int64
        return try .make {
            ct_avg_pool3d(&$0, handle, box, 3, box, 3, [0, 0, 0], 3, false, true, nil)
        }
    }
    /// Each element repeated, `(B, C, F, h, w)` by three whole factors.
    public func upsampleNearest3d(_ factors: [Int]) throws(TorchError) -> Tensor {
        let factors = factors.map(Double.init)
        return try .make { ct_upsample_nearest3d_vec(&$0, handle, nil, 0, factors, 3) }
    }
    /// Attention of queries `(B, H, L, D)` over keys and values `(B, H, S, D)`.
    ///
    /// - Parameters:
    ///   - mask: Bools, true where a query may look, or numbers to add to the scores; it must
    ///     broadcast to `(B, H, L, S)`.
    ///   - causal: Each query sees keys up to its own place.
    ///   - scale: Factor of the scores; 1/√D if nil.
    ///   - groupedQueries: Keys and values have fewer heads, each for a run of query heads.
    /// - Returns: `(B, H, L, D)`.
    public static func attention(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, mask: Tensor? = nil, causal: Bool = false,
        scale: Double? = nil, groupedQueries: Bool = false
    ) throws(TorchError) -> Tensor {
        let scale = scale.map { [$0] }
        return try make {
            ct_scaled_dot_product_attention(
                &$0, q.handle, k.handle, v.handle, mask?.handle, 0, causal, scale,
                groupedQueries)
        }
    }
    /// Squared differences.
    public func squaredError(_ target: Tensor, _ reduction: LossReduction = .mean)
        throws(TorchError) -> Tensor
    { try .make { ct_mse_loss(&$0, handle, target.handle, reduction.rawValue) } }
    /// Absolute differences.
    public func absoluteError(_ target: Tensor, _ reduction: LossReduction = .mean)
        throws(TorchError) -> Tensor
    { try .make { ct_l1_loss(&$0, handle, target.handle, reduction.rawValue) } }
}
