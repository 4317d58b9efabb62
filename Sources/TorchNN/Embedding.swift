public import Torch

/// A row of numbers for each index.
public final class Embedding {
    /// `(rows, width)`.
    public let weight: Parameter

    /// Builds a table from its `weight`.
    public init(_ rows: Int, _ width: Int, _ weights: Weights) throws {
        weight = try weights.parameter("weight", [rows, width], .normal(0.02))
    }

    /// Looks up int64 indices `(…)`; the result is `(…, width)`.
    public func callAsFunction(_ indices: Tensor) throws -> Tensor {
        try weight.value.embedding(indices)
    }
}
