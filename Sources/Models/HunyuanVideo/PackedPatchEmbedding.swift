import Torch
import TorchNN

/// Patches of the history, larger the further back it is.
///
/// Source: FramePack (arXiv:2504.12626), section 3.1; official
/// `HunyuanVideoPatchEmbedForCleanLatents`.
final class PackedPatchEmbedding {
    /// One level of compression: what a token stands for, in patches along each axis.
    private struct Level {
        let rate: Int
        let patches: PatchEmbedding
        let group: (PackedContext) -> ContextFrames?
    }

    private let levels: [Level]

    init(_ config: TransformerConfig, _ weights: Weights) throws {
        func patches(_ rate: Int, _ name: String) throws -> PatchEmbedding {
            try PatchEmbedding(
                config.inputChannels, config.hiddenSize,
                kernel: [rate, rate * config.patchSize, rate * config.patchSize], weights[name])
        }
        levels = [
            Level(rate: 4, patches: try patches(4, "proj_4x")) { $0.clean4x },
            Level(rate: 2, patches: try patches(2, "proj_2x")) { $0.clean2x },
            Level(rate: 1, patches: try patches(1, "proj")) { $0.clean },
        ]
    }

    /// Tokens and phases of each group that is there, the most compressed first.
    func callAsFunction(
        _ context: PackedContext, _ dtype: DType, rotary: (FrameIndices, Int) throws -> VideoPhases
    ) throws -> [(tokens: Tensor, rotary: VideoPhases)] {
        try levels.compactMap { level in
            guard let frames = level.group(context) else { return nil }
            return (
                try level.patches(frames.latents.to(dtype)), try rotary(frames.indices, level.rate)
            )
        }
    }
}
