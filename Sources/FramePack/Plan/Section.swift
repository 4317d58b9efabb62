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

/// Context latents that go through one patch kernel together.
public struct ContextGroup: Equatable, Codable, Sendable {
    /// The patch kernel: k1 for clean latents, k2 and k4 for those at 2x and 4x.
    public let kernel: PatchKernel
    /// The latents, in the order in which they are fed.
    public let sources: [LatentSource]
    /// The rotary time index of each latent.
    public let indices: [Int]

    /// Tokens of the group in a video of a size.
    public func tokenCount(size: FrameSize) -> Int {
        kernel.tokenCount(latents: sources.count, size: size)
    }
}

/// One generated piece of a video, and what its generation sees.
public struct Section: Equatable, Codable, Sendable {
    /// When it is generated: 0 is first.
    public let number: Int
    /// Where it stands in time: 0 is the beginning of the video.
    public let place: Int
    /// Blank windows between the start index and the target; nil in an order without padding.
    public let padding: Int?
    /// The latents it generates, by their number in the video.
    public let latents: Range<Int>
    /// The frames it adds to the video before anything is cut; the first place has frame 0 too.
    public let frames: Range<Int>
    /// The latents of the video that exist once this section is done, the start latent included
    /// where the finished piece reaches it.
    public let available: Range<Int>
    /// The rotary time index of each generated latent.
    public let targetIndices: [Int]
    /// What it sees, from the finest kernel to the coarsest.
    public let context: [ContextGroup]
    /// The latents that are decoded when it is done: the new ones, and as many neighbours as are
    /// needed for a soft join.
    public let decodedLatents: Range<Int>
    /// Decoded frames that are blended with those of the section before; 0 in the first section.
    public let overlapFrames: Int
    /// The prompt, by its number in the plan's timeline.
    public let promptNumber: Int

    /// Tokens of the video in one call of the network: the generated latents' and the context's.
    ///
    /// - Parameters:
    ///   - size: The video's size.
    ///   - targetKernel: The kernel of the generated latents.
    public func videoTokenCount(size: FrameSize, targetKernel: PatchKernel = PatchKernel(rate: 1))
        -> Int
    {
        context.reduce(targetKernel.tokenCount(latents: latents.count, size: size)) {
            $0 + $1.tokenCount(size: size)
        }
    }
}
