import Torch
import TorchNN

/// Latents to video.
///
/// Source: diffusers `HunyuanVideoDecoder3D`.
final class VAEDecoder {
    private struct Level {
        let blocks: [VAEResidualBlock]
        let upsampler: VAEUpsampler?
    }

    private let convIn, convOut: CausalConv3d
    private let middle: VAEMiddleBlock
    private let levels: [Level]
    private let normOut: GroupNorm

    init(_ config: VAEConfig, _ weights: Weights) throws {
        let sizes = Array(config.blockOutChannels.reversed())
        convIn = try CausalConv3d(config.latentChannels, sizes[0], weights["conv_in"])
        middle = try VAEMiddleBlock(config, weights["mid_block"])
        levels = try sizes.indices.map { level in
            let scope = weights["up_blocks"][level]
            let blocks = try (0...config.layersPerBlock).map { index in
                let inputSize = index == 0 ? sizes[max(level - 1, 0)] : sizes[level]
                return try VAEResidualBlock(
                    inputSize, sizes[level], groups: config.normNumGroups, scope["resnets"][index])
            }
            let factors = config.factors(level: level)
            let upsampler =
                factors == [1, 1, 1]
                ? nil
                : try VAEUpsampler(sizes[level], factors: factors, scope["upsamplers.0"])
            return Level(blocks: blocks, upsampler: upsampler)
        }
        let last = sizes[sizes.count - 1]
        normOut = try GroupNorm(config.normNumGroups, last, weights["conv_norm_out"])
        convOut = try CausalConv3d(last, config.outChannels, weights["conv_out"])
    }

    /// Maps `(B, C, F, h, w)` to `(B, 3, 4F−3, H, W)`, or to 4F frames in the middle of a stream.
    func callAsFunction(_ latents: Tensor, _ pass: VAEPass) throws -> Tensor {
        var x = try middle(convIn(latents, pass), pass)
        for level in levels {
            for block in level.blocks { x = try block(x, pass) }
            if let upsampler = level.upsampler { x = try upsampler(x, pass) }
        }
        x = try convOut(x, after: normOut, pass)
        pass.stream?.advance()
        return x
    }
}
