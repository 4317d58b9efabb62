import Models

/// When the history and the text run through the network with a section, and when the section attends to
/// their keys and values of an earlier step; for one branch of one section.
///
/// What they say to the section changes little from step to step, since they are clean; only the
/// modulation of their own way through the blocks moves with the noise level. In the released size they
/// are a fifth to a quarter of the tokens.
final class ContextRefresh {
    /// In every so many steps in which all blocks run they run too.
    let interval: Int
    private let keys = ContextKeys()
    /// Steps that have used what is kept; nil before anything is.
    private var uses: Int?

    init(every interval: Int) { self.interval = interval }

    /// What becomes of them in the next step.
    var use: ContextUse {
        guard let uses, uses < interval - 1 else { return .kept(keys) }
        return .reused(keys)
    }

    /// Takes note that all blocks have run, with what then became of them.
    ///
    /// A step in which the first block alone runs does not count, even if it kept keys: the next one in
    /// which all run does what it would have done.
    func blocksRan(_ use: ContextUse) {
        switch use {
        case .kept: uses = 0
        case .reused: uses = (uses ?? 0) + 1
        case .computed: break
        }
    }
}
