public import Torch

/// How a weight that isn't read from a checkpoint begins.
public enum Initialization: Sendable {
    /// Zeros.
    case zeros
    /// Ones.
    case ones
    /// Evenly within ± bound.
    case uniform(Double)
    /// Gaussian with a standard deviation.
    case normal(Double)
}

/// Where a model's weights come from.
public protocol WeightSource {
    /// Gives one weight.
    ///
    /// - Parameters:
    ///   - name: The full name.
    ///   - shape: The shape that the layer needs.
    ///   - initialization: How it begins where the source has no values of its own.
    /// - Returns: A tensor of that shape.
    /// - Throws: An error that names the weight if it is missing or has another shape.
    func tensor(_ name: String, shape: [Int], initialization: Initialization) throws -> Tensor
    /// Gives a linear layer's weight in few bits, where the source has it so.
    ///
    /// - Parameters:
    ///   - name: The full name.
    ///   - shape: The shape that the layer needs, `(out, in)`.
    /// - Returns: nil where the layer is to ask for a tensor.
    /// - Throws: An error that names the weight if what is stored does not fit.
    func quantized(_ name: String, shape: [Int]) throws -> QuantizedWeight?
    /// Whether the source has values for a name, for layers that some checkpoints lack.
    func contains(_ name: String) -> Bool
}

extension WeightSource {
    /// None: the source has plain numbers alone.
    public func quantized(_ name: String, shape: [Int]) throws -> QuantizedWeight? { nil }
}

/// Fresh weights from a seed.
public struct RandomWeights: WeightSource {
    private let generator: Generator
    private let dtype: DType

    /// Starts a stream of weights.
    ///
    /// - Parameters:
    ///   - seed: Decides all weights.
    ///   - dtype: Their type; they are drawn in float32.
    public init(seed: UInt64, dtype: DType = .float32) throws(TorchError) {
        generator = try Generator(seed: seed)
        self.dtype = dtype
    }

    /// A fresh weight of that shape on the CPU, drawn as its layer asks.
    ///
    /// - Throws: `TorchError` where memory does not suffice.
    public func tensor(_ name: String, shape: [Int], initialization: Initialization) throws
        -> Tensor
    {
        let value = try Tensor.empty(shape)
        switch initialization {
        case .zeros: try value.zeroInPlace()
        case .ones: try value.fillInPlace(1)
        case .uniform(let bound): try value.uniformInPlace(-bound, bound, generator: generator)
        case .normal(let deviation):
            try value.normalInPlace(deviation: deviation, generator: generator)
        }
        return try value.to(dtype)
    }

    /// True: there is a fresh weight for every name.
    public func contains(_ name: String) -> Bool { true }
}

/// Weights with a shape and no memory: for asking what a model needs.
public struct ShapesOnly: WeightSource {
    /// The source.
    public init() {}

    /// A tensor of that shape, in float32 without memory.
    public func tensor(_ name: String, shape: [Int], initialization: Initialization) throws
        -> Tensor
    { try .empty(shape, device: .meta) }

    /// True: every name has a shape.
    public func contains(_ name: String) -> Bool { true }
}
