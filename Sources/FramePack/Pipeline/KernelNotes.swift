import Torch

/// What a run tells of how a GPU computes, one line for the user each.
struct KernelNotes {
    private var told = AttentionChoices.current.measurements.count

    /// Why libtorch's kernels are taken where fused ones are asked for; nil where they are not, and on
    /// a CPU.
    static func problem(on device: Device) -> String? {
        guard device.kind == .cuda, Kernels.current == .fused,
            let problem = try? CUDAKernels(device.index).problem
        else { return nil }
        let reason = problem.split(whereSeparator: \.isNewline).first ?? "no reason given"
        return "On \(device) libtorch's kernels compute alone: \(reason)."
    }

    /// The ways of attention that were chosen since the last call.
    mutating func choices() -> [String] {
        let measured = AttentionChoices.current.measurements.dropFirst(told)
        told += measured.count
        return measured.map { "Attention takes \($0.text)." }
    }
}
