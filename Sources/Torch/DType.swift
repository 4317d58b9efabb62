/// The type of a tensor's elements; raw values are libtorch's `ScalarType`.
public enum DType: Int32, Sendable, CaseIterable, Codable {
    /// Unsigned 8-bit integers.
    case uint8 = 0
    /// Signed 8-bit integers.
    case int8 = 1
    /// Signed 16-bit integers.
    case int16 = 2
    /// Signed 32-bit integers.
    case int32 = 3
    /// Signed 64-bit integers.
    case int64 = 4
    /// IEEE half precision.
    case float16 = 5
    /// IEEE single precision.
    case float32 = 6
    /// IEEE double precision.
    case float64 = 7
    /// True and false, a byte each.
    case bool = 11
    /// The upper half of single precision.
    case bfloat16 = 15
    /// 8 bits with 5 of exponent.
    case float8e5m2 = 23
    /// 8 bits with 4 of exponent, without infinities.
    case float8e4m3 = 24

    /// Bytes of one element.
    public var size: Int {
        switch self {
        case .uint8, .int8, .bool, .float8e5m2, .float8e4m3: 1
        case .int16, .float16, .bfloat16: 2
        case .int32, .float32: 4
        case .int64, .float64: 8
        }
    }

    /// Whether elements have a fraction.
    public var isFloatingPoint: Bool {
        switch self {
        case .float16, .float32, .float64, .bfloat16, .float8e5m2, .float8e4m3: true
        default: false
        }
    }
}

/// A Swift type whose values can be a tensor's elements.
public protocol TensorElement: Sendable {
    /// The element type on libtorch's side.
    static var dtype: DType { get }
}

extension Float: TensorElement {
    /// Single precision.
    public static var dtype: DType { .float32 }
}
extension Double: TensorElement {
    /// Double precision.
    public static var dtype: DType { .float64 }
}
extension Int64: TensorElement {
    /// 64-bit integers.
    public static var dtype: DType { .int64 }
}
extension Int32: TensorElement {
    /// 32-bit integers.
    public static var dtype: DType { .int32 }
}
extension UInt8: TensorElement {
    /// Bytes.
    public static var dtype: DType { .uint8 }
}
