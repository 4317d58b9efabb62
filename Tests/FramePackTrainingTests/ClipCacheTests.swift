import Foundation
import FramePackTraining
import Models
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct ClipCacheTests {
    private func vae(_ seed: UInt64) throws -> VAE {
        try VAE(TinyTasks.vaeConfig, Weights(RandomWeights(seed: seed)))
    }

    private let execution = TinyTasks.exact

    @Test func whatIsThereStaysAndTheRestIsAdded() throws {
        try withTemporaryFolder { folder in
            let clips = WorldClips(side: TinyTasks.side, seed: 4)
            let cache = ClipCache(folder: folder.appendingPathComponent("clips"), clips: clips)
            try cache.fill(vae(1), count: 1, size: 1, execution: execution) { _ in }
            let first = try cache.shards()
            #expect(first.map(\.numbers) == [[0]])
            // Another VAE would encode otherwise; the shard that is there must not change.
            var counts: [Int] = []
            try cache.fill(vae(2), count: 2, size: 1, execution: execution) { counts.append($0) }
            #expect(counts == [1, 2])
            let all = try cache.shards()
            #expect(all.map(\.numbers) == [[0], [1]])
            #expect(
                try all[0].latents.array(Float.self) == first[0].latents.array(Float.self))

            let whole = ClipCache(folder: folder.appendingPathComponent("other"), clips: clips)
            try whole.fill(vae(2), count: 2, size: 1, execution: execution) { _ in }
            let wanted = try whole.shards()
            #expect(
                try all[1].latents.array(Float.self) == wanted[1].latents.array(Float.self))
            #expect(
                try all[0].latents.array(Float.self) != wanted[0].latents.array(Float.self))
        }
    }

    /// A codebook is to know every clip, of every file.
    @Test func latentPixelsAreDrawnFromAllClips() throws {
        try withTemporaryFolder { folder in
            let cache = ClipCache(
                folder: folder, clips: WorldClips(side: TinyTasks.side, seed: 4))
            try cache.fill(vae(1), count: 2, size: 2, execution: execution) { _ in }
            func rows(_ latents: Tensor) throws -> Set<[Float]> {
                let values = try latents.to(.float32).contiguous().array(Float.self)
                return Set(
                    stride(from: 0, to: values.count, by: 16).map {
                        Array(values[$0..<$0 + 16])
                    })
            }
            let clips = try cache.shards().flatMap { shard in
                try (0..<2).map {
                    try rows(shard.latents.select(0, $0).flatten(1).transpose(0, 1))
                }
            }
            let pixels = try cache.latentPixels(count: 42, seed: 3)
            // 42 / 4 of each clip, rounded down.
            #expect(pixels.shape == [40, 16])
            for (number, clip) in clips.enumerated() {
                let drawn = try rows(pixels.narrow(0, 10 * number, 10))
                #expect(drawn.isSubset(of: clip), "clip \(number)")
            }
            #expect(try cache.latentPixels(count: 3, seed: 3).shape == [3, 16])
        }
    }

    @Test func aShardHoldsTheClipsLatentsAndWhereObjectsAre() throws {
        try withTemporaryFolder { folder in
            let clips = WorldClips(side: TinyTasks.side, seed: 4)
            let cache = ClipCache(folder: folder, clips: clips)
            let vae = try vae(1)
            try cache.fill(vae, count: 1, size: 2, execution: execution) { _ in }
            let shard = try #require(try cache.shards().first)
            #expect(shard.latents.shape == [2, 16, 19, 2, 2])
            #expect(shard.masks.shape == [2, 19, 2, 2])
            #expect(shard.masks.dtype == .uint8)
            let clip = try clips.render([clips.scene(1)], starts: [0], count: 73)
            try withoutGradients {
                // The start latent is that of the picture alone, as at inference.
                let start = try vae.encode(clip.video.narrow(2, 0, 1)).mean
                let scaled = try start * vae.config.scalingFactor
                try expectClose(
                    shard.latents.narrow(0, 1, 1).narrow(2, 0, 1), scaled, absolute: 0,
                    relative: 4e-3, "start latent in bfloat16")
            }
            let cover = try clip.mask.select(0, 0).select(0, 0).narrow(0, 0, 1)
                .unflatten(1, [2, 8]).unflatten(3, [2, 8]).max([2, 4])
            let wanted = try (cover * 255).to(.uint8).array(UInt8.self)
            let mask = try shard.masks.select(0, 1).narrow(0, 0, 1)
            #expect(try mask.array(UInt8.self) == wanted)
        }
    }
}
