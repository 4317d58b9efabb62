public import Torch

/// A row of numbers for each index.
public final class Embedding {
    /// `(rows, width)`.
    public let weight: Parameter

    /// Builds a table from its `weight`.
    ///
    /// - Parameter deviation: The standard deviation of a fresh table.
    public init(_ rows: Int, _ width: Int, deviation: Double = 1, _ weights: Weights) throws {
        weight = try weights.parameter("weight", [rows, width], .normal(deviation))
    }

    /// Looks up int64 indices `(…)`; the result is `(…, width)`.
    public func callAsFunction(_ indices: Tensor) throws -> Tensor {
        try weight.value.embedding(indices)
    }
}
