public import Torch

/// A row of numbers for each index.
public final class Embedding {
    /// `(rows, width)`.
    public let weight: Parameter

    /// Builds a table from its `weight`.
    ///
    /// - Parameters:
    ///   - rows: How many indices there are.
    ///   - width: The numbers of each.
    ///   - deviation: The standard deviation of a fresh table.
    /// - Throws: What the weights' source throws for a missing or misshapen weight.
    public init(_ rows: Int, _ width: Int, deviation: Double = 1, _ weights: Weights) throws {
        weight = try weights.parameter("weight", [rows, width], .normal(deviation))
    }

    /// Looks up int64 indices `(…)`; the result is `(…, width)`, in the table's type.
    ///
    /// - Throws: `TorchError` for an index out of range, on the CPU.
    ///
    /// Source: `torch.nn.Embedding`.
    public func callAsFunction(_ indices: Tensor) throws -> Tensor {
        try weight.value.embedding(indices)
    }
}
