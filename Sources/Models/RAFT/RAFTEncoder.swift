import Torch
import TorchNN

/// A convolution that keeps the size (but for its stride), a norm, and a ReLU.
///
/// Source: torchvision `Conv2dNormActivation`: the convolution is `0`, the norm `1`.
final class RAFTConvolution {
    private let convolution: Conv2d
    private let norm: RAFTConfig.Norm
    private let batchNorm: BatchNorm?
    private let isActivated: Bool

    init(
        _ inputSize: Int, _ outputSize: Int, kernel: Int, stride: Int = 1,
        norm: RAFTConfig.Norm = .none, isActivated: Bool = true, _ weights: Weights
    ) throws {
        convolution = try Conv2d(
            inputSize, outputSize, kernel: [kernel, kernel], stride: [stride, stride],
            padding: [kernel / 2, kernel / 2], weights[0])
        batchNorm = norm == .batch ? try BatchNorm(outputSize, weights[1]) : nil
        (self.norm, self.isActivated) = (norm, isActivated)
    }

    func callAsFunction(_ x: Tensor) throws -> Tensor {
        var x = try convolution(x)
        if norm == .instance { x = try x.groupNorm(x.dim(1), weight: nil, bias: nil, eps: 1e-5) }
        if let batchNorm { x = try batchNorm(x) }
        return isActivated ? try x.relu() : x
    }
}

/// Batch norm with the statistics that were gathered in training.
///
/// Source: `torch.nn.BatchNorm2d` in evaluation.
final class BatchNorm {
    private let scale: Parameter
    private let offset: Parameter
    private let mean: Parameter
    private let variance: Parameter

    init(_ channels: Int, _ weights: Weights) throws {
        scale = try weights.parameter("weight", [channels], .ones)
        offset = try weights.parameter("bias", [channels], .zeros)
        mean = try weights.parameter("running_mean", [channels], .zeros)
        variance = try weights.parameter("running_var", [channels], .ones)
    }

    /// Normalises `(B, C, h, w)`.
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        func channels(_ parameter: Parameter) throws -> Tensor {
            try parameter.value(as: x.dtype).reshape([-1, 1, 1])
        }
        let factor = try channels(scale) * (channels(variance) + 1e-5).rsqrt()
        return try (x - channels(mean)) * factor + channels(offset)
    }
}

/// Two or three convolutions beside a shortcut.
///
/// Source: torchvision `raft.ResidualBlock`, `raft.BottleneckBlock`.
final class RAFTBlock {
    private let convolutions: [RAFTConvolution]
    private let shortcut: RAFTConvolution?

    init(
        _ inputSize: Int, _ outputSize: Int, stride: Int, norm: RAFTConfig.Norm,
        isBottleneck: Bool, _ weights: Weights
    ) throws {
        let inner = outputSize / 4
        // Input, output, kernel and stride of each convolution.
        let sizes =
            isBottleneck
            ? [(inputSize, inner, 1, 1), (inner, inner, 3, stride), (inner, outputSize, 1, 1)]
            : [(inputSize, outputSize, 3, stride), (outputSize, outputSize, 3, 1)]
        convolutions = try sizes.enumerated().map { number, size in
            try RAFTConvolution(
                size.0, size.1, kernel: size.2, stride: size.3, norm: norm,
                weights["convnormrelu\(number + 1)"])
        }
        shortcut =
            stride == 1
            ? nil
            : try RAFTConvolution(
                inputSize, outputSize, kernel: 1, stride: stride, norm: norm, isActivated: false,
                weights["downsample"])
    }

    func callAsFunction(_ x: Tensor) throws -> Tensor {
        let y = try convolutions.reduce(x) { try $1($0) }
        return try ((shortcut?(x) ?? x) + y).relu()
    }
}

/// Pictures to features at an eighth of their size.
///
/// Source: torchvision `raft.FeatureEncoder`.
final class RAFTEncoder {
    private let start: RAFTConvolution
    private let blocks: [RAFTBlock]
    private let end: Conv2d

    init(_ widths: [Int], norm: RAFTConfig.Norm, isBottleneck: Bool, _ weights: Weights) throws {
        start = try RAFTConvolution(
            3, widths[0], kernel: 7, stride: 2, norm: norm, weights["convnormrelu"])
        var blocks: [RAFTBlock] = []
        for stage in 1...3 {
            let scope = weights["layer\(stage)"]
            let (before, width, stride) = (widths[stage - 1], widths[stage], stage > 1 ? 2 : 1)
            blocks.append(
                try RAFTBlock(
                    before, width, stride: stride, norm: norm, isBottleneck: isBottleneck,
                    scope[0]))
            blocks.append(
                try RAFTBlock(
                    width, width, stride: 1, norm: norm, isBottleneck: isBottleneck, scope[1]))
        }
        self.blocks = blocks
        end = try Conv2d(widths[3], widths[4], kernel: [1, 1], weights["conv"])
    }

    /// Maps `(B, 3, H, W)` to `(B, C, H / 8, W / 8)`.
    func callAsFunction(_ pictures: Tensor) throws -> Tensor {
        try end(blocks.reduce(start(pictures)) { try $1($0) })
    }
}
