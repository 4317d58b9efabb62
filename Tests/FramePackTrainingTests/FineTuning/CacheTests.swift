import Checkpoints
import Foundation
import FramePack
import FramePackTraining
import Media
import Models
import TestSupport
import Testing
import Torch

@Suite(.serialized) struct ConditionCacheTests {
    private struct Stopped: Error {}

    private func files(_ folder: URL) throws -> [String: Data] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        return try Dictionary(
            uniqueKeysWithValues: names.map {
                ($0, try Data(contentsOf: folder.appendingPathComponent($0)))
            })
    }

    @Test func anInterruptedCacheGoesOnAndBrokenFilesAreListed() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            let run = try tiny.run()
            let cache = folder.appendingPathComponent("cache")
            // Stopped after each file in turn, as by a kill: what is whole stays.
            var stops = 0
            var summary: CacheSummary?
            while summary == nil, stops < 50 {
                do { summary = try run.fillCache { _ in throw Stopped() } } catch is Stopped {
                    stops += 1
                    #expect(throws: TrainingError.self) { _ = try run.facts() }
                }
            }
            let done = try #require(summary)
            // Three texts, two pictures and the plain one, two clips and the plain one.
            #expect(stops == 9 && done.made == 0 && done.found == 9)
            #expect(done.clips == 2 && done.sections == 3)
            let places = done.problems.map { URL(fileURLWithPath: $0.place).lastPathComponent }
            #expect(places.sorted() == ["broken.mp4", "clip-2.mp4"], "\(done.problems)")
            #expect(done.problems.contains { $0.reason.contains("no clip of 9 frames") })

            let before = try files(cache)
            #expect(try run.fillCache { _ in throw Stopped() }.made == 0)
            #expect(try files(cache) == before)
            let undisturbed = try TinyFineTuning(in: folder.appendingPathComponent("other"))
            #expect(try undisturbed.run().fillCache().made == 9)
            let other = try files(undisturbed.folder.appendingPathComponent("cache"))
            for (name, data) in other where name.hasSuffix(".safetensors") {
                // Their metadata name the folder that they come of.
                #expect(before[name]?.suffix(512) == data.suffix(512), "\(name)")
            }
        }
    }

    @Test func whatIsKeptIsWhatAGenerationEncodes() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            let run = try tiny.run()
            _ = try run.fillCache()
            let data = try CachedDataset(run.dataset, folder: run.cacheFolder, model: run.model)
            #expect(data.entries.map(\.clip.latentCount) == [3, 5])
            let library = ModelLibrary(run.model, precision: .uniform(.float32))
            let reader = try VideoReader(
                contentsOf: folder.appendingPathComponent("videos/clip-1.mp4"))
            let frames = Array(try reader.remainingFrames().prefix(17))
            try withoutGradients {
                let vae = try library.vae()
                let pixels = try Tensor.cat(frames.map { try ImageEncoder.pixels($0) }, axis: 2)
                let scale = vae.config.scalingFactor
                let wanted = try (vae.encode(pixels).mean * scale).squeeze(0)
                let kept = try data.latents(1)
                // Half precision has 11 bits.
                try expectClose(
                    kept.narrow(1, 1, 4), wanted.narrow(1, 1, 4), absolute: 1e-3, relative: 1e-3,
                    "latents")
                let start = try vae.encode(ImageEncoder.pixels(frames[0])).mean * scale
                try expectClose(
                    kept.narrow(1, 0, 1), start.squeeze(0), absolute: 1e-3, relative: 1e-3, "start")
                let vision = try ImageEncoder.vision(
                    frames[0], library.visionSettings(), library.visionEncoder())
                try expectClose(
                    data.vision(1, isDropped: false), vision.squeeze(0), absolute: 1e-3,
                    relative: 1e-3, "vision")
                let prompt = try library.promptEncoder(parity: false)("a shape of clip 1 moves")
                let text = try data.text(1, isDropped: false)
                #expect(text.embeds.dim(0) == prompt.length)
                try expectClose(
                    text.embeds, prompt.embeds.squeeze(0).narrow(0, 0, prompt.length),
                    absolute: 1e-3, relative: 1e-3, "text")
                try expectClose(
                    text.pooled, prompt.pooled.squeeze(0), absolute: 1e-3, relative: 1e-3, "pooled")
                let empty = try library.promptEncoder(parity: false)("")
                #expect(try data.text(1, isDropped: true).embeds.dim(0) == empty.length)
            }
        }
    }

    /// Clips of one video overlap, have several lengths and are read in one pass.
    @Test func clipsThatOverlapAreThoseOfTheVideo() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            try tiny.write(
                """
                [[datasets]]
                video_directory = "videos"
                frame_extraction = "slide"
                frame_stride = 4
                target_frames = [9, 17]
                resolution = [32, 32]
                """, to: "data.toml")
            let run = try tiny.run()
            let summary = try run.fillCache()
            // 11 frames: 0..<9. 20 frames: 0, 4 and 8 ..< + 9, and 0..<17.
            #expect(summary.clips == 5 && summary.emptyCaptions == 0)
            let data = try CachedDataset(run.dataset, folder: run.cacheFolder, model: run.model)
            let frames = try VideoReader(
                contentsOf: folder.appendingPathComponent("videos/clip-1.mp4")
            ).remainingFrames()
            let vae = try ModelLibrary(run.model, precision: .uniform(.float32)).vae()
            try withoutGradients {
                for (number, entry) in data.entries.enumerated()
                where entry.clip.source.contains("clip-1") {
                    let start = try #require(
                        Int(entry.clip.source.split(separator: " ").last ?? ""))
                    let count = 4 * entry.clip.latentCount - 3
                    let pixels = try Tensor.cat(
                        frames[start..<start + count].map { try ImageEncoder.pixels($0) }, axis: 2)
                    let wanted = try vae.encode(pixels).mean.squeeze(0) * vae.config.scalingFactor
                    let rest = entry.clip.latentCount - 1
                    try expectClose(
                        data.latents(number).narrow(1, 1, rest), wanted.narrow(1, 1, rest),
                        absolute: 1e-3, relative: 1e-3, entry.clip.source)
                }
            }
        }
    }

    @Test func anotherDatasetOrRateIsAnotherCache() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            _ = try tiny.run().fillCache()
            // At 60 frames a second a clip of 20 frames has 10 of 30.
            try tiny.write(
                """
                [[datasets]]
                video_directory = "videos"
                cache_directory = "cache"
                frame_extraction = "full"
                resolution = [32, 32]
                source_fps = 60.0
                """, to: "data.toml")
            let run = try tiny.run()
            let error = #expect(throws: TrainingError.self) { _ = try run.facts() }
            #expect(error?.description.contains("framepack train cache") == true)
            let summary = try run.fillCache()
            #expect(summary.clips == 1 && summary.sections == 1)
            // The text of one clip, and its frames, are other ones; captions are there.
            #expect(summary.made == 2, "\(summary)")
            let data = try CachedDataset(run.dataset, folder: run.cacheFolder, model: run.model)
            #expect(data.entries.map(\.clip.caption) == ["a shape of clip 1 moves"])
        }
    }

    @Test func picturesAreLatentsOfTheirOwn() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            for (place, colour) in [("pictures/a", 200), ("pictures/b", 90), ("controls/a", 30)] {
                let file = folder.appendingPathComponent("\(place).png")
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Picture(width: 40, height: 32, red: UInt8(colour), green: 9, blue: 99)
                    .writePNG(to: file)
                try Data("a picture".utf8).write(to: folder.appendingPathComponent("\(place).txt"))
            }
            try tiny.write(
                """
                [[datasets]]
                image_directory = "pictures"
                control_directory = "controls"
                fp_1f_target_index = 3
                resolution = [32, 32]
                """, to: "data.toml")
            let run = try tiny.run()
            let summary = try run.fillCache()
            #expect(summary.pictures == 2 && summary.clips == 0 && summary.problems.isEmpty)
            let data = try CachedDataset(run.dataset, folder: run.cacheFolder, model: run.model)
            #expect(data.entries.map(\.clip.latentCount) == [2, 1])
            #expect(data.entries[0].clip.vision != nil && data.entries[1].clip.vision == nil)
            for number in 0..<2 { #expect(try data.latents(number).shape == [16, 2, 4, 4]) }
            let plain = try data.plainLatent(1).array(Float.self)
            #expect(try data.latents(1).narrow(1, 0, 1).contiguous().array(Float.self) == plain)
            let task = try run.task()
            let samples = try task.samples(step: 0)
            let input = try task.batch(samples).input
            #expect(input.latents.shape == [2, 16, 1, 4, 4])
            #expect(input.indices == .perSample([[3], [3]]))
            #expect(try task.loss(step: 0).loss.item().isFinite)
        }
    }

    @Test func aFolderWithoutAnyClipIsAnError() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            try tiny.write("[[datasets]]\nvideo_directory = \"nothing\"\n", to: "data.toml")
            let run = try tiny.run()
            let missing = #expect(throws: TrainingError.self) { _ = try run.fillCache() }
            #expect(missing?.description.contains("there is no folder") == true)
        }
    }
}
