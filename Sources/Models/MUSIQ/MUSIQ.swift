public import Torch
public import TorchNN

/// MUSIQ: the technical quality of a picture, seen at three sizes at once.
///
/// Source: pyiqa `MUSIQ`; arXiv 2108.05997.
public final class MUSIQ {
    /// The sizes.
    public let config: MUSIQConfig
    private let root: StandardConvolution
    private let rootNorm: GroupNorm
    private let bottleneck: MUSIQBottleneck
    private let embedding: Linear
    private let positions: Parameter
    private let scales: Parameter
    private let start: Parameter
    private let layers: [MUSIQLayer]
    private let norm: LayerNorm
    private let head: Linear

    /// Builds the network from its weights, whose names are those of pyiqa's files.
    ///
    /// - Throws: `ModelError` if the sizes are impossible; what the weights' source throws.
    public init(_ config: MUSIQConfig, _ weights: Weights) throws {
        if let problem = config.problem { throw ModelError(problem) }
        self.config = config
        let (width, grid) = (config.hiddenSize, config.gridSize * config.gridSize)
        root = try StandardConvolution(3, 64, kernel: 7, stride: 2, weights["conv_root"])
        rootNorm = try GroupNorm(32, 64, eps: 1e-6, weights["gn_root"])
        bottleneck = try MUSIQBottleneck(64, 256, weights["block1"])
        let cells = (config.patchSize / 4) * (config.patchSize / 4)
        embedding = try Linear(256 * cells, width, weights["embedding"])
        let encoder = weights["transformer_encoder"]
        positions = try encoder["posembed_input"]
            .parameter("position_emb", [1, grid, width], .normal(0.02))
        scales = try encoder["scaleembed_input"]
            .parameter("scale_emb", [config.longerSides.count + 1, width], .normal(0.02))
        start = try encoder.parameter("cls", [1, 1, width], .zeros)
        layers = try (0..<config.layerCount).map {
            try MUSIQLayer(config, encoder["transformer.encoderblock_\($0)"])
        }
        norm = try LayerNorm(width, eps: 1e-6, encoder["encoder_norm"])
        let scope = config.classCount > 1 ? weights["head"][0] : weights["head"]
        head = try Linear(width, config.classCount, scope)
    }

    /// Scores pictures.
    ///
    /// - Parameter pictures: `(B, 3, H, W)` in [0, 1], of any size.
    /// - Returns: `(B)`: about 0 to 100 for networks of one class (SPAQ, KonIQ, PaQ-2-PiQ), the
    ///   mean of the distribution, 1 to 10, for AVA's.
    /// - Throws: `ModelError` that names the shape found and the one wanted.
    public func callAsFunction(_ pictures: Tensor) throws -> Tensor {
        guard pictures.rank == 4, pictures.dim(1) == 3, pictures.count > 0,
            pictures.dtype.isFloatingPoint
        else {
            throw ModelError(
                "the pictures are \(pictures); wanted are numbers of (batch, 3, height, width)")
        }
        let batch = pictures.dim(0)
        let patches = try MUSIQPatches(pictures.to(start.value.device, start.value.dtype), config)
        func rows(_ table: Tensor, _ numbers: [Int64]) throws -> Tensor {
            try table.indexSelect(0, Tensor(numbers).to(table.device))
        }
        var x = try embedding(stem(patches.pixels)).unflatten(0, [batch, -1])
        x = try x + rows(positions.value.squeeze(0), patches.positions)
        x = try x + rows(scales.value, patches.scales)
        x = try .cat([start.value.expand([batch, 1, config.hiddenSize]), x], axis: 1)
        for layer in layers { x = try layer(x) }
        let found = try head(norm(x.select(1, 0)))
        guard config.classCount > 1 else { return try found.squeeze(-1) }
        let grades = try Tensor((1...config.classCount).map(Float.init))
            .to(found.device, found.dtype)
        return try (found.softmax(-1) * grades).sum([-1])
    }

    /// Patches `(N, 3, P, P)` as rows, channels last, `(N, 256 · (P / 4)²)`.
    private func stem(_ patches: Tensor) throws -> Tensor {
        let x = try rootNorm(root(patches)).relu()
        let pooled = try paddedToKeepSize(x, kernel: 3, stride: 2).maxPool2d(3, stride: 2)
        return try bottleneck(pooled).permute(0, 2, 3, 1).flatten(1)
    }
}

/// Zeros around `(B, C, h, w)`, such that a stride divides the size exactly; one more at the end
/// where their number is odd.
///
/// Source: TensorFlow's padding "SAME".
private func paddedToKeepSize(_ x: Tensor, kernel: Int, stride: Int) throws -> Tensor {
    let amounts = [3, 2].flatMap { axis in
        let count = (x.dim(axis) + stride - 1) / stride
        let total = (count - 1) * stride + kernel - x.dim(axis)
        return [total / 2, total - total / 2]
    }
    return try x.pad(amounts, .constant(0))
}

/// A convolution whose weights have mean 0 and deviation 1 for each output.
///
/// Source: pyiqa `StdConv`; arXiv 1903.10520.
private final class StandardConvolution {
    private let weight: Parameter
    private let kernel: Int
    private let stride: Int

    init(_ inputSize: Int, _ outputSize: Int, kernel: Int, stride: Int = 1, _ weights: Weights)
        throws
    {
        (self.kernel, self.stride) = (kernel, stride)
        let bound = 1 / Double(inputSize * kernel * kernel).squareRoot()
        weight = try weights.parameter(
            "weight", [outputSize, inputSize, kernel, kernel], .uniform(bound))
    }

    func callAsFunction(_ x: Tensor) throws -> Tensor {
        let weight = try self.weight.value(as: x.dtype)
        let centred = try weight - weight.mean([1, 2, 3], keepAxes: true)
        let deviation = try weight.standardDeviation([1, 2, 3], keepAxes: true) + 1e-5
        return try paddedToKeepSize(x, kernel: kernel, stride: stride)
            .conv2d(centred / deviation, nil, stride: [stride, stride])
    }
}

/// Three convolutions beside a shortcut.
///
/// Source: pyiqa `musiq_arch.Bottleneck`.
private final class MUSIQBottleneck {
    private let convolutions: [(StandardConvolution, GroupNorm)]
    private let shortcut: StandardConvolution
    private let shortcutNorm: GroupNorm

    init(_ inputSize: Int, _ outputSize: Int, _ weights: Weights) throws {
        let sizes = [(inputSize, 1), (inputSize, 3), (outputSize, 1)]
        convolutions = try sizes.enumerated().map { number, size in
            (
                try StandardConvolution(
                    inputSize, size.0, kernel: size.1, weights["conv\(number + 1)"]),
                try GroupNorm(32, size.0, eps: 1e-4, weights["gn\(number + 1)"])
            )
        }
        shortcut = try StandardConvolution(
            inputSize, outputSize, kernel: 1, weights["conv_proj"])
        shortcutNorm = try GroupNorm(32, outputSize, eps: 1e-4, weights["gn_proj"])
    }

    func callAsFunction(_ x: Tensor) throws -> Tensor {
        var y = x
        for (number, (convolution, norm)) in convolutions.enumerated() {
            y = try norm(convolution(y))
            if number < 2 { y = try y.relu() }
        }
        return try (y + shortcutNorm(shortcut(x))).relu()
    }
}

/// Attention and MLP, each behind a layer norm and added to what came in.
///
/// Source: pyiqa `musiq_arch.TransformerBlock`.
private final class MUSIQLayer {
    private let attentionNorm, mlpNorm: LayerNorm
    private let query, key, value, output: Linear
    private let up, down: Linear
    private let headCount: Int

    init(_ config: MUSIQConfig, _ weights: Weights) throws {
        let (width, inner) = (config.hiddenSize, config.intermediateSize)
        headCount = config.headCount
        attentionNorm = try LayerNorm(width, eps: 1e-6, weights["norm1"])
        mlpNorm = try LayerNorm(width, eps: 1e-6, weights["norm2"])
        let attention = weights["attention"]
        query = try Linear(width, width, attention["query"])
        key = try Linear(width, width, attention["key"])
        value = try Linear(width, width, attention["value"])
        output = try Linear(width, width, attention["out"])
        up = try Linear(width, inner, weights["mlp.fc1"])
        down = try Linear(inner, width, weights["mlp.fc2"])
    }

    /// Maps `(B, N, C)`.
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        func heads(_ x: Tensor) throws -> Tensor {
            try x.unflatten(-1, [headCount, -1]).transpose(1, 2)
        }
        let y = try attentionNorm(x)
        let mixed = try Tensor.attention(heads(query(y)), heads(key(y)), heads(value(y)))
        let seen = try x + output(mixed.transpose(1, 2).flatten(2))
        return try seen + down(up(mlpNorm(seen), then: .gelu(.exact)))
    }
}
