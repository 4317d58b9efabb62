import CTorch

/// What this process and its libtorch can use.
public enum Accelerator {
    /// Memory of one GPU, in bytes.
    public struct Memory: Sendable, Equatable {
        /// Held by live tensors.
        public let allocated: Int
        /// The most that was held by tensors since the last reset.
        public let peakAllocated: Int
        /// Taken from the driver.
        public let reserved: Int
        /// The most that was taken from the driver since the last reset.
        public let peakReserved: Int
        /// Free on the device, for everybody.
        public let free: Int
        /// The device's whole memory.
        public let total: Int
    }

    /// Loads libtorch's CUDA library, if it isn't yet; CUDA devices exist only after that.
    ///
    /// - Throws: `TorchError` with what is missing.
    public static func loadCUDA() throws(TorchError) { try check(ct_cuda_load()) }

    /// The number of GPUs that are there; 0 before ``loadCUDA()``.
    public static var cudaDeviceCount: Int { Int(ct_cuda_device_count()) }

    /// A GPU's name as its maker gives it.
    public static func cudaName(_ index: Int = 0) throws(TorchError) -> String {
        try text(capacity: 256) { ct_cuda_name(Int32(index), $0, $1) }
    }

    /// Waits until a GPU has done all its work.
    public static func synchronize(_ device: Device) throws(TorchError) {
        guard device.kind != .cpu else { return }
        try check(ct_accelerator_synchronize(Int32(device.index)))
    }

    /// Gives memory that no tensor uses back to the driver.
    public static func emptyCache() throws(TorchError) {
        guard cudaDeviceCount > 0 else { return }
        try check(ct_accelerator_empty_cache())
    }

    /// How full a GPU's memory is; nil for the CPU.
    public static func memory(_ device: Device) throws(TorchError) -> Memory? {
        guard device.kind != .cpu else { return nil }
        var raw = ct_memory()
        try check(ct_accelerator_memory(Int32(device.index), &raw))
        return Memory(
            allocated: Int(raw.allocated), peakAllocated: Int(raw.peak_allocated),
            reserved: Int(raw.reserved), peakReserved: Int(raw.peak_reserved),
            free: Int(raw.free), total: Int(raw.total))
    }

    /// Starts the peak figures of ``memory(_:)`` anew.
    public static func resetPeak(_ device: Device) throws(TorchError) {
        guard device.kind != .cpu else { return }
        try check(ct_accelerator_reset_peak(Int32(device.index)))
    }
}

/// The libtorch that this process has loaded.
public enum TorchLibrary {
    /// Its version, such as `2.11.0`.
    public static var version: String { String(cString: ct_version()) }

    /// Its own account of compiler, libraries, processor features and threads.
    public static func buildDescription() throws(TorchError) -> String {
        try text(capacity: 16384) { ct_build_description($0, $1) }
    }

    /// How many threads one operation may use.
    public static var threadCount: Int { Int(ct_thread_count()) }

    /// Sets how many threads one operation may use.
    public static func setThreadCount(_ count: Int) { ct_set_thread_count(Int32(count)) }

    /// Seeds the default generators of all devices.
    public static func seed(_ seed: UInt64) { ct_manual_seed(seed) }

    /// Treats numbers too small for their type's normal range as zero on this thread; slow
    /// arithmetic on them would otherwise hold up training.
    @discardableResult
    public static func flushDenormals(_ on: Bool) -> Bool { ct_set_flush_denormal(on) }

    /// Keeps freed memory for what is allocated next, instead of giving each page back to the system
    /// and asking for it again; layers that follow each other then run some 10 % faster.
    ///
    /// It is for programs; where the allocator is not glibc's, nothing happens.
    ///
    /// - Parameter bytes: How much is kept at most.
    public static func keepFreedMemory(_ bytes: Int) { ct_keep_freed_memory(Int64(bytes)) }

    /// Gives freed memory back to the system, before something large needs its room, where there is more
    /// of it than ``keepFreedMemory(_:)`` was told.
    package static func releaseFreedMemory() { ct_release_freed_memory() }
}

/// Calls a function that writes a C string into a buffer.
func text(
    capacity: Int, _ write: (UnsafeMutablePointer<CChar>?, Int64) -> Int32
) throws(TorchError) -> String {
    var bytes = [CChar](repeating: 0, count: capacity)
    try check(write(&bytes, Int64(capacity)))
    return String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}
