import Checkpoints
import Foundation
import Models
import Torch
import TorchNN

/// A double-stream block and the single-stream block after it, without the rest of a transformer.
final class BlockPair {
    private let double: DoubleStreamBlock
    private let single: SingleStreamBlock

    init(_ config: TransformerConfig, _ weights: Weights) throws {
        double = try DoubleStreamBlock(config, weights["transformer_blocks"][0])
        single = try SingleStreamBlock(config, weights["single_transformer_blocks"][0])
    }

    /// Video tokens `(B, L, C)` and text tokens `(B, T, C)` through both; gives `(B, L+T, C)`.
    func callAsFunction(_ x: Tensor, _ context: Tensor, _ conditions: BlockConditions) throws
        -> Tensor
    {
        let streams = try double(x, context: context, conditions)
        return try single(.cat([streams.x, streams.context], axis: 1), conditions)
    }
}
