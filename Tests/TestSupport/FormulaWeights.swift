public import Torch
public import TorchNN

/// Weights that follow from their names, so that a fixture need not store them.
///
/// `Tools/fixtures/predictors.py` computes the same numbers.
public struct FormulaWeights: WeightSource {
    /// The source.
    public init() {}

    /// True: there is a value for every name.
    public func contains(_ name: String) -> Bool { true }

    /// Numbers around 0, or around 1 for the scales of norms; matrices keep the size of what goes in.
    public func tensor(_ name: String, shape: [Int], initialization: Initialization) throws
        -> Tensor
    {
        let count = shape.reduce(1, *)
        let (spread, centre): (Double, Double) =
            if shape.count > 1 {
                name.hasSuffix("weight")
                    ? ((3 / Double(count / shape[0])).squareRoot(), 0) : (0.5, 0)
            } else if name.hasSuffix("running_var") {
                (0.3, 1)
            } else if name.hasSuffix("weight") {
                (0.2, 1)
            } else {
                (name.hasSuffix("embedding") ? 0.5 : 0.1, 0)
            }
        let result = try Tensor.empty(shape)
        try result.withMutableBytes { bytes in
            Formula.fill(bytes.bindMemory(to: Float.self), name) { Float(spread * $0 + centre) }
        }
        return result
    }
}

/// Numbers and pictures that follow from a name.
public enum Formula {
    /// 8-bit levels, row by row.
    public static func levels(_ name: String, count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            fill(buffer, name) { UInt8(128 + (128 * $0).rounded(.down)) }
            initialized = count
        }
    }

    /// Evenly spread numbers in [-1, 1): the upper 24 bits of SplitMix64, from the FNV-1a hash of a
    /// name.
    static func fill<Value>(
        _ buffer: UnsafeMutableBufferPointer<Value>, _ name: String, _ value: (Double) -> Value
    ) {
        var state = name.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) {
            ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3
        }
        for at in 0..<buffer.count {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            mixed ^= mixed >> 31
            buffer[at] = value(Double(mixed >> 40) / 8_388_608 - 1)
        }
    }
}
