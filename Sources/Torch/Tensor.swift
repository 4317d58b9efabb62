package import CTorch

/// A reference to a libtorch tensor.
///
/// Two names may share one tensor's memory, as views do; operations give new tensors unless their
/// name says that they work in place. A tensor may be used by one thread at a time.
public final class Tensor: @unchecked Sendable {
    package let handle: ct_tensor

    /// Takes over `handle`.
    init(owning handle: ct_tensor) { self.handle = handle }

    deinit { ct_tensor_free(handle) }

    /// The number of axes.
    public var rank: Int { Int(ct_tensor_rank(handle)) }

    /// The length of each axis.
    public var shape: [Int] { axes(ct_tensor_shape) }

    /// How many elements lie between neighbours along each axis.
    public var strides: [Int] { axes(ct_tensor_strides) }

    /// The number of elements.
    public var count: Int { Int(ct_tensor_count(handle)) }

    /// The bytes of the elements.
    package var byteCount: Int { count * dtype.size }

    /// The type of the elements.
    public var dtype: DType { DType(rawValue: ct_tensor_dtype(handle)) ?? .uint8 }

    /// Where the memory lies.
    public var device: Device { Device(ct_tensor_device(handle)) }

    /// Whether elements lie one after the other, the last axis fastest.
    public var isContiguous: Bool { ct_tensor_is_contiguous(handle) }

    /// How often this tensor, or one that shares its memory, was changed in place.
    package var version: Int { Int(ct_tensor_version(handle)) }

    /// The length of one axis; negative indices count from the end.
    public func dim(_ axis: Int) -> Int {
        let shape = self.shape
        return shape[axis < 0 ? shape.count + axis : axis]
    }

    private func axes(_ read: (ct_tensor, UnsafeMutablePointer<Int64>?) -> Void) -> [Int] {
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: Swift.max(rank, 1)) { buffer in
            read(handle, buffer.baseAddress)
            return (0..<rank).map { Int(buffer[$0]) }
        }
    }
}

extension Tensor: CustomStringConvertible {
    /// Shape, type and device, such as `(2, 3) float32 cpu`.
    public var description: String {
        "(\(shape.map(String.init).joined(separator: ", "))) \(dtype) \(device)"
    }
}

extension Tensor {
    /// Runs one call that gives one tensor.
    @inline(__always)
    static func make(_ body: (inout ct_tensor?) -> Int32) throws(TorchError) -> Tensor {
        var out: ct_tensor?
        try check(body(&out))
        guard let out else { throw TorchError(.invalid, "libtorch gave no tensor") }
        return Tensor(owning: out)
    }

    /// Runs one call that gives a list of tensors.
    @inline(__always)
    static func makeList(_ body: (inout ct_tensors) -> Int32) throws(TorchError) -> [Tensor] {
        var out = ct_tensors(items: nil, count: 0)
        try check(body(&out))
        return take(out).compactMap { $0 }
    }

    /// Takes over a list; what is null in it is nil.
    static func take(_ list: ct_tensors) -> [Tensor?] {
        defer { ct_tensors_free(list) }
        guard let items = list.items else { return [] }
        return (0..<Int(list.count)).map { items[$0].map(Tensor.init(owning:)) }
    }
}

/// A second handle onto the tensor behind `handle`, to be owned apart from it.
func secondHandle(to handle: ct_tensor) throws(TorchError) -> ct_tensor {
    var out: ct_tensor?
    try check(
        ct_tensor_convert(&out, handle, ct_device(type: -1, index: -1), -1, false, false))
    guard let out else { throw TorchError(.invalid, "libtorch gave no tensor") }
    return out
}

extension Tensor {
    func secondHandle() throws(TorchError) -> ct_tensor { try Torch.secondHandle(to: handle) }
}

@inline(__always)
func scalar(_ value: Double) -> ct_scalar { ct_scalar(is_int: false, d: value, i: 0) }

@inline(__always)
func scalar(_ value: Int) -> ct_scalar {
    ct_scalar(is_int: true, d: Double(value), i: Int64(value))
}

extension [Int] {
    var int64: [Int64] { map(Int64.init) }
}

extension [Tensor] {
    /// Calls `body` with the handles, which stay alive for the call.
    @inline(__always)
    func withHandles<R>(_ body: ([ct_tensor?], Int64) throws(TorchError) -> R) throws(TorchError)
        -> R
    {
        let handles: [ct_tensor?] = map(\.handle)
        let result = try body(handles, Int64(handles.count))
        withExtendedLifetime(self) {}
        return result
    }
}
