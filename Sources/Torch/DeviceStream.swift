import CTorch

/// A queue of work on a device: what is in two of them runs side by side.
package struct DeviceStream: Sendable {
    private let raw: ct_stream

    /// A stream of the device's own, on which copies run beside the computation.
    ///
    /// - Throws: `TorchError` for a device without streams, such as the CPU.
    package init(on device: Device) throws(TorchError) {
        var raw = ct_stream()
        try check(ct_stream_new(device.raw, &raw))
        self.raw = raw
    }

    private init(_ raw: ct_stream) { self.raw = raw }

    /// The stream on which this thread's operations on the device run.
    package static func current(on device: Device) throws(TorchError) -> DeviceStream {
        var raw = ct_stream()
        try check(ct_stream_current(device.raw, &raw))
        return DeviceStream(raw)
    }

    /// Has all later work wait for an event; the caller does not wait.
    package func wait(for event: DeviceEvent) throws(TorchError) {
        try check(ct_stream_wait(raw, event.handle))
    }

    /// The point after all work that is in the stream now.
    package func event() throws(TorchError) -> DeviceEvent {
        var handle: ct_event?
        try check(ct_event_record(raw, &handle))
        guard let handle else { throw TorchError(.invalid, "the device gave no event") }
        return DeviceEvent(handle)
    }

    /// Copies in this stream; the caller does not wait, and keeps both tensors until it is done.
    package func copy(from source: Tensor, to target: Tensor) throws(TorchError) {
        try check(ct_copy_on(raw, target.handle, source.handle))
    }
}

/// A point in a stream's work.
package final class DeviceEvent: @unchecked Sendable {
    fileprivate let handle: ct_event

    fileprivate init(_ handle: ct_event) { self.handle = handle }

    deinit { ct_event_free(handle) }

    /// Waits until the work before it is done.
    package func synchronize() throws(TorchError) { try check(ct_event_synchronize(handle)) }
}

extension Tensor {
    /// Bytes that a GPU reads by itself, so that copies to it need not wait, `(count)` in uint8.
    ///
    /// - Throws: `TorchError` where no GPU is loaded, or where memory does not suffice.
    package static func pinnedBytes(_ count: Int) throws(TorchError) -> Tensor {
        var handle: ct_tensor?
        try check(ct_empty_pinned(Int64(count), &handle))
        guard let handle else { throw TorchError(.invalid, "no pinned memory was given") }
        return Tensor(owning: handle)
    }

    /// These bytes `(N)` in uint8, from an offset on, in another type and shape; nothing is copied.
    ///
    /// - Parameter offset: In bytes, a multiple of the type's size.
    /// - Throws: `TorchError` for a view beyond the end.
    package func viewed(from offset: Int, _ shape: [Int], as dtype: DType) throws(TorchError)
        -> Tensor
    {
        let shape = shape.int64
        return try .make {
            ct_view_bytes(handle, Int64(offset), dtype.rawValue, shape, Int64(shape.count), &$0)
        }
    }
}
