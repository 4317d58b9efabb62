public import Torch

/// How a step's result in float32 gets into a weight.
struct StoredWeight {
    /// The weight's own tensor.
    let tensor: Tensor
    /// Whether a weight in bfloat16 is rounded at random instead of to the nearest.
    let roundsStochastically: Bool

    /// The weight in float32: itself where it has that type.
    func value() throws -> Tensor { try tensor.to(.float32) }

    /// Overwrites the weight.
    ///
    /// The draws follow from the step and the weight's place in the list alone, so that a continued
    /// run draws the same.
    func set(_ changed: Tensor, step: Double, index: Int) throws {
        guard tensor.dtype == .bfloat16, roundsStochastically else {
            return try tensor.copy(from: changed)
        }
        let seed = UInt64(step) &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(index)
        let generator = try Generator(seed: seed, device: tensor.device)
        try tensor.copy(from: changed.roundedStochastically(generator))
    }
}

extension Tensor {
    /// Values of float32 in bfloat16, rounded up or down with the odds of how near either is.
    ///
    /// The mean over many draws is the value itself. Not a number and infinity stay.
    /// - Parameter generator: One of this tensor's device, which draws a number for each element.
    /// - Returns: This tensor's shape.
    /// - Throws: `TorchError` for a tensor whose elements do not have 4 bytes.
    public func roundedStochastically(_ generator: Generator) throws -> Tensor {
        let draws = try Tensor.randint(
            0..<65536, shape, generator: generator, dtype: .int32, device: device)
        let bits = try contiguous().bitCast(.int32) + draws
        try bits.bitAndInPlace(-65536)
        let rounded = try bits.bitCast(.float32)
        return try isFinite().select(rounded, else: self).to(.bfloat16)
    }
}

/// Which types of weights an optimizer of Adam's kind changes.
///
/// - Throws: `OptimizerError` that names a parameter of another type.
func checkTypes(_ parameters: [(name: String, dtype: DType)], of optimizer: String) throws {
    if let other = parameters.first(where: { $0.dtype != .float32 && $0.dtype != .bfloat16 }) {
        throw OptimizerError(
            """
            \(optimizer) changes parameters in float32 or bfloat16, and \(other.name) is \
            \(other.dtype); keep the weights in one of those
            """)
    }
}
