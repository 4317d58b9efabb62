public import Torch

/// `x · weightᵀ + bias` over the last axis, and what adapters add to that.
public final class Linear {
    /// The full name, as in the checkpoint: `transformer_blocks.0.attn.to_q`.
    public let name: String
    /// `(out, in)`.
    public let weight: LinearWeight
    /// `(out)`; nil if the layer has none.
    public let bias: Parameter?
    /// What is added, in the order in which it was attached.
    private(set) var adapters: [(set: AdapterSet, adapter: any LinearAdapter)] = []
    /// Who brings the weight when it is used, and its number there; nil where it is always there.
    var stream: (weights: WeightStream, index: Int)?

    /// Where it computes.
    public var device: Device { stream?.weights.device ?? weight.device }

    /// Who brings the weight when it is used; nil where it is always there.
    package var weightStream: WeightStream? { stream?.weights }

    /// Channels that go in.
    public let inputSize: Int
    /// Channels that come out.
    public let outputSize: Int

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
        name = String(weights.prefix.dropLast())
        (self.inputSize, self.outputSize) = (inputSize, outputSize)
        weight = try weights.linearWeight(
            "weight", [outputSize, inputSize], zero ? .zeros : .uniform(bound))
        self.bias =
            bias
            ? try weights.parameter("bias", [outputSize], zero ? .zeros : .uniform(bound)) : nil
        weights.store.add(self)
    }

    /// Maps `(…, in)` to `(…, out)`, in the input's type.
    ///
    /// - Parameter activation: Of the result, adapters and all; none if nil.
    /// - Throws: `TorchError` for another last axis, or where memory does not suffice.
    ///
    /// Source: `torch.nn.Linear`.
    public func callAsFunction(_ x: Tensor, then activation: Activation? = nil) throws -> Tensor {
        let bias = try bias?.value(as: x.dtype)
        let adapters = adapters.filter { $0.set.strength != 0 }
        if adapters.isEmpty { return try product(x, bias, then: activation) }
        let y = try product(x, bias)
        for (set, adapter) in adapters {
            // No graph keeps what a product gave, so that its memory may be used again.
            try y.addInPlace(adapter(x, strength: set.strength))
        }
        return try activation.map { try y.activated(by: $0) } ?? y
    }

    private func product(_ x: Tensor, _ bias: Tensor?, then activation: Activation? = nil) throws
        -> Tensor
    {
        guard let stream else { return try weight.product(x, bias, then: activation) }
        return try stream.weights.withWeight(stream.index) {
            try $0.product(x, bias, then: activation)
        }
    }

    func attach(_ adapter: any LinearAdapter, of set: AdapterSet) {
        adapters.append((set, adapter))
    }

    func detach(_ set: AdapterSet) { adapters.removeAll { $0.set === set } }
}
