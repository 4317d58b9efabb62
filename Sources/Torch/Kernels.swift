import CTorch

/// Which kernels compute what a network asks for.
///
/// Both give the same numbers up to rounding, of which fused kernels do less: what is joined stays
/// in float32 in between.
public enum Kernels: String, Sendable, CaseIterable, Codable {
    /// libtorch's operations, one after the other, with the reference's roundings.
    case plain
    /// Kernels of our own where there are some for the processor or the GPU, the types and the sizes,
    /// and no gradients are recorded; elsewhere libtorch's operations, in an order that has less to do
    /// where there is one (`RepeatedConvolution`).
    case fused

    /// What holds in this task and thread: `Kernels.$current.withValue(.plain) { … }` changes it.
    @TaskLocal public static var current: Kernels = .fused

    /// Runs `body` with the plain kernels and without gradients: the reference's own numbers.
    package static func plainly<Result>(_ body: () throws -> Result) rethrows -> Result {
        try $current.withValue(.plain) { try withoutGradients(body) }
    }

    /// The instructions that the fused kernels use: AVX2, AVX512, AVX512-BF16, or none.
    ///
    /// The environment's `ATEN_CPU_CAPABILITY` (`default`, `avx2`, `avx512`) lowers them.
    public static var instructions: String { String(cString: ct_kernels_name()) }

    /// The level of the instructions, 0 for none to 3 for AVX512-BF16.
    package static var level: Int { Int(ct_kernels_level()) }

    /// Whether fp8 weights are multiplied in 8 bits, each row of the activations rounded to fp8 with a
    /// scale of its own, where kernels are fused and a GPU can (from compute capability 8.9 on).
    ///
    /// That is quicker and less exact: elsewhere the weights become numbers of the activations' type.
    @TaskLocal public static var multipliesFP8 = false

    /// Whether these kernels multiply pairs in bfloat16 and add them up in float32 on this processor.
    public var multiplyHalves: Bool { self == .fused && Self.level == 3 }

    /// Whether the kernels here and now multiply bytes and add them up in 32 bits.
    public static var multiplyBytes: Bool {
        current == .fused && ct_kernels_multiply_bytes() != 0
    }

    /// Takes no instructions above a level, on this thread.
    package static func limit(to level: Int) { ct_kernels_limit(Int32(level)) }

    /// Whether fused kernels may be taken here and now.
    package static var areFused: Bool { current == .fused && !gradientsEnabled }
}

extension Tensor {
    /// Mean 0 and variance 1 over the last axis of `(B, L, C)`, times a factor, plus a shift.
    ///
    /// - Parameters:
    ///   - factor: `(B, 1, C)`, or `(1, 1, C)` for all samples.
    ///   - shift: The same.
    ///   - eps: Added to the variance.
    /// - Returns: nil where no kernel fits.
    package func fusedLayerNorm(factor: Tensor, shift: Tensor, eps: Double) throws(TorchError)
        -> Tensor?
    {
        guard Kernels.areFused else { return nil }
        return try .fused {
            ct_kernels_norm_modulate(handle, factor.handle, shift.handle, eps, &$0)
        }
    }

    /// Root mean square 1 over the last axis of `(B, N, H, D)`, times a weight; pairs of channels of
    /// the first L tokens then turn.
    ///
    /// - Parameters:
    ///   - weight: `(D)`.
    ///   - phases: Cosine and sine of each pair, `(B or 1, L, 1, D/2, 2)` in float32; nil turns none.
    ///   - eps: Added to the mean square.
    /// - Returns: nil where no kernel fits.
    package func fusedRMSNorm(weight: Tensor, phases: Tensor?, eps: Double) throws(TorchError)
        -> Tensor?
    {
        guard Kernels.areFused else { return nil }
        return try .fused {
            ct_kernels_norm_rotate(handle, weight.handle, phases?.handle, eps, &$0)
        }
    }

    /// Attention of queries `(B, H, L, D)` over keys and values `(B, H, S, D)`, all of them.
    ///
    /// - Returns: `(B, H, L, D)`, a view of `(B, L, H, D)`; nil where no kernel fits.
    static func fusedAttention(_ q: Tensor, _ k: Tensor, _ v: Tensor, scale: Double?)
        throws(TorchError) -> Tensor?
    {
        guard Kernels.areFused, q.rank == 4, k.rank == 4, v.rank == 4 else { return nil }
        let scale = scale ?? 1 / Double(q.dim(-1)).squareRoot()
        let (q, k, v) = (
            try q.transpose(1, 2), try k.transpose(1, 2), try v.transpose(1, 2)
        )
        return try fused {
            ct_kernels_attention(q.handle, k.handle, v.handle, scale, &$0)
        }?.transpose(1, 2)
    }

    /// What a causal convolution takes in: edges of `(B, C, F, h, w)` replicated, after a group norm
    /// and SiLU if there is a norm.
    ///
    /// - Parameters:
    ///   - norm: How many groups, weight and bias `(C)`, and what is added to the variance.
    ///   - front: Frames in front.
    ///   - side: Pixels on each side.
    /// - Returns: `(B, C, F + front, h + 2 · side, w + 2 · side)`, channels side by side; nil where
    ///   no kernel fits.
    package func fusedFrame(
        _ norm: (groups: Int, weight: Tensor, bias: Tensor, eps: Double)?, front: Int, side: Int
    ) throws(TorchError) -> Tensor? {
        guard rank == 5 else { return nil }
        let rows = 0..<dim(3) + 2 * side
        guard let norm else {
            return try fusedFrame(scales: nil, front: front, side: side, rows: rows)
        }
        let scales = try fusedChannelScales(
            norm.groups, weight: norm.weight, bias: norm.bias, eps: norm.eps)
        guard let scales else { return nil }
        return try fusedFrame(scales: scales, front: front, side: side, rows: rows)
    }

    /// Some rows of what a causal convolution takes in.
    ///
    /// - Parameters:
    ///   - scales: What each channel is multiplied by, and what is added, before SiLU, `(B, 2, C)` in
    ///     float32; nil for the clip as it is.
    ///   - front: Frames in front.
    ///   - side: Pixels on each side.
    ///   - rows: Which of its `h + 2 · side` rows.
    /// - Returns: `(B, C, F + front, rows, w + 2 · side)`, channels side by side; nil where no kernel
    ///   fits.
    package func fusedFrame(scales: Tensor?, front: Int, side: Int, rows: Range<Int>)
        throws(TorchError) -> Tensor?
    {
        guard Kernels.areFused else { return nil }
        return try .fused {
            ct_kernels_frame(
                handle, scales?.handle, Int64(front), Int64(side), Int64(rows.lowerBound),
                Int64(rows.count), &$0)
        }
    }

    /// What a group norm of `(B, C, F, h, w)` multiplies each channel by, and what it adds.
    ///
    /// - Parameters:
    ///   - groups: How many groups of channels.
    ///   - weight: `(C)`.
    ///   - bias: `(C)`.
    ///   - eps: Added to the variance.
    /// - Returns: `(B, 2, C)` in float32; nil where no kernel fits.
    package func fusedChannelScales(_ groups: Int, weight: Tensor, bias: Tensor, eps: Double)
        throws(TorchError) -> Tensor?
    {
        guard Kernels.areFused else { return nil }
        return try .fused {
            ct_kernels_channel_scales(
                handle, Int64(groups), weight.handle, bias.handle, eps, &$0)
        }
    }

    /// A convolution's weights, in the order in which oneDNN reads them for this input.
    ///
    /// - Parameter weight: `(out, C, kf, kh, kw)`, or with fewer axes.
    /// - Returns: What ``fusedConvolution(_:_:adding:stride:padding:)`` takes as a weight; nil where
    ///   oneDNN is not there, or does not compute in the type.
    package func packedConvolutionWeight(_ weight: Tensor, stride: [Int]) throws(TorchError)
        -> Tensor?
    {
        guard Kernels.areFused else { return nil }
        let stride = stride.int64
        return try .fused {
            ct_kernels_pack_convolution(
                handle, weight.handle, stride, Int64(stride.count), &$0)
        }
    }

    /// Convolution of `(B, C, F, h, w)`, or with fewer axes, by oneDNN, whatever the size; libtorch
    /// takes slower ways for small ones.
    ///
    /// - Parameter added: Of the result's shape; added before the result is rounded.
    /// - Returns: nil where oneDNN is not there, or does not compute in the type.
    package func fusedConvolution(
        _ weight: Tensor, _ bias: Tensor?, adding added: Tensor? = nil, stride: [Int],
        padding: [Int]
    ) throws(TorchError) -> Tensor? {
        guard Kernels.areFused else { return nil }
        let (stride, padding) = (stride.int64, padding.int64)
        return try .fused {
            ct_kernels_convolution(
                handle, weight.handle, bias?.handle, added?.handle, stride, padding,
                Int64(stride.count), &$0)
        }
    }

    /// `x · weightᵀ + bias` over the last axis, then an activation, by oneDNN; libtorch has
    /// single precision multiplied by MKL, which takes half of what other makers' processors can.
    ///
    /// On a GPU cuBLAS joins the product and GELU in its form with a tangent.
    ///
    /// - Returns: nil where oneDNN is not there, or does not compute in the type; on a GPU without that
    ///   activation or a bias.
    package func fusedLinear(_ weight: Tensor, _ bias: Tensor?, then activation: Activation?)
        throws(TorchError) -> Tensor?
    {
        // It has no such activation.
        guard Kernels.areFused, activation != .quickGELU else { return nil }
        let name =
            switch activation {
            case nil: "none"
            case .silu: "swish"
            default: "gelu"
            }
        let form = if case .gelu(let form) = activation { form.rawValue } else { "" }
        return try .fused {
            ct_kernels_linear(handle, weight.handle, bias?.handle, name, form, &$0)
        }
    }

    /// A linear layer's weight out of the bytes in which it is stored.
    ///
    /// - Parameters:
    ///   - scales: `(out or 1, groups)` in float32 or bfloat16; nil for none.
    ///   - format: How these codes are to be read.
    ///   - columns: The weights of a row.
    ///   - group: The columns that share a scale.
    ///   - dtype: float32 or bfloat16.
    /// - Returns: `(out, columns)` for these codes `(out, bytes)`; nil where no kernel fits.
    package func fusedDecoded(
        scales: Tensor?, format: QuantizedFormat, columns: Int, group: Int, dtype: DType
    ) throws(TorchError) -> Tensor? {
        guard Kernels.current == .fused, dtype == .float32 || dtype == .bfloat16 else {
            return nil
        }
        return try .fused {
            ct_kernels_decode(
                handle, scales?.handle, format.number, Int64(columns), Int64(group),
                dtype == .bfloat16 ? 1 : 0, &$0)
        }
    }

    /// Signed bytes `(out, C)` in the order in which oneDNN reads them.
    ///
    /// - Returns: nil where the processor does not multiply bytes.
    package func packedBytes() throws(TorchError) -> Tensor? {
        guard Kernels.areFused else { return nil }
        return try .fused { ct_kernels_pack_bytes(handle, &$0) }
    }

    /// `x · (codes · scales)ᵀ + bias` over the last axis, then an activation; each row of `x` is
    /// rounded to eight bits with a scale of its own.
    ///
    /// - Parameters:
    ///   - codes: What ``packedBytes()`` gave; on a GPU the bytes themselves.
    ///   - scales: `(out, 1)` in float32.
    /// - Returns: nil where no kernel fits.
    package func fusedByteProduct(
        _ codes: Tensor, scales: Tensor, _ bias: Tensor?, then activation: Activation?
    ) throws(TorchError) -> Tensor? {
        let number: Int32? =
            switch activation {
            case nil: 0
            case .silu: 1
            case .gelu(.tanh): 2
            default: nil
            }
        guard Kernels.areFused, let number else { return nil }
        return try .fused {
            ct_kernels_linear_bytes(
                handle, codes.handle, scales.handle, bias?.handle, number, &$0)
        }
    }

    static func fused(_ body: (inout ct_tensor?) -> Int32) throws(TorchError) -> Tensor? {
        var handle: ct_tensor?
        try check(body(&handle))
        return handle.map(Tensor.init(owning:))
    }
}
