import Torch
import TorchNN

/// Video to the moments of its latents.
///
/// Source: diffusers `HunyuanVideoEncoder3D`.
final class VAEEncoder {
    private struct Level {
        let blocks: [VAEResidualBlock]
        let downsampler: CausalConv3d?
    }

    private let convIn, convOut: CausalConv3d
    private let levels: [Level]
    private let middle: VAEMiddleBlock
    private let normOut: GroupNorm

    init(_ config: VAEConfig, _ weights: Weights) throws {
        let sizes = config.blockOutChannels
        convIn = try CausalConv3d(config.inChannels, sizes[0], weights["conv_in"])
        levels = try sizes.indices.map { level in
            let scope = weights["down_blocks"][level]
            let blocks = try (0..<config.layersPerBlock).map { index in
                let inputSize = index == 0 ? sizes[max(level - 1, 0)] : sizes[level]
                return try VAEResidualBlock(
                    inputSize, sizes[level], groups: config.normNumGroups, scope["resnets"][index])
            }
            let factors = config.factors(level: level)
            let downsampler =
                factors == [1, 1, 1]
                ? nil
                : try CausalConv3d(
                    sizes[level], sizes[level], stride: factors, scope["downsamplers.0.conv"])
            return Level(blocks: blocks, downsampler: downsampler)
        }
        middle = try VAEMiddleBlock(config, weights["mid_block"])
        let last = sizes[sizes.count - 1]
        normOut = try GroupNorm(config.normNumGroups, last, weights["conv_norm_out"])
        convOut = try CausalConv3d(last, 2 * config.latentChannels, weights["conv_out"])
    }

    /// Maps `(B, 3, 4F−3, H, W)` to `(B, 2C, F, h, w)`.
    func callAsFunction(_ video: Tensor, _ pass: VAEPass) throws -> Tensor {
        var x = try convIn(video, pass)
        for level in levels {
            for block in level.blocks { x = try block(x, pass) }
            if let downsampler = level.downsampler { x = try downsampler(x, pass) }
        }
        x = try middle(x, pass)
        return try convOut(x, after: normOut, pass)
    }
}
