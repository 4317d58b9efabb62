public import Models

/// Where a latent of a section's context comes from.
///
/// The latents of a video are numbered in time: 0 is the start latent, n sections of a window of
/// W latents end with latent W·n.
public enum LatentSource: Hashable, Codable, Sendable {
    /// The start latent, number 0.
    case start
    /// The generated latent of this number, 1 or more.
    case generated(Int)
    /// The end image's latent, which stands after the last latent and is not part of the video.
    case end
    /// Zeros, which enter attention like any latent: history that does not exist (yet).
    case zeros
}

/// What a packing's name calls a latent of the context.
public enum ContextRole: String, Codable, Sendable {
    /// One of the latents nearest to the section.
    case history
    /// A latent beyond a skip.
    case anchor
    /// A latent older than all levels.
    case tail
}

/// Context latents that go through one patch kernel together.
public struct ContextGroup: Equatable, Codable, Sendable {
    /// The patch kernel: k1 for clean latents, k2 and k4 for those at 2x and 4x.
    public let kernel: PatchKernel
    /// How a tail's latents are averaged; nil for latents of a level.
    public let averaging: TailAveraging?
    /// The latents, in the order in which they are fed.
    public let sources: [LatentSource]
    /// What each latent is.
    public let roles: [ContextRole]
    /// The rotary time index of each latent.
    public let indices: [Int]

    /// Tokens of the group in a video of a size.
    public func tokenCount(size: FrameSize) -> Int {
        kernel.tokenCount(latents: sources.count, size: size, averaging: averaging)
    }
}

/// Neighbouring latents that a section generates.
public struct SectionPiece: Equatable, Codable, Sendable {
    /// Where it stands in time, in windows: 0 is the beginning of the video.
    public let place: Int
    /// Its latents, by their number in the video.
    public let latents: Range<Int>
    /// Its frames in the video before anything is cut; those of the first place have frame 0 too.
    public let frames: Range<Int>
}

/// What one run of the sampler generates, and what it sees.
public struct Section: Equatable, Codable, Sendable {
    /// When it is generated: 0 is first.
    public let number: Int
    /// What it generates: one window, or two that are generated together.
    public let pieces: [SectionPiece]
    /// Blank windows beside the target, where its neighbour in the context is not its neighbour in
    /// time; nil in an order without such skips.
    public let padding: Int?
    /// The rotary time index of each generated latent.
    public let targetIndices: [Int]
    /// What it sees, from the finest kernel to the coarsest.
    public internal(set) var context: [ContextGroup]
    /// The latents that are decoded when it is done: the new ones, and as many neighbours as are
    /// needed for a soft join; none where frames before them are still missing.
    public let decodedLatents: Range<Int>
    /// Frames that the decoding adds to the video before anything is cut.
    public let newFrames: Range<Int>
    /// Decoded frames that are blended with those of the decoding before; 0 in the first one.
    public let overlapFrames: Int
    /// The prompt, by its number in the plan's timeline.
    public let promptNumber: Int

    /// Where its first piece stands in time.
    public var place: Int { pieces[0].place }
    /// The latents that the new frames come of.
    public var newLatents: Range<Int> {
        let perLatent = VideoLength.framesPerLatent
        return
            ((newFrames.lowerBound + perLatent - 1) / perLatent)..<((newFrames.upperBound
            + perLatent - 1) / perLatent)
    }
    /// How many latents it generates.
    public var latentCount: Int { pieces.reduce(0) { $0 + $1.latents.count } }

    /// Tokens of the video in one call of the network: the generated latents' and the context's.
    ///
    /// - Parameters:
    ///   - size: The video's size.
    ///   - targetKernel: The kernel of the generated latents.
    public func videoTokenCount(size: FrameSize, targetKernel: PatchKernel = PatchKernel(rate: 1))
        -> Int
    {
        targetKernel.tokenCount(latents: latentCount, size: size) + contextTokenCount(size: size)
    }

    /// Tokens of the history.
    func contextTokenCount(size: FrameSize) -> Int {
        context.reduce(0) { $0 + $1.tokenCount(size: size) }
    }
}
