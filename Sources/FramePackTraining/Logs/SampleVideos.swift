public import Foundation
public import FramePack
import Media
import ToyWorld

/// Short videos that a training makes along the way, so that a person sees what it has learned.
///
/// Always the same pictures, prompts and seeds: what differs from one step to the next is the model.
public struct SampleVideos {
    /// The scenes that are shown, by their names in ``Showcase``.
    public static let scenes = ["red-circle", "blue-square"]

    private let run: TrainingRun
    private let seconds: Double

    /// Prepares the videos of a run.
    ///
    /// - Parameter seconds: The length of each; it becomes whole sections.
    public init(_ run: TrainingRun, seconds: Double = 2.4) {
        (self.run, self.seconds) = (run, seconds)
    }

    /// The folder of the videos, `samples` in the run's folder.
    public var folder: URL { run.folder.appendingPathComponent("samples") }

    /// Makes the videos with the averaged weights that were stored last.
    ///
    /// - Parameters:
    ///   - step: The number in the files' names.
    ///   - cancellation: Ends the work from another thread.
    /// - Returns: For each scene and order `step-N-SCENE-ORDER.mp4`, and its strip beside it.
    /// - Throws: What export, generation or the writer throws.
    public func write(
        step: Int, cancellation: CancellationToken = CancellationToken()
    ) throws -> [SampleVideo] {
        let target = folder.appendingPathComponent("model")
        var options = ModelExportOptions()
        (options.name, options.samplePictures) = ("step \(step)", 8)
        // A student is that of an earlier step.
        options.isGuided = false
        _ = try ModelExport(run, to: target, options: options)
        let generator = try FrameGenerator(ModelFolder(target))
        let side = try run.sizes().side
        var samples: [SampleVideo] = []
        for item in Showcase.items(side: side) where Self.scenes.contains(item.name) {
            for order in SamplingOrder.allCases {
                var request = generator.model.settings.request(
                    prompt: item.prompt, image: "picture")
                (request.seconds, request.order, request.seed) = (seconds, order, 1)
                let picture = Picture(width: side, height: side, pixels: item.picture)
                let name = "\(item.name)-\(order.rawValue)"
                let url = folder.appendingPathComponent("step-\(step)-\(name).mp4")
                let writer = try VideoWriter(
                    to: url, width: side, height: side, comment: item.prompt)
                let frames = try generator.frames(
                    request, from: picture, cancellation: cancellation)
                for frame in frames {
                    try writer.write(frame)
                }
                try writer.finish()
                samples.append(try SampleVideo(name: name, video: url))
            }
        }
        return samples
    }
}
