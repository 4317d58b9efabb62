import Torch

/// What becomes of the tokens of a section's context, its history and its text, in the blocks of a
/// pass; for passes without gradients.
public enum ContextUse {
    /// They run through the blocks like the section's own tokens.
    case computed
    /// They run, and their keys and values in each block are kept.
    case kept(ContextKeys)
    /// They do not run: the section's own tokens attend to the kept keys and values and to each other.
    ///
    /// All blocks that run must have kept theirs before, in a pass of the same shapes.
    case reused(ContextKeys)
}

/// Keys and values of a section's context in every block, kept in one pass for later ones.
///
/// They belong to one branch of one section. The bytes are bounded: 2·C numbers for each block and
/// token of history, picture and text, which for the released size at 608×640 in bfloat16 is 3.5 GB
/// with a text of 256 tokens.
public final class ContextKeys {
    private struct Kept {
        let history, text: (keys: Tensor, values: Tensor)
    }

    private var blocks: [String: Kept] = [:]

    /// Nothing kept yet.
    public init() {}

    /// The bytes that are kept.
    public var byteCount: Int {
        blocks.values.reduce(0) { sum, kept in
            [kept.history, kept.text].reduce(sum) {
                $0 + $1.keys.byteCount + $1.values.byteCount
            }
        }
    }

    /// Keeps a block's, in place of what it had: keys and values `(B, N, H, D)` of all tokens.
    ///
    /// - Parameters:
    ///   - history: How many tokens of the history come first.
    ///   - section: How many of the section follow; the rest is text.
    fileprivate func keep(
        _ block: String, _ keys: Tensor, _ values: Tensor, history: Int, section: Int
    ) throws {
        let rest = history + section
        // Copies, so that those of the section's own tokens are not kept with them.
        func part(_ start: Int, _ count: Int) throws -> (Tensor, Tensor) {
            (
                try keys.narrow(1, start, count).clone(),
                try values.narrow(1, start, count).clone()
            )
        }
        blocks[block] = Kept(
            history: try part(0, history), text: try part(rest, keys.dim(1) - rest))
    }

    /// A block's kept keys and values with those of the section's own tokens among them, in the order
    /// of a pass in which all run.
    fileprivate func joined(_ block: String, _ keys: Tensor, _ values: Tensor) throws -> (
        Tensor, Tensor
    ) {
        guard let kept = blocks[block] else {
            throw ModelError(
                "\(block) keeps no keys of the context; let the blocks run with .kept before.")
        }
        return (
            try .cat([kept.history.keys, keys, kept.text.keys], axis: 1),
            try .cat([kept.history.values, values, kept.text.values], axis: 1)
        )
    }
}

extension BlockConditions {
    /// Keeps the context's keys and values of a block, `(B, N, H, D)`, where that is asked for.
    func keep(_ block: String, _ keys: Tensor, _ values: Tensor) throws {
        guard case .kept(let store) = context else { return }
        try store.keep(
            block, keys, values, history: historyCount, section: rotary.count - historyCount)
    }

    /// What queries of a block attend to: the keys and values of the tokens that run, with the context's
    /// kept ones where these do not run.
    func joined(_ block: String, _ keys: Tensor, _ values: Tensor) throws -> (Tensor, Tensor) {
        guard case .reused(let store) = context else { return (keys, values) }
        return try store.joined(block, keys, values)
    }
}
