import ArgumentParser
import Foundation
import FramePack

/// How much memory may be taken.
struct MemoryOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "GPU memory that may be taken, such as 6GB; kept, or refused. (default: what is free)",
            valueName: "amount"))
    var vram: MemoryAmount?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "RAM that may be taken, without pages of files; kept, or refused. (default: what is free)",
            valueName: "amount"))
    var ram: MemoryAmount?

    /// Has CUDA's allocator grow its blocks, so that what lies between tensors stays small.
    ///
    /// It counts only before CUDA is loaded; what the environment says goes before.
    func prepare() {
        if vram != nil { setenv("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True", 0) }
    }

    var budget: MemoryBudget { MemoryBudget(device: vram?.bytes, machine: ram?.bytes) }
}

/// An amount of memory on the command line.
struct MemoryAmount: ExpressibleByArgument {
    let bytes: Int

    init?(argument: String) {
        guard let bytes = MemoryBudget.bytes(argument) else { return nil }
        self.bytes = bytes
    }
}
