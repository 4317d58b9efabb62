public import Torch

/// `x · weightᵀ + bias` over the last axis.
public final class Linear {
    /// `(out, in)`.
    public let weight: Parameter
    /// `(out)`; nil if the layer has none.
    public let bias: Parameter?

    /// Builds a layer from its weights, `weight` and `bias`.
    ///
    /// - Parameters:
    ///   - inputSize: Channels that go in.
    ///   - outputSize: Channels that come out.
    ///   - bias: Whether the layer has a `bias`.
    ///   - zero: Whether fresh weights begin as zeros, so that the layer adds nothing.
    /// - Throws: What the weights' source throws for a missing or misshapen weight.
    public init(
        _ inputSize: Int, _ outputSize: Int, bias: Bool = true, zero: Bool = false,
        _ weights: Weights
    ) throws {
        let bound = 1 / Double(inputSize).squareRoot()
        weight = try weights.parameter(
            "weight", [outputSize, inputSize], zero ? .zeros : .uniform(bound))
        self.bias =
            bias
            ? try weights.parameter("bias", [outputSize], zero ? .zeros : .uniform(bound)) : nil
    }

    /// Maps `(…, in)` to `(…, out)`, in the input's type.
    ///
    /// - Throws: `TorchError` for another last axis, or where memory does not suffice.
    ///
    /// Source: `torch.nn.Linear`.
    public func callAsFunction(_ x: Tensor) throws -> Tensor {
        try x.linear(weight.value(as: x.dtype), bias?.value(as: x.dtype))
    }
}
