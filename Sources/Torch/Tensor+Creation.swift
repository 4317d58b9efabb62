import CTorch

/// New tensors.
///
/// Each has the shape, type and device that are asked for, float32 on the CPU unless told; what has
/// no parameter for a device is on the CPU. Draws without a generator come from the default one of
/// the device, which ``TorchLibrary/seed(_:)`` seeds. Each function throws `TorchError` for a
/// negative length, a device that is not there or a generator of another device, and for memory
/// that does not suffice (`.outOfMemory`). Names are torch's in Swift's spelling.
extension Tensor {
    /// Memory as it comes, in a shape: the values are arbitrary.
    public static func empty(
        _ shape: [Int], dtype: DType = .float32, device: Device = .cpu,
        layout: MemoryLayout = .contiguous
    ) throws(TorchError) -> Tensor {
        let (shape, raw) = (shape.int64, [device.raw])
        return try make {
            ct_empty_memory_format(
                &$0, shape, Int64(shape.count), dtype.rawValue, raw, layout.rawValue)
        }
    }

    /// Zeros in a shape.
    public static func zeros(
        _ shape: [Int], dtype: DType = .float32, device: Device = .cpu
    ) throws(TorchError) -> Tensor {
        let (shape, raw) = (shape.int64, [device.raw])
        return try make { ct_zeros(&$0, shape, Int64(shape.count), dtype.rawValue, raw) }
    }

    /// Ones in a shape.
    public static func ones(
        _ shape: [Int], dtype: DType = .float32, device: Device = .cpu
    ) throws(TorchError) -> Tensor {
        let (shape, raw) = (shape.int64, [device.raw])
        return try make { ct_ones(&$0, shape, Int64(shape.count), dtype.rawValue, raw) }
    }

    /// One value everywhere in a shape.
    public static func full(
        _ shape: [Int], _ value: Double, dtype: DType = .float32, device: Device = .cpu
    ) throws(TorchError) -> Tensor {
        let (shape, raw) = (shape.int64, [device.raw])
        return try make {
            ct_full(&$0, shape, Int64(shape.count), scalar(value), dtype.rawValue, raw)
        }
    }

    /// The numbers from `start` up to but without `end`, `(n)` with n = ⌈(end − start) / step⌉.
    ///
    /// - Throws: `TorchError` also for a step of 0, or one that leads away from the end.
    public static func arange(
        _ start: Double = 0, _ end: Double, step: Double = 1, dtype: DType = .float32,
        device: Device = .cpu
    ) throws(TorchError) -> Tensor {
        let raw = [device.raw]
        return try make {
            ct_arange_start_step(
                &$0, scalar(start), scalar(end), scalar(step), dtype.rawValue, raw)
        }
    }

    /// `count` numbers at equal distances, both ends included, `(count)` on the CPU.
    public static func linspace(
        _ start: Double, _ end: Double, count: Int, dtype: DType = .float32
    ) throws(TorchError) -> Tensor {
        try make {
            ct_linspace(&$0, scalar(start), scalar(end), Int64(count), dtype.rawValue, nil)
        }
    }

    /// The identity matrix, `(n, n)` on the CPU.
    public static func eye(_ n: Int, dtype: DType = .float32) throws(TorchError) -> Tensor {
        try make { ct_eye(&$0, Int64(n), dtype.rawValue, nil) }
    }

    /// Draws from the unit Gaussian, in a shape.
    ///
    /// With a CPU generator the numbers are those of PyTorch for the same seed and shape.
    public static func randn(
        _ shape: [Int], generator: Generator? = nil, dtype: DType = .float32, device: Device = .cpu
    ) throws(TorchError) -> Tensor {
        let (shape, raw) = (shape.int64, [device.raw])
        return try make {
            ct_randn_generator(
                &$0, shape, Int64(shape.count), generator?.handle, dtype.rawValue, raw)
        }
    }

    /// Draws evenly from [0, 1), in a shape.
    public static func rand(
        _ shape: [Int], generator: Generator? = nil, dtype: DType = .float32, device: Device = .cpu
    ) throws(TorchError) -> Tensor {
        let (shape, raw) = (shape.int64, [device.raw])
        return try make {
            ct_rand_generator(
                &$0, shape, Int64(shape.count), generator?.handle, dtype.rawValue, raw)
        }
    }

    /// Draws integers evenly from `range`, in a shape.
    ///
    /// - Parameters:
    ///   - range: What is drawn from.
    ///   - shape: The length of each axis.
    ///   - generator: Of the device; its default one if nil.
    ///   - dtype: A type of whole numbers that holds the range. On the CPU the numbers are the same
    ///     in each.
    ///   - device: Where to.
    /// - Throws: `TorchError` also for an empty range.
    public static func randint(
        _ range: Range<Int>, _ shape: [Int], generator: Generator? = nil, dtype: DType = .int64,
        device: Device = .cpu
    ) throws(TorchError) -> Tensor {
        let (shape, raw) = (shape.int64, [device.raw])
        return try make {
            ct_randint_low_generator(
                &$0, Int64(range.lowerBound), Int64(range.upperBound), shape, Int64(shape.count),
                generator?.handle, dtype.rawValue, raw)
        }
    }

    /// The numbers 0 ..< n in random order, `(n)` of int64 on the CPU.
    public static func randperm(_ n: Int, generator: Generator? = nil) throws(TorchError) -> Tensor
    {
        try make {
            ct_randperm_generator(&$0, Int64(n), generator?.handle, DType.int64.rawValue, nil)
        }
    }

    /// Zeros in this tensor's shape and on its device.
    ///
    /// - Parameter dtype: The type; nil for this tensor's.
    public func zerosLike(dtype: DType? = nil) throws(TorchError) -> Tensor {
        try .make { ct_zeros_like(&$0, handle, dtype?.rawValue ?? -1, nil, -1) }
    }

    /// Ones in this tensor's shape and type and on its device.
    public func onesLike() throws(TorchError) -> Tensor {
        try .make { ct_ones_like(&$0, handle, -1, nil, -1) }
    }

    /// Arbitrary values in this tensor's shape and on its device.
    ///
    /// - Parameter dtype: The type; nil for this tensor's.
    public func emptyLike(dtype: DType? = nil) throws(TorchError) -> Tensor {
        try .make { ct_empty_like(&$0, handle, dtype?.rawValue ?? -1, nil, -1) }
    }
}
