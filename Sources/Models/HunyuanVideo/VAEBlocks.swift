import Torch
import TorchNN

/// Two convolutions with their norms, added to the input.
///
/// Source: diffusers `HunyuanVideoResnetBlockCausal3D`.
final class VAEResidualBlock {
    private let norm1, norm2: GroupNorm
    private let conv1, conv2: CausalConv3d
    private let shortcut: CausalConv3d?

    init(_ inputSize: Int, _ outputSize: Int, groups: Int, _ weights: Weights) throws {
        norm1 = try GroupNorm(groups, inputSize, weights["norm1"])
        conv1 = try CausalConv3d(inputSize, outputSize, weights["conv1"])
        norm2 = try GroupNorm(groups, outputSize, weights["norm2"])
        conv2 = try CausalConv3d(outputSize, outputSize, weights["conv2"])
        shortcut =
            inputSize == outputSize
            ? nil
            : try CausalConv3d(inputSize, outputSize, kernel: 1, weights["conv_shortcut"])
    }

    /// Maps `(B, C, F, h, w)` to the block's width; may leave the result in the place of `x`.
    func callAsFunction(_ x: Tensor, _ pass: VAEPass) throws -> Tensor {
        let y = try conv1(x, after: norm1, pass)
        guard let shortcut else {
            return try conv2(
                y, after: norm2, adding: { try x.narrow(3, $0.lowerBound, $0.count) }, over: x, pass
            )
        }
        return try conv2(
            y, after: norm2,
            adding: { try shortcut(x.narrow(3, $0.lowerBound, $0.count), pass) }, over: y, pass)
    }
}

/// Attention over all positions of a frame and of the frames before it.
///
/// Source: diffusers `HunyuanVideoMidBlock3D`, which masks a dense score matrix; here each frame's
/// queries meet just the keys they may see, so no matrix of that size exists.
final class VAEAttention {
    private let groupNorm: GroupNorm
    private let toQ, toK, toV, toOut: Linear

    init(_ size: Int, groups: Int, _ weights: Weights) throws {
        groupNorm = try GroupNorm(groups, size, weights["group_norm"])
        toQ = try Linear(size, size, weights["to_q"])
        toK = try Linear(size, size, weights["to_k"])
        toV = try Linear(size, size, weights["to_v"])
        toOut = try Linear(size, size, weights["to_out.0"])
    }

    /// Adds attention to `(B, C, F, h, w)`.
    func callAsFunction(_ x: Tensor, _ pass: VAEPass) throws -> Tensor {
        let (frames, height, width) = (x.dim(2), x.dim(3), x.dim(4))
        let area = height * width
        let y = try groupNorm(x).flatten(2).transpose(1, 2).unsqueeze(1)  // (B, 1, F·h·w, C)
        let q = try toQ(y)
        var (keys, values) = (try toK(y), try toV(y))
        if let stream = pass.stream {
            (keys, values) = try stream.remembered(keys, values, area: area, for: self)
        }
        let seen = keys.dim(2) - frames * area
        let parts = try (0..<frames).map { frame in
            try pass.onProgress()
            return try Tensor.attention(
                q.narrow(2, frame * area, area), keys.narrow(2, 0, seen + (frame + 1) * area),
                values.narrow(2, 0, seen + (frame + 1) * area))
        }
        let out = try toOut(Tensor.cat(parts, axis: 2).squeeze(1)).transpose(1, 2)
        return try x + out.unflatten(2, [frames, height, width])
    }
}

/// Residual blocks around attention, at the coarsest level.
final class VAEMiddleBlock {
    private let first, second: VAEResidualBlock
    private let attention: VAEAttention?

    init(_ config: VAEConfig, _ weights: Weights) throws {
        let size = config.blockOutChannels[config.blockOutChannels.count - 1]
        let groups = config.normNumGroups
        first = try VAEResidualBlock(size, size, groups: groups, weights["resnets"][0])
        attention =
            config.midBlockAddAttention
            ? try VAEAttention(size, groups: groups, weights["attentions"][0]) : nil
        second = try VAEResidualBlock(size, size, groups: groups, weights["resnets"][1])
    }

    func callAsFunction(_ x: Tensor, _ pass: VAEPass = VAEPass()) throws -> Tensor {
        var y = try first(x, pass)
        if let attention { y = try attention(y, pass) }
        return try second(y, pass)
    }
}
