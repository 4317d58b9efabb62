/// How long the latents of a video stay in memory while it is made.
///
/// A plan says beforehand which section asks for which latents, so that a video of any length needs
/// no more memory than a short one.
package enum HistoryRetention: Sendable {
    /// To the end.
    case all
    /// As long as a section is to come whose context has them.
    case whileSeen
    /// As long as a section is to come whose context has them, or after which they are decoded.
    case whileSeenOrDecoded

    /// The last section that asks for a piece, by the piece's place in time; nil for every piece
    /// to the end.
    func lastUses(_ plan: SectionPlan) -> [Int: Int]? {
        guard self != .all else { return nil }
        var uses: [Int: Int] = [:]
        func note(_ latent: Int, by section: Int) {
            guard latent > 0 else { return }
            let place = (latent - 1) / plan.window
            uses[place] = max(uses[place] ?? 0, section)
        }
        var decodedBefore: Section?
        for section in plan.sections {
            for group in section.context {
                for case .generated(let latent) in group.sources {
                    note(latent, by: section.number)
                }
            }
            guard self == .whileSeenOrDecoded, !section.decodedLatents.isEmpty else { continue }
            // A resumed run decodes once more what came before, to join the new frames to it.
            let again = decodedBefore.map { Array($0.decodedLatents) } ?? []
            for latent in again + section.decodedLatents { note(latent, by: section.number) }
            decodedBefore = section
        }
        return uses
    }
}
