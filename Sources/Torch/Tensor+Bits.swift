import CTorch

/// Bits of whole numbers.
extension Tensor {
    /// Some bits of each element, shifted to the lower end, in this tensor's shape and type.
    ///
    /// - Parameter range: The first bit, counted from the lowest, and the one after the last.
    /// - Throws: `TorchError` for numbers that are not whole.
    package func bits(_ range: Range<Int>) throws(TorchError) -> Tensor {
        let shifted: Tensor =
            range.lowerBound == 0
            ? self
            : try .make {
                ct_bitwise_right_shift_tensor_scalar(&$0, handle, scalar(range.lowerBound))
            }
        return try .make {
            ct_bitwise_and_scalar(&$0, shifted.handle, scalar((1 << range.count) - 1))
        }
    }

    /// The bits of each element moved up, in this tensor's shape and type.
    ///
    /// - Throws: `TorchError` for numbers that are not whole.
    package func shifted(up count: Int) throws(TorchError) -> Tensor {
        try .make { ct_bitwise_left_shift_tensor_scalar(&$0, handle, scalar(count)) }
    }
}
