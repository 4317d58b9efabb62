import CTorch

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Keeps an object alive for as long as libtorch uses its memory.
private final class Keeper {
    let object: AnyObject
    init(_ object: AnyObject) { self.object = object }
}

/// Values in and out of tensors, and conversions.
///
/// What makes or reads a tensor throws `TorchError`, `.outOfMemory` where memory does not suffice.
/// Numbers that a type cannot hold are rounded or cut as torch does.
extension Tensor {
    /// Copies values into a new tensor of a shape, on the CPU in the type of `Element`.
    ///
    /// - Parameters:
    ///   - values: As many as the shape has elements, the last axis fastest.
    ///   - shape: The length of each axis; empty for one number without axes.
    /// - Throws: `TorchError` if the number of values isn't that of the shape.
    public convenience init<Element: TensorElement>(_ values: [Element], _ shape: [Int])
        throws(TorchError)
    {
        guard values.count == shape.reduce(1, *) else {
            throw TorchError(.invalid, "\(values.count) values do not fill the shape \(shape)")
        }
        let fresh = try Tensor.empty(shape, dtype: Element.dtype)
        values.withUnsafeBytes { bytes in
            if let source = bytes.baseAddress, bytes.count > 0 {
                memcpy(ct_tensor_data(fresh.handle), source, bytes.count)
            }
        }
        // An initializer can't return another object, hence a second handle.
        self.init(owning: try fresh.secondHandle())
    }

    /// Copies n values into a new tensor `(n)`, on the CPU in the type of `Element`.
    public convenience init<Element: TensorElement>(_ values: [Element]) throws(TorchError) {
        try self.init(values, [values.count])
    }

    /// A tensor over memory that belongs to somebody else, without a copy, on the CPU.
    ///
    /// - Parameters:
    ///   - memory: The elements, the last axis fastest; aligned for the type.
    ///   - shape: The length of each axis.
    ///   - dtype: The type of the elements.
    ///   - owner: Kept alive until libtorch no longer uses the memory.
    public static func borrowing(
        _ memory: UnsafeMutableRawPointer, _ shape: [Int], dtype: DType, owner: AnyObject
    ) throws(TorchError) -> Tensor {
        let shape = shape.int64
        let keeper = Unmanaged.passRetained(Keeper(owner)).toOpaque()
        return try make {
            ct_tensor_from_memory(
                &$0, memory, shape, Int64(shape.count), dtype.rawValue, keeper
            ) { if let context = $0 { Unmanaged<Keeper>.fromOpaque(context).release() } }
        }
    }

    /// The elements as Swift values, the last axis fastest, converted to `Element`.
    ///
    /// Waits for a GPU that has still to compute them.
    public func array<Element: TensorElement>(_ type: Element.Type = Element.self)
        throws(TorchError) -> [Element]
    {
        let flat = try to(.cpu, Element.dtype).contiguous()
        return try flat.withBytes { (bytes: UnsafeRawBufferPointer) throws(TorchError) in
            Array(bytes.bindMemory(to: Element.self))
        }
    }

    /// Calls `body` with the memory of a contiguous CPU tensor.
    ///
    /// - Throws: `TorchError` if it isn't contiguous or isn't on the CPU; what `body` throws.
    public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws(TorchError) -> R)
        throws(TorchError) -> R
    {
        guard isContiguous, device == .cpu else {
            throw TorchError(.invalid, "the memory of \(self) can't be read in place")
        }
        let bytes = UnsafeRawBufferPointer(
            start: ct_tensor_data(handle), count: count * dtype.size)
        let result = try body(bytes)
        withExtendedLifetime(self) {}
        return result
    }

    /// Calls `body` with the writable memory of a contiguous CPU tensor.
    ///
    /// - Throws: `TorchError` if it isn't contiguous or isn't on the CPU.
    public func withMutableBytes<R>(_ body: (UnsafeMutableRawBufferPointer) -> R)
        throws(TorchError) -> R
    {
        guard isContiguous, device == .cpu else {
            throw TorchError(.invalid, "the memory of \(self) can't be written in place")
        }
        let result = body(
            UnsafeMutableRawBufferPointer(start: ct_tensor_data(handle), count: count * dtype.size))
        withExtendedLifetime(self) {}
        return result
    }

    /// The only element, of a tensor of any shape with one element.
    ///
    /// - Throws: `TorchError` if there is not exactly one element.
    public func item() throws(TorchError) -> Double {
        var value = 0.0
        try check(ct_tensor_item(handle, &value))
        return value
    }

    /// The only element, as a whole number; a fraction is cut off.
    ///
    /// - Throws: `TorchError` if there is not exactly one element.
    ///
    /// Source: `torch.Tensor.item`.
    public func intItem() throws(TorchError) -> Int {
        var value: Int64 = 0
        try check(ct_tensor_item_int(handle, &value))
        return Int(value)
    }

    /// This tensor on a device and in a type; itself if it is so already.
    ///
    /// The shape stays. A conversion is part of the graph.
    /// - Parameters:
    ///   - device: Where to; nil stays.
    ///   - dtype: The type; nil stays.
    ///   - nonBlocking: Lets a copy from pinned memory to a GPU run on.
    /// - Throws: `TorchError` for a device that is not there, or that has no memory left
    ///   (`.outOfMemory`).
    public func to(_ device: Device? = nil, _ dtype: DType? = nil, nonBlocking: Bool = false)
        throws(TorchError) -> Tensor
    {
        let raw = device?.raw ?? ct_device(type: -1, index: -1)
        return try .make {
            ct_tensor_convert(&$0, handle, raw, dtype?.rawValue ?? -1, nonBlocking, false)
        }
    }

    /// This tensor in a type; itself if it has that type already.
    public func to(_ dtype: DType) throws(TorchError) -> Tensor { try to(nil, dtype) }

    /// The same bytes read as another type of the same size, in the same shape and memory.
    ///
    /// Source: `torch.Tensor.view` with a type.
    public func bitCast(_ dtype: DType) throws(TorchError) -> Tensor {
        try .make { ct_view_dtype(&$0, handle, dtype.rawValue) }
    }

    /// A copy in page-locked memory, from which a GPU can read while the program runs on; itself if
    /// it lies there already.
    ///
    /// - Throws: `TorchError` without a GPU, or for a tensor that is not on the CPU.
    ///
    /// Source: `torch.Tensor.pin_memory`.
    public func pinned() throws(TorchError) -> Tensor {
        try .make { ct_tensor_pinned(&$0, handle) }
    }
}
