import Models
public import Torch

/// The latents that exist so far, from which a section's context is put together.
///
/// They are kept in float32 on the CPU, in the VAE's scaled units: all of them, or as long as
/// something of the plan still asks for them (``HistoryRetention``).
public struct LatentHistory {
    /// The start image's latent, `(1, 16, 1, h, w)`.
    public let start: Tensor
    /// The end image's latent, `(1, 16, 1, h, w)`.
    public let end: Tensor?
    /// The generated pieces by their place in time, `(1, 16, F, h, w)`.
    private var pieces: [Int: Tensor] = [:]
    private let window: Int
    private let codebook: HistoryCodebook?
    private let ranking: HistoryRanking?
    /// The section after which a piece is not asked for any more, by the piece's place; nil keeps
    /// every piece.
    private let lastUses: [Int: Int]?

    /// A history before the first section.
    ///
    /// - Parameters:
    ///   - start: The start image's latent, `(1, 16, 1, h, w)`.
    ///   - end: The end image's latent in the same shape, where the plan has an end image.
    ///   - plan: The sections.
    ///   - order: Which latents of the history get the finest kernels.
    ///   - timeWeight: How much nearness in time counts in hybrid order, 0 or more.
    ///   - codebook: What makes the history discrete, where the packing wants that.
    public init(
        start: Tensor, end: Tensor? = nil, plan: SectionPlan, order: HistoryOrder = .time,
        timeWeight: Double = 1, codebook: HistoryCodebook? = nil
    ) {
        self.init(
            start: start, end: end, plan: plan, order: order, timeWeight: timeWeight,
            codebook: codebook, retention: .all)
    }

    /// The same with a say in how long latents are kept.
    package init(
        start: Tensor, end: Tensor? = nil, plan: SectionPlan, order: HistoryOrder = .time,
        timeWeight: Double = 1, codebook: HistoryCodebook? = nil, retention: HistoryRetention
    ) {
        (self.start, self.end, self.codebook) = (start, end, codebook)
        window = plan.window
        ranking = HistoryRanking(order, timeWeight: timeWeight, of: plan)
        // Whatever exists may turn out to be the likest: a ranking looks at all of it.
        lastUses = order == .time ? retention.lastUses(plan) : nil
    }

    /// How many pieces are in memory.
    package var pieceCount: Int { pieces.count }

    /// Adds what a section generated.
    ///
    /// - Parameters:
    ///   - latents: `(1, 16, F, h, w)` in float32 on the CPU, F the latents of all its pieces.
    ///   - section: The section.
    /// - Throws: `TorchError` for another number of latents.
    public mutating func add(_ latents: Tensor, of section: Section) throws {
        var offset = 0
        for piece in section.pieces {
            pieces[piece.place] = try latents.narrow(2, offset, piece.latents.count)
            offset += piece.latents.count
        }
        guard let lastUses else { return }
        // What is decoded after this section is still to come.
        pieces = pieces.filter { lastUses[$0.key, default: section.number] >= section.number }
    }

    /// The context of a section, its groups on a device.
    ///
    /// - Returns: Groups of latents `(1, 16, F, h, w)`, F as many as each group has sources.
    /// - Throws: `FramePackError.conflictingSettings` for a latent that does not exist yet.
    public func context(of section: Section, on device: Device = .cpu) throws -> SectionContext {
        let groups = try ranked(section).map { group in
            PackedGroup(
                group.kernel, averaging: group.averaging,
                ContextFrames(
                    try Tensor.cat(zip(group.sources, group.roles).map(latent), axis: 2)
                        .to(device),
                    .shared(group.indices)))
        }
        return SectionContext(
            packed: PackedContext(groups), indices: .shared(section.targetIndices))
    }

    /// Latents of the video by their numbers, `(1, 16, F, h, w)`.
    ///
    /// - Parameter range: At least one number; 0 is the start latent.
    /// - Throws: `FramePackError.conflictingSettings` for a latent that does not exist yet.
    public func latents(_ range: Range<Int>) throws -> Tensor {
        try .cat(range.map { try latent($0 == 0 ? .start : .generated($0)) }, axis: 2)
    }

    /// The context with the history in the order of its importance.
    private func ranked(_ section: Section) throws -> [ContextGroup] {
        guard let ranking else { return section.context }
        return try ranking.context(of: section, places: pieces.keys, latent: latent(number:))
    }

    private func latent(number: Int) throws -> Tensor {
        try latent(number == 0 ? .start : .generated(number))
    }

    /// A latent as the network sees it: of the codebook, where history is discrete.
    private func latent(_ source: LatentSource, as role: ContextRole) throws -> Tensor {
        let latent = try latent(source)
        guard let codebook, role != .anchor, source != .zeros else { return latent }
        return try codebook.nearest(to: latent)
    }

    func latent(_ source: LatentSource) throws -> Tensor {
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
