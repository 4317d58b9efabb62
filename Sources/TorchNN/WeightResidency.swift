public import Torch

/// Which of a block's weights a use of the block reads.
public enum BlockSelection: Equatable, Sendable {
    /// All of them.
    case all
    /// All but those whose names begin with one of these.
    case without([String])

    /// Whether a parameter of the block is read.
    ///
    /// - Parameter name: Its full name.
    public func contains(_ name: String) -> Bool {
        switch self {
        case .all: true
        case .without(let prefixes): !prefixes.contains { name.hasPrefix($0) }
        }
    }
}

/// Brings the weights of a block to where it computes, and takes them away again.
///
/// For weights that are not all there at all times, as those that processes share.
public protocol WeightResidency: AnyObject {
    /// Runs `body` with the weights of a block at hand.
    ///
    /// - Parameters:
    ///   - block: What the names of its parameters begin with, such as `transformer_blocks.3.`.
    ///   - selection: Which of them `body` reads; bringing more of them does no harm.
    ///   - body: The block; it reads its parameters' values only inside.
    /// - Throws: What `body` throws; what keeps the weights away.
    func withBlock(
        _ block: String, _ selection: BlockSelection, _ body: () throws -> [Tensor]
    ) throws -> [Tensor]
}

extension ParameterStore {
    /// Runs a block with its weights at hand: as it is, where they are always there.
    ///
    /// - Parameters:
    ///   - block: One of ``blocks``.
    ///   - selection: Which of the block's weights `body` reads.
    ///   - body: The block.
    /// - Throws: What `body` throws; what keeps the weights away.
    public func withBlock(
        _ block: String, _ selection: BlockSelection = .all, _ body: () throws -> [Tensor]
    ) throws -> [Tensor] {
        guard let residency else { return try body() }
        return try residency.withBlock(block, selection, body)
    }
}
