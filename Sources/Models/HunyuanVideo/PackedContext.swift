public import Torch

/// Some frames of the history with their places in the video.
public struct ContextFrames {
    /// `(B, 16, F, h, w)`, in the VAE's scaled units.
    public var latents: Tensor
    /// One index a frame.
    public var indices: FrameIndices

    /// Puts latents and indices together.
    ///
    /// - Parameters:
    ///   - latents: `(B, 16, F, h, w)`, in the VAE's scaled units.
    ///   - indices: One for each of the F frames.
    public init(_ latents: Tensor, _ indices: FrameIndices) {
        self.latents = latents
        self.indices = indices
    }
}

/// How frames older than all levels of a packing are averaged before the coarsest kernel encodes
/// them.
///
/// Source: arXiv 2504.12626, section 3.1, the tail options.
public enum TailAveraging: String, Codable, Hashable, Sendable {
    /// Each frame over boxes of 32×32 latent pixels: about one latent pixel a frame. Option ta.
    case eachFrame
    /// All frames together into one latent pixel. Option tc.
    case allFrames

    /// The sides of the boxes along height and width in latent pixels, for ``eachFrame``.
    public static let side = 32
}

/// Frames of the history that go through one patch kernel together.
public struct PackedGroup {
    /// What makes a token of them.
    public var kernel: PatchKernel
    /// How they are averaged before; nil for frames of a level, which are not.
    public var averaging: TailAveraging?
    /// The frames.
    public var frames: ContextFrames

    /// Puts them together.
    ///
    /// - Parameters:
    ///   - kernel: One of the transformer's.
    ///   - averaging: How the frames are averaged before; nil for frames of a level.
    ///   - frames: `(B, 16, F, h, w)` with h and w of the section.
    public init(_ kernel: PatchKernel, averaging: TailAveraging? = nil, _ frames: ContextFrames) {
        (self.kernel, self.averaging, self.frames) = (kernel, averaging, frames)
    }
}

/// The history of a section in groups, by how strongly it is compressed.
public struct PackedContext {
    /// The groups in any order; tokens are laid out from the coarsest kernel to the finest.
    public var groups: [PackedGroup]

    /// A context of groups; none is a context without history.
    public init(_ groups: [PackedGroup] = []) { self.groups = groups }

    /// The three groups of the released models, any of which may be absent.
    ///
    /// - Parameters:
    ///   - clean: Frames at the resolution of the section, `(B, 16, F, h, w)` with h and w of the
    ///     section, as in the other two: the start and the nearest one.
    ///   - clean2x: The frames of which a token covers 2×2×2 patches.
    ///   - clean4x: The frames of which a token covers 4×4×4 patches.
    public init(
        clean: ContextFrames? = nil, clean2x: ContextFrames? = nil, clean4x: ContextFrames? = nil
    ) {
        self.init(
            [(1, clean), (2, clean2x), (4, clean4x)].compactMap { rate, frames in
                frames.map { PackedGroup(PatchKernel(rate: rate), $0) }
            })
    }

    /// Frames at the resolution of the section itself: the first group of the kernel k1.
    public var clean: ContextFrames? { frames(of: PatchKernel(rate: 1)) }
    /// Frames of which a token covers 2×2×2 patches: the first group of the kernel k2.
    public var clean2x: ContextFrames? { frames(of: PatchKernel(rate: 2)) }
    /// Frames of which a token covers 4×4×4 patches: the first group of the kernel k4.
    public var clean4x: ContextFrames? { frames(of: PatchKernel(rate: 4)) }

    private func frames(of kernel: PatchKernel) -> ContextFrames? {
        groups.first { $0.kernel == kernel && $0.averaging == nil }?.frames
    }
}
