import CTorch

/// How the weights of a linear layer are stored in few bits.
public enum QuantizedFormat: String, CaseIterable, Sendable, Codable {
    /// Floating point in 8 bits, 4 of them exponent (e4m3), times scales.
    case fp8
    /// Whole numbers of 8 bits, times a scale for each row.
    case int8
    /// Whole numbers of 4 bits from -8 to 7, two in a byte, times a scale for each group.
    case int4
    /// ggml's blocks of 32 numbers of 8 bits with a scale.
    case q8_0
    /// ggml's blocks of 256 numbers of 4 bits, with eight scales and minima of 6 bits.
    case q4_k
    /// ggml's blocks of 256 numbers of 6 bits, with sixteen scales of 8 bits.
    case q6_k

    /// Numbers that are stored together.
    public var blockSize: Int {
        switch self {
        case .fp8, .int8: 1
        case .int4: 2
        case .q8_0: 32
        case .q4_k, .q6_k: 256
        }
    }

    /// Bytes of a block, without scales that are tensors of their own.
    public var blockBytes: Int {
        switch self {
        case .fp8, .int8, .int4: 1
        case .q8_0: 34
        case .q4_k: 144
        case .q6_k: 210
        }
    }

    /// The type of the tensor that holds the codes.
    public var codeType: DType {
        switch self {
        case .fp8: .float8e4m3
        case .int8: .int8
        case .int4, .q8_0, .q4_k, .q6_k: .uint8
        }
    }

    /// Whether the format is one of ggml's, whose scales lie in the blocks.
    public var isGGML: Bool { blockSize >= 32 }

    /// The format's number on the other side.
    var number: Int32 {
        let number =
            switch self {
            case .fp8: CT_QUANTIZED_FP8
            case .int8: CT_QUANTIZED_INT8
            case .int4: CT_QUANTIZED_INT4
            case .q8_0: CT_QUANTIZED_Q8_0
            case .q4_k: CT_QUANTIZED_Q4_K
            case .q6_k: CT_QUANTIZED_Q6_K
            }
        return Int32(number)
    }
}
