import CTorch

/// A stream of random numbers with a seed and a state of its own.
///
/// On the CPU it gives PyTorch's numbers for the same seed, type and shape.
public final class Generator: @unchecked Sendable {
    let handle: ct_generator

    /// Starts a stream.
    ///
    /// - Throws: `TorchError` if the device isn't there.
    public init(seed: UInt64, device: Device = .cpu) throws(TorchError) {
        var out: ct_generator?
        try check(ct_generator_new(&out, device.raw, seed))
        guard let out else { throw TorchError(.invalid, "libtorch gave no generator") }
        handle = out
    }

    deinit { ct_generator_free(handle) }

    /// Where the stream stands, as bytes to be stored and set again, `(n)` of uint8.
    public func state() throws(TorchError) -> Tensor {
        try .make { ct_generator_state(&$0, handle) }
    }

    /// Continues from a stored state.
    ///
    /// - Parameter state: What ``state()`` gave, `(n)` of uint8 on the CPU.
    /// - Throws: `TorchError` for a state of another kind of device, or of another size.
    public func setState(_ state: Tensor) throws(TorchError) {
        try check(ct_generator_set_state(handle, state.handle))
    }
}
