import Torch
import TorchNN

/// Patches of the history, larger the further back it is.
///
/// Every kernel has weights of its own. Source: FramePack (arXiv:2504.12626), section 3.1; official
/// `HunyuanVideoPatchEmbedForCleanLatents`.
final class PackedPatchEmbedding {
    private let layers: [PatchKernel: PatchEmbedding]
    private let config: TransformerConfig

    init(_ config: TransformerConfig, _ weights: Weights) throws {
        self.config = config
        layers = try Dictionary(
            uniqueKeysWithValues: config.packingKernels.map { kernel in
                (
                    kernel,
                    try PatchEmbedding(
                        config.inputChannels, config.hiddenSize, kernel: kernel.sides,
                        weights[kernel.weightName])
                )
            })
    }

    /// Tokens and phases of each group, the coarsest first.
    ///
    /// - Parameter rotary: The phases of frames, averaged over boxes of patches.
    func callAsFunction(
        _ context: PackedContext, _ dtype: DType,
        rotary: (FrameIndices, RotaryEmbedding.Box) throws -> VideoPhases
    ) throws -> [(tokens: Tensor, rotary: VideoPhases)] {
        // A stable sort: groups of one kernel stay as they were given.
        let groups = context.groups.enumerated().sorted {
            ($1.element.kernel.volume, $0.offset) < ($0.element.kernel.volume, $1.offset)
        }.map(\.element)
        return try groups.map { group in
            (try tokens(group, dtype), try rotary(group.frames.indices, box(of: group)))
        }
    }

    private func tokens(_ group: PackedGroup, _ dtype: DType) throws -> Tensor {
        guard let (kernel, averaging) = config.layer(of: group.kernel), let layer = layers[kernel]
        else {
            throw ModelError("The transformer has no patches of the kernel \(group.kernel).")
        }
        // Means over boxes are not there in 16 bits on a CPU.
        let isDownsampled = averaging != [1, 1, 1]
        let isAveraged = group.averaging != nil || isDownsampled
        var latents = try group.frames.latents.to(isAveraged ? .float32 : dtype)
        switch group.averaging {
        case .eachFrame:
            let side = TailAveraging.side
            latents = try latents.boxMeans([
                1, min(side, latents.dim(3)), min(side, latents.dim(4)),
            ])
        case .allFrames: latents = try latents.mean([2, 3, 4], keepAxes: true)
        case nil: break
        }
        if isDownsampled { latents = try latents.boxMeans(averaging) }
        return try layer(latents.to(dtype))
    }

    /// What a token of a group stands for, in frames and patches.
    private func box(of group: PackedGroup) -> RotaryEmbedding.Box {
        let kernel = group.kernel
        let (rows, columns) = (
            kernel.height / config.patchSize, kernel.width / config.patchSize
        )
        switch group.averaging {
        case nil: return RotaryEmbedding.Box(frames: kernel.frames, rows: rows, columns: columns)
        case .eachFrame:
            let side = TailAveraging.side
            return RotaryEmbedding.Box(
                frames: kernel.frames, rows: rows * side, columns: columns * side, isCut: true)
        case .allFrames: return .everything
        }
    }
}

extension PatchKernel {
    /// Sides in the order of a convolution's weight.
    var sides: [Int] { [frames, height, width] }

    /// The name of its layer in a checkpoint; the first three are those of the released models.
    var weightName: String {
        switch (isMultipleOfBase, frames) {
        case (true, 1): "proj"
        case (true, let rate): "proj_\(rate)x"
        default: "proj_\(self)"
        }
    }
}
