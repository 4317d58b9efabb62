public import Torch
public import TorchNN

/// Counts the calls of a layer, to which it adds the input's mean times its strength.
public final class CountingAdapter: LinearAdapter {
    /// Of the layer.
    public let inputSize, outputSize: Int
    /// None.
    public let parameters: [Parameter] = []
    /// So often the layer ran.
    public private(set) var calls = 0

    /// Takes the sizes of a layer.
    public init(_ layer: Linear) { (inputSize, outputSize) = (layer.inputSize, layer.outputSize) }

    /// The mean of the input in each channel.
    public func callAsFunction(_ x: Tensor, strength: Double) throws -> Tensor {
        calls += 1
        let row = try x.mean([-1], keepAxes: true) * strength
        return try row.expand(Array(x.shape.dropLast()) + [outputSize])
    }
}
