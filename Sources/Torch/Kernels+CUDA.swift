package import CTorch

/// What the kernels of this project for one GPU are like.
public struct CUDAKernels: Sendable, Equatable {
    /// The GPU's compute capability, such as 9.0; 0.0 where the driver does not tell.
    public let capability: String
    /// Why libtorch's operations are taken in their place; nil where there are kernels.
    public let problem: String?

    /// Looks at a GPU; compiles the kernels for it, or takes them out of the user's cache, where no
    /// operation has asked for them yet.
    ///
    /// - Throws: `TorchError` before ``Accelerator/loadCUDA()``.
    public init(_ index: Int = 0) throws(TorchError) {
        var number: Int32 = 0
        let text = try text(capacity: 4096) {
            ct_cuda_kernels_state(Int32(index), &number, $0, $1)
        }
        capability = "\(number / 10).\(number % 10)"
        problem = text.isEmpty ? nil : text
    }

    /// Loads NVRTC.
    ///
    /// - Throws: `TorchError` that tells what to do where it is not there.
    package static func checkCompiler() throws(TorchError) { try check(ct_cuda_compiler()) }

    /// The kernels for a compute capability, 90 for 9.0, as NVRTC makes them: machine code, or PTX for
    /// a GPU that it does not know.
    ///
    /// - Parameter folder: Where what was compiled before lies, and what is compiled is kept; nil for
    ///   nowhere.
    /// - Throws: `TorchError` where there is no NVRTC, or where it refuses.
    package static func compiled(for capability: Int, folder: String? = nil) throws(TorchError)
        -> Tensor
    { try .make { ct_cuda_kernels_compile(Int32(capability), folder, &$0) } }

    /// Runs `body` with a GPU's kernels in the place of the CPU's on this thread.
    ///
    /// - Parameter launcher: Runs a kernel on memory of the CPU.
    package static func emulated<Result>(
        by launcher: ct_cuda_launcher, _ body: () throws -> Result
    ) rethrows -> Result {
        ct_cuda_emulate(launcher)
        defer { ct_cuda_emulate(nil) }
        return try body()
    }
}

extension Tensor {
    /// `x · (codes · scales)ᵀ + bias` of `(…, C)` in bfloat16, each row rounded to fp8 with a scale of its
    /// own.
    ///
    /// - Parameters:
    ///   - codes: `(out, C)` in fp8.
    ///   - scales: `(out or 1, 1)` in float32.
    /// - Returns: nil where no kernel fits, and on GPUs that do not multiply fp8.
    package func fusedFP8Product(_ codes: Tensor, scales: Tensor, _ bias: Tensor?)
        throws(TorchError) -> Tensor?
    {
        guard Kernels.areFused else { return nil }
        return try .fused {
            ct_kernels_linear_fp8(handle, codes.handle, scales.handle, bias?.handle, &$0)
        }
    }

    /// `self + branch · gate` of tokens `(B, L, C)`, a gate `(B or 1, 1, C)` for all tokens.
    ///
    /// - Returns: nil where no kernel fits; libtorch has one for CPUs.
    func fusedAddProduct(_ branch: Tensor, _ gate: Tensor) throws(TorchError) -> Tensor? {
        guard Kernels.areFused else { return nil }
        return try .fused {
            ct_kernels_add_product(handle, branch.handle, gate.handle, &$0)
        }
    }
}

extension Kernels {
    /// Whether there are fused kernels for a device; of a GPU that is not here, that is expected.
    package static func serve(_ device: Device) -> Bool {
        guard device.kind == .cuda else { return level > 0 }
        guard device.index < Accelerator.cudaDeviceCount else { return true }
        return (try? CUDAKernels(device.index))?.problem == nil
    }
}
