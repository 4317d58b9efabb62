import Checkpoints
public import Foundation
import FramePack
public import Models
public import Torch
import ToyWorld

/// Encoded clips of the toy world, in shards on disk.
///
/// A clip of n sections has 36n + 1 frames and 9n + 1 latents. Scenes aren't stored: they follow
/// from their number.
public struct ClipCache {
    /// Clips of one length.
    public struct Shard {
        /// Scaled latents, `(clips, C, F, h, w)` in bf16.
        public let latents: Tensor
        /// Where objects are, 0 … 255, `(clips, F, h, w)`.
        public let masks: Tensor
        /// The number of each clip's scene.
        public let numbers: [Int]
    }

    /// How many sections the clips of each shard have, in turn.
    public static let sectionCounts = [2, 4, 4, 6]

    private let folder: URL
    /// The scenes that the clips show.
    public let clips: WorldClips

    /// Names a cache; the folder is made when something is added.
    public init(folder: URL, clips: WorldClips) {
        self.folder = folder
        self.clips = clips
    }

    /// The shards that are there, all of them read by memory map.
    public func shards() throws -> [Shard] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        let names = all.filter { $0.hasSuffix(".safetensors") && !$0.hasPrefix(".") }.sorted()
        guard !names.isEmpty else {
            throw TrainingError(
                "there are no encoded clips in \(folder.path); run `framepack train clips` first")
        }
        let shards = try names.map {
            let file = try SafetensorsFile(folder.appendingPathComponent($0))
            guard let first = file.metadata["first"].flatMap(Int.init) else {
                throw TrainingError("\(file.url.path) doesn't say which scenes it holds")
            }
            let latents = try file.tensor("latents")
            let side = latents.dim(3) * FrameSize.pixelsPerLatent
            guard side == clips.side else {
                throw TrainingError(
                    "\(file.url.path) has clips of \(side) pixels, not \(clips.side); remove them, or "
                        + "take that side")
            }
            return Shard(
                latents: latents, masks: try file.tensor("masks"),
                numbers: Array(first..<first + latents.dim(0)))
        }
        let numbers = shards.flatMap(\.numbers)
        guard Set(numbers).count == numbers.count else {
            throw TrainingError(
                "the clips in \(folder.path) show scenes twice, as shards of different sizes do; "
                    + "remove them, and run `framepack train clips` again")
        }
        return shards
    }

    /// Encodes shards that are missing, until there are `count`.
    ///
    /// - Parameters:
    ///   - size: Clips in a shard.
    ///   - execution: Where the VAE's weights lie, and the type in which it computes.
    ///   - onShard: Called after each shard with how many there are.
    public func fill(
        _ vae: VAE, count: Int, size: Int, execution: TrainingExecution = TrainingExecution(),
        onShard: (Int) throws -> Void
    ) throws {
        try makeFolder(folder)
        for index in 0..<count {
            let name = "clips-\(String(index + 10000).dropFirst()).safetensors"
            let url = folder.appendingPathComponent(name)
            if !FileManager.default.fileExists(atPath: url.path) {
                let sections = Self.sectionCounts[index % Self.sectionCounts.count]
                let first = index * size
                var tensors: [(latents: Tensor, masks: Tensor)] = []
                for number in first..<first + size {
                    tensors.append(
                        try encode(vae, number: number, sections: sections, execution))
                }
                try writeSafetensors(
                    try [
                        "latents": .cat(tensors.map(\.latents), axis: 0),
                        "masks": .cat(tensors.map(\.masks), axis: 0),
                    ], metadata: ["first": "\(first)", "sections": "\(sections)"], to: url)
            }
            try onShard(index + 1)
        }
    }

    private func encode(_ vae: VAE, number: Int, sections: Int, _ execution: TrainingExecution)
        throws
        -> (latents: Tensor, masks: Tensor)
    {
        let frames = vae.config.frames(latents: 9 * sections + 1)
        let clip = try clips.render([clips.scene(number)], starts: [0], count: frames)
        return try withoutGradients {
            // The start latent is the start picture's own, as at inference.
            let video = try clip.video.to(execution.device, execution.dtype)
            let whole = try vae.encode(video).mean
            let picture = try clip.video.narrow(2, 0, 1).to(execution.device, execution.dtype)
            let start = try vae.encode(picture).mean
            let rest = try whole.narrow(2, 1, whole.dim(2) - 1)
            let latents = try Tensor.cat([start, rest], axis: 2) * vae.config.scalingFactor
            return (try latents.to(.cpu, .bfloat16), try latentMask(clip.mask, vae.config))
        }
    }

    /// The largest cover among the pixels of each latent, `(1, F, h, w)` in 0 … 255.
    private func latentMask(_ mask: Tensor, _ config: VAEConfig) throws -> Tensor {
        let space = config.spatialCompressionRatio
        let time = config.temporalCompressionRatio
        let first = try mask.narrow(2, 0, 1).repeated([1, 1, time, 1, 1])
        let padded = try Tensor.cat([first, mask.narrow(2, 1, mask.dim(2) - 1)], axis: 2)
        let boxes = try padded.squeeze(1).unflatten(1, [-1, time]).unflatten(3, [-1, space])
            .unflatten(5, [-1, space])
        return try (boxes.max([2, 4, 6]) * 255).to(.uint8)
    }
}
