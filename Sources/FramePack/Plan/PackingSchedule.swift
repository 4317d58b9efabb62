/// The kernel and stride of a patch embedding over latents.
public struct PatchKernel: Hashable, Codable, Sendable {
    /// Latent frames, latent rows and latent columns that make one token.
    public let frames, height, width: Int

    /// Makes a kernel from its sides.
    public init(frames: Int, height: Int, width: Int) {
        precondition(frames > 0 && height > 0 && width > 0, "a kernel's sides are positive")
        (self.frames, self.height, self.width) = (frames, height, width)
    }

    /// The kernel k1, k2, k4, ...: `(rate, 2·rate, 2·rate)`.
    public init(rate: Int) {
        self.init(frames: rate, height: 2 * rate, width: 2 * rate)
    }

    /// The compression relative to k1, where the kernel is a multiple of it: 1, 2, 4, ...
    public var rate: Int { frames }

    /// Tokens of a volume of latents, whose far sides are padded to whole kernels.
    ///
    /// - Parameters:
    ///   - latents: Latent frames F.
    ///   - size: The picture's size, whose latent grid is `(h, w)`.
    public func tokenCount(latents: Int, size: FrameSize) -> Int {
        func wholeKernels(_ length: Int, _ side: Int) -> Int { (length + side - 1) / side }
        return wholeKernels(latents, frames) * wholeKernels(size.latentHeight, height)
            * wholeKernels(size.latentWidth, width)
    }
}

/// One level of the packed history: so many neighbouring latents through one kernel.
public struct PackingLevel: Hashable, Codable, Sendable {
    /// Latent frames at this level.
    public let latentCount: Int
    /// Their patch kernel.
    public let kernel: PatchKernel

    /// Makes a level.
    public init(latentCount: Int, kernel: PatchKernel) {
        precondition(latentCount > 0, "a level holds at least one latent")
        (self.latentCount, self.kernel) = (latentCount, kernel)
    }
}

/// How the latents that a section sees are packed: near ones in full, far ones coarsely.
///
/// Source: arXiv 2504.12626, section on frame context packing.
public struct PackingSchedule: Hashable, Codable, Sendable {
    /// The levels, from the latents nearest to the section to the farthest.
    public let levels: [PackingLevel]
    /// The kernel of the start latent, which every section sees; nil where it is not fed.
    public let startKernel: PatchKernel?
    /// The kernel of the latents that are generated.
    public let targetKernel: PatchKernel

    /// Makes a schedule from levels, nearest first.
    public init(
        levels: [PackingLevel], startKernel: PatchKernel? = PatchKernel(rate: 1),
        targetKernel: PatchKernel = PatchKernel(rate: 1)
    ) {
        self.levels = levels
        self.startKernel = startKernel
        self.targetKernel = targetKernel
    }

    /// What both released checkpoints use: the start and the nearest latent in full, 2 at 2x,
    /// 16 at 4x.
    public static let released = PackingSchedule(levels: [
        PackingLevel(latentCount: 1, kernel: PatchKernel(rate: 1)),
        PackingLevel(latentCount: 2, kernel: PatchKernel(rate: 2)),
        PackingLevel(latentCount: 16, kernel: PatchKernel(rate: 4)),
    ])

    /// Latents of history that a section sees, the start apart: 19 for the released schedule.
    public var historyLength: Int { levels.reduce(0) { $0 + $1.latentCount } }
}
