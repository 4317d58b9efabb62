public import Torch

/// Brings the weights of a block to where it computes, and takes them away again.
///
/// For weights that are not all there at all times, as those that processes share.
public protocol WeightResidency: AnyObject {
    /// Runs `body` with the weights of a block at hand.
    ///
    /// - Parameters:
    ///   - block: What the names of its parameters begin with, such as `transformer_blocks.3.`.
    ///   - body: The block; it reads its parameters' values only inside.
    /// - Throws: What `body` throws; what keeps the weights away.
    func withBlock(_ block: String, _ body: () throws -> [Tensor]) throws -> [Tensor]
}

extension ParameterStore {
    /// Runs a block with its weights at hand: as it is, where they are always there.
    ///
    /// - Parameter block: One of ``blocks``.
    public func withBlock(_ block: String, _ body: () throws -> [Tensor]) throws -> [Tensor] {
        guard let residency else { return try body() }
        return try residency.withBlock(block, body)
    }
}
