import Models
public import Torch

/// The latents that exist so far, from which a section's context is put together.
///
/// All of them are kept in float32 on the CPU, in the VAE's scaled units.
public struct LatentHistory {
    /// The start image's latent, `(1, 16, 1, h, w)`.
    public let start: Tensor
    /// The end image's latent, `(1, 16, 1, h, w)`.
    public let end: Tensor?
    /// The generated pieces by their place in time, `(1, 16, F, h, w)`.
    private var pieces: [Int: Tensor] = [:]
    private let window: Int

    /// A history before the first section.
    ///
    /// - Parameters:
    ///   - start: The start image's latent, `(1, 16, 1, h, w)`.
    ///   - end: The end image's latent in the same shape, where the plan has an end image.
    ///   - window: Latents of a section.
    public init(start: Tensor, end: Tensor? = nil, window: Int) {
        (self.start, self.end, self.window) = (start, end, window)
    }

    /// Adds what a section generated.
    ///
    /// - Parameters:
    ///   - latents: `(1, 16, F, h, w)` in float32 on the CPU, F the latents of a section.
    ///   - section: The section.
    public mutating func add(_ latents: Tensor, of section: Section) {
        pieces[section.place] = latents
    }

    /// The context of a section, its groups on a device.
    ///
    /// - Returns: Groups of latents `(1, 16, F, h, w)`, F as many as each group has sources.
    /// - Throws: `FramePackError.conflictingSettings` for a kernel that the transformer lacks, or
    ///   for a latent that does not exist yet.
    public func context(of section: Section, on device: Device = .cpu) throws -> SectionContext {
        var packed = PackedContext()
        for group in section.context {
            let frames = ContextFrames(
                try Tensor.cat(group.sources.map(latent), axis: 2).to(device),
                .shared(group.indices))
            switch group.kernel {
            case PatchKernel(rate: 1): packed.clean = frames
            case PatchKernel(rate: 2): packed.clean2x = frames
            case PatchKernel(rate: 4): packed.clean4x = frames
            default:
                throw FramePackError.conflictingSettings(
                    "The packing has the kernel \(group.kernel.frames) x \(group.kernel.height) x "
                        + "\(group.kernel.width); the transformer has those of rates 1, 2 and 4.")
            }
        }
        return SectionContext(packed: packed, indices: .shared(section.targetIndices))
    }

    /// Latents of the video by their numbers, `(1, 16, F, h, w)`.
    ///
    /// - Parameter range: At least one number; 0 is the start latent.
    /// - Throws: `FramePackError.conflictingSettings` for a latent that does not exist yet.
    public func latents(_ range: Range<Int>) throws -> Tensor {
        try .cat(range.map { try latent($0 == 0 ? .start : .generated($0)) }, axis: 2)
    }

    private func latent(_ source: LatentSource) throws -> Tensor {
        switch source {
        case .start: return start
        case .zeros: return try start.zerosLike()
        case .end:
            if let end { return end }
        case .generated(let number):
            let (place, offset) = ((number - 1) / window, (number - 1) % window)
            if let piece = pieces[place] { return try piece.narrow(2, offset, 1) }
        }
        throw FramePackError.conflictingSettings(
            "The plan asks for the latent \(source), which does not exist yet.")
    }
}
