import Checkpoints
import Foundation
import FramePackMetrics
import FramePackTraining
import Media
import Models
import TestSupport
import Testing
import Torch
import TorchNN
import ToyWorld

@Suite struct VideoEvaluationTests {
    /// A square that moves by `step` pixels a frame over a ground that grows brighter.
    static func frames(_ count: Int, side: Int = 48, step: Int = 1, rise: Int = 1) -> [Picture] {
        (0..<count).map { number in
            let ground = UInt8(60 + rise * number)
            var picture = Picture(width: side, height: side, red: ground, green: ground, blue: 90)
            for y in 12..<28 {
                for x in 0..<16 {
                    let at = 3 * (y * side + (4 + x + step * number) % side)
                    picture.pixels[at] = UInt8(150 + 6 * x)
                    picture.pixels[at + 1] = UInt8(200 - 8 * (y - 12))
                }
            }
            return picture
        }
    }

    static func write(_ frames: [Picture], to url: URL, comment: String? = nil) throws {
        let writer = try VideoWriter(
            to: url, width: frames[0].width, height: frames[0].height,
            encoding: VideoEncoding(constantRateFactor: 0), comment: comment)
        for frame in frames { try writer.write(frame) }
        try writer.finish()
    }

    @Test("A video that says how it was made is measured section by section")
    func sections() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("a.mp4")
            // Two sections of two latents: 16 frames after the start frame, which is cut.
            try Self.write(
                Self.frames(16), to: url,
                comment: #"{"framepack":1,"request":{"prompt":"a","window":2,"frames":16}}"#)
            let video = try #require(try VideoEvaluation().run(url).videos.first)
            #expect(video.sectionSource == "request")
            #expect(video.measures.sections == [0..<8, 8..<16])
            #expect(video.framesPerSecond == 30 && video.width == 48)
            let brightness = try #require(video.measures.metrics[.brightness])
            #expect(try #require(brightness.drift) > 7)
            #expect(try #require(brightness.sections[0].drift) > 3)
            var options = VideoEvaluation.Options()
            (options.sectionFrames, options.measuresMotion) = (5, false)
            let pieces = try #require(try VideoEvaluation(options).run(url).videos.first)
            #expect(pieces.sectionSource == "pieces")
            #expect(pieces.measures.sections == [0..<6, 6..<11, 11..<16])
            #expect(pieces.measures.metrics[.motion] == nil)
        }
    }

    @Test("A folder's videos are measured, and a broken one is listed")
    func folder() throws {
        try withTemporaryFolder { folder in
            try Self.write(Self.frames(6), to: folder.appendingPathComponent("b.mp4"))
            try Self.write(
                Self.frames(6, step: 3), to: folder.appendingPathComponent("c.mp4"))
            try Data("no video".utf8).write(to: folder.appendingPathComponent("a.mp4"))
            try Data("a text".utf8).write(to: folder.appendingPathComponent("notes.txt"))
            var names: [String] = []
            let report = try VideoEvaluation().run(folder) { name, _ in names.append(name) }
            #expect(names == ["a.mp4", "b.mp4", "c.mp4"])
            #expect(report.videos.map(\.file) == ["b.mp4", "c.mp4"])
            #expect(report.broken.map(\.file) == ["a.mp4"])
            #expect(report.broken[0].reason.contains("a.mp4"))
            let motions = report.videos.map { $0.measures.metrics[.motion]?.mean ?? 0 }
            #expect(motions[1] > 2 * motions[0], "\(motions)")
            #expect(report.text.contains("Not measured:"))
            for line in report.text.split(separator: "\n") where !line.contains("/") {
                #expect(line.count <= 80, "\(line)")
            }
            let picture = report.picture()
            #expect(Set(picture.pixels).count > 20)
            let data = try JSONEncoder().encode(report)
            let read = try JSONDecoder().decode(VideoEvaluationReport.self, from: data)
            #expect(read.videos.map(\.measures) == report.videos.map(\.measures))
            #expect(read.text == report.text)
        }
    }

    @Test("A folder of frames is one video, and frames of two sizes are not")
    func frameFolder() throws {
        try withTemporaryFolder { folder in
            let frames = Self.frames(4)
            for (number, frame) in frames.enumerated() {
                try frame.writePNG(to: folder.appendingPathComponent("0\(number).png"))
            }
            let report = try VideoEvaluation().run(folder)
            #expect(report.videos.map(\.measures.frames) == [4])
            #expect(report.videos[0].framesPerSecond == nil)
            let wanted = VideoMeasures(
                frames.map { Frame(width: 48, height: 48, pixels: $0.pixels) })
            #expect(report.videos[0].measures == wanted)
            try Picture(width: 20, height: 48, red: 1, green: 2, blue: 3)
                .writePNG(to: folder.appendingPathComponent("04.png"))
            let message = Self.message { _ = try VideoEvaluation().run(folder) }
            #expect(message.contains("20 x 48") && message.contains("48 x 48"), "\(message)")
        }
    }

    static func message(_ body: () throws -> Void) -> String {
        do { try body() } catch { return "\(error)" }
        return "no error"
    }

    @Test("What is no video is a sentence that says so")
    func badInput() throws {
        try withTemporaryFolder { folder in
            func message(_ name: String) -> String {
                Self.message {
                    _ = try VideoEvaluation().run(folder.appendingPathComponent(name))
                }
            }
            #expect(message("absent.mp4").contains("is not there"))
            let empty = folder.appendingPathComponent("empty")
            try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: true)
            #expect(message("empty").contains("no videos and no frames"))
            try Data().write(to: folder.appendingPathComponent("nothing.mp4"))
            #expect(message("nothing.mp4").contains("nothing.mp4"))
            for name in ["1.mp4", "2.mp4"] {
                try Data("x".utf8).write(to: empty.appendingPathComponent(name))
            }
            #expect(message("empty").contains("none of the 2 videos"))
        }
    }

    @Test("One frame has figures without drift; an equal reference is as like as can be")
    func smallest() throws {
        try withTemporaryFolder { folder in
            let (one, two) = (
                folder.appendingPathComponent("1.mp4"), folder.appendingPathComponent("2.mp4")
            )
            try Self.write(Self.frames(1), to: one)
            try Self.write(Self.frames(2), to: two)
            let report = try VideoEvaluation().run(one)
            #expect(report.videos[0].measures.metrics[.sharpness]?.drift == nil)
            #expect(report.text.contains("1 frames of 48 x 48"))
            var options = VideoEvaluation.Options()
            options.reference = one
            let same = try VideoEvaluation(options).run(one)
            #expect(same.videos[0].measures.metrics[.psnr]?.mean == 100)
            #expect(same.videos[0].measures.metrics[.ssim]?.mean == 1)
            let message = Self.message { _ = try VideoEvaluation(options).run(two) }
            #expect(message.contains("only 1 frames"), "\(message)")
            options.reference = two
            let longer = Self.message { _ = try VideoEvaluation(options).run(one) }
            #expect(longer.contains("2.mp4 has more than the 1 frames of"), "\(longer)")
        }
    }

    @Test("A WebP with several frames in a folder is a video, one with a single frame a picture")
    func webP() throws {
        try withTemporaryFolder { folder in
            for (name, flags) in [("a.webp", UInt8(0x02)), ("b.webp", 0x10)] {
                var data = Data("RIFF\u{10}\0\0\0WEBPVP8X\u{0A}\0\0\0".utf8)
                data.append(contentsOf: [flags, 0, 0, 0, 47, 0, 0, 47, 0, 0])
                try data.write(to: folder.appendingPathComponent(name))
            }
            let message = Self.message { _ = try VideoEvaluation().run(folder) }
            #expect(message.contains("a.webp is an animated WebP"), "\(message)")
        }
    }

    @Test("A video of the small world is judged by what its caption says")
    func truth() throws {
        try withTemporaryFolder { folder in
            let scene = Showcase.items(side: 64)[0].scene
            let pixels = scene.render(frames: 0..<37)
            let frames = Frame.frames(of: pixels, width: 64, height: 64).map {
                Picture(width: 64, height: 64, pixels: $0.pixels)
            }
            var options = VideoEvaluation.Options()
            options.measuresMotion = false
            func report(_ name: String, _ caption: String) throws -> VideoEvaluationReport {
                let url = folder.appendingPathComponent(name)
                try Self.write(frames, to: url, comment: caption)
                return try VideoEvaluation(options).run(url)
            }
            let right = try report("right.mp4", scene.canonicalCaption)
            let object = try #require(right.videos[0].truth?.objects.first)
            #expect(object.isRight == true && object.sections[0].hasDirection == true)
            #expect(right.text.contains("By the ground truth"))
            let other = try report("wrong.mp4", "a white triangle stays still")
            #expect(other.videos[0].truth?.objects.first?.isRight == false)
            #expect(try report("none.mp4", "a girl dances").videos[0].truth == nil)
            let all = try VideoEvaluation(options).run(folder)
            #expect(all.text.contains("1 of 2"))
            for line in all.text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
        }
    }

    // MARK: - Predictors

    /// A folder with tiny networks of the published kinds.
    static func predictors(in folder: URL) throws {
        func write(_ name: String, _ make: (Weights) throws -> Void) throws {
            let weights = Weights(FormulaWeights())
            try make(weights)
            try writeSafetensors(weights.store.tensors, to: folder.appendingPathComponent(name))
        }
        var config = MUSIQConfig()
        (config.hiddenSize, config.intermediateSize, config.layerCount) = (12, 8, 1)
        try write("musiq_koniq.safetensors") { _ = try MUSIQ(config, $0) }
        try write("musiq_spaq.safetensors") { _ = try MUSIQ(config, $0) }
        try write("raft_small.safetensors") { _ = try RAFT(.small, $0) }
        var clip = CLIPVisionConfig()
        (clip.hiddenSize, clip.intermediateSize, clip.layerCount, clip.headCount) = (64, 8, 1, 1)
        (clip.imageSize, clip.projectionSize) = (28, 6)
        let below = folder.appendingPathComponent("clip")
        try FileManager.default.createDirectory(at: below, withIntermediateDirectories: true)
        try write("clip/model.safetensors") { _ = try CLIPVisionEncoder(clip, $0) }
        try write("aesthetic.safetensors") { _ = try AestheticHead(.linear, inputSize: 6, $0) }
        try write("mlp.safetensors") { _ = try AestheticHead(.layered, inputSize: 6, $0) }
    }

    @Test("Predictors are known by what their files hold, and score every eighth of a second")
    func predictors() throws {
        try withTemporaryFolder { folder in
            try Self.predictors(in: folder)
            let predictors = try Predictors(folder)
            #expect(
                Set(predictors.files.map { "\($0.network) \($0.file)" }) == [
                    "MUSIQ musiq_spaq.safetensors", "RAFT small raft_small.safetensors",
                    "CLIP clip/model.safetensors", "LAION linear aesthetic.safetensors",
                ])
            let url = folder.appendingPathComponent("v.mp4")
            try Self.write(Self.frames(9), to: url)
            let report = try VideoEvaluation(predictors: predictors).run(url)
            #expect(report.flow == "RAFT small")
            let video = try #require(report.videos.first)
            func places(_ metric: Metric) -> [Int] {
                (video.measures.metrics[metric]?.values ?? []).enumerated()
                    .filter { $0.element != nil }.map(\.offset)
            }
            #expect(places(.clarity) == [0, 4, 8] && places(.aesthetic) == [0, 4, 8])
            #expect(places(.dynamic) == [4, 8] && places(.motion) == [4, 8])
            #expect(video.isDynamic != nil)
            #expect(report.text.contains("motion by RAFT small"))
        }
    }

    @Test("A folder without predictors, or with half of one, is an error that says what is missing")
    func missingPredictors() throws {
        try withTemporaryFolder { folder in
            #expect(Self.message { _ = try Predictors(folder) }.contains("has no predictor"))
            try Self.predictors(in: folder)
            let head = folder.appendingPathComponent("clip")
            try FileManager.default.removeItem(at: head)
            let message = Self.message { _ = try Predictors(folder) }
            #expect(message.contains("without CLIP"), "\(message)")
            let file = folder.appendingPathComponent("musiq_spaq.safetensors")
            #expect(Self.message { _ = try Predictors(file) }.contains("is no folder"))
        }
    }

    @Test("CLIP's pictures are resized and cut as transformers does it")
    func clipPictures() throws {
        let golden = try Fixtures.tensors("predictors/clip.safetensors")
        for (name, height, width) in [("wide", 61, 97), ("tall", 83, 50), ("small", 30, 31)] {
            let pixels = Formula.levels("clip \(name)", count: 3 * height * width)
            let levels = try Predictors.clipLevels(
                Picture(width: width, height: height, pixels: pixels), side: 42)
            let wanted = try #require(golden["stage.levels.\(name)"])
            #expect(try levels.array(UInt8.self) == wanted.array(UInt8.self), "\(name)")
        }
    }
}
