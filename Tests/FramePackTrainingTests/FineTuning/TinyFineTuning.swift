import Foundation
import FramePack
import FramePackTraining
import Media
import TestSupport
import Torch
import ToyWorld

/// A fine-tuning that takes seconds: a random model, rendered videos of 32×32 pixels, windows of two
/// latents.
struct TinyFineTuning {
    let folder: URL

    /// Writes two videos with captions, of 9 and 17 frames, one that is broken and one too short.
    init(in folder: URL) throws {
        self.folder = folder
        let videos = folder.appendingPathComponent("videos")
        try FileManager.default.createDirectory(at: videos, withIntermediateDirectories: true)
        for (number, frames) in [11, 20, 5].enumerated() {
            let name = videos.appendingPathComponent("clip-\(number)")
            try Self.writeVideo(
                number, frames: frames, to: name.appendingPathExtension("mp4"))
            try Data("a shape of clip \(number) moves\n".utf8).write(
                to: name.appendingPathExtension("txt"))
        }
        try Data("no video".utf8).write(to: videos.appendingPathComponent("broken.mp4"))
        try Data("broken".utf8).write(to: videos.appendingPathComponent("broken.txt"))
        try write(
            """
            [[datasets]]
            video_directory = "videos"
            cache_directory = "cache"
            frame_extraction = "full"
            resolution = [32, 32]
            """, to: "data.toml")
    }

    static func writeVideo(_ number: Int, frames: Int, to file: URL) throws {
        let side = 32
        let scene = WorldClips(side: side, seed: 4).scene(number)
        let pixels = scene.render(frames: 0..<frames)
        let writer = try VideoWriter(
            to: file, width: side, height: side, encoding: VideoEncoding(constantRateFactor: 0))
        let bytes = side * side * 3
        for frame in 0..<frames {
            try writer.write(
                Picture(
                    width: side, height: side,
                    pixels: Array(pixels[frame * bytes..<(frame + 1) * bytes])))
        }
        try writer.finish()
    }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: folder.appendingPathComponent(name))
    }

    static let model = Fixtures.url("goldens/pipeline/model")

    /// Reads a configuration and opens its run.
    ///
    /// - Parameter model: The model's folder or file; the tiny model's unless given.
    func run(
        _ text: String = "", output: String = "run", steps: Int = 6, sections: String? = nil,
        model: URL = Self.model
    ) throws -> FineTuningRun {
        TorchLibrary.setThreadCount(1)
        try write(
            """
            model = "\(model.path)"
            dataset = "data.toml"
            output = "\(output)"
            guidance = 10
            steps = \(steps)
            batch = 2
            sections = { \(sections ?? "window = 2, orders = [\"inverted\", \"f1\"]") }
            compute = { device = "cpu", precision = "f32", weights = "f32" }
            \(text)
            """, to: "run.toml")
        let config = try FineTuningConfig(contentsOf: folder.appendingPathComponent("run.toml"))
        return try FineTuningRun(config, device: .cpu)
    }
}
