import Checkpoints
import Foundation
public import FramePack
import FramePackMetrics

/// Measures weight formats on the small world: the size of the transformer's file, how far its
/// weights are from the stored ones, and how far its videos are.
///
/// Scenes that training never sees, from their first picture, in the orders F1 and inverted.
public struct FormatsExperiment: Sendable {
    /// The small model.
    public let model: ModelFolder
    /// What is compared with the weights as they are stored.
    public let formats: [WeightFormatChoice]
    /// Videos in each order.
    public let count: Int
    /// The length of a video in seconds; it becomes whole sections.
    public let seconds: Double
    /// Steps of a section; nil for the model's.
    public let steps: Int?

    /// Prepares the experiment.
    ///
    /// - Throws: `TrainingError` for a model that knows no toy world.
    public init(
        _ model: ModelFolder,
        formats: [WeightFormatChoice] = WeightFormatChoice.allCases.filter { $0 != .stored },
        count: Int = 3, seconds: Double = 2.4, steps: Int? = nil
    ) throws {
        try HeldOutVideos.check(model)
        (self.model, self.formats) = (model, formats.filter { $0 != .stored })
        (self.count, self.seconds, self.steps) = (count, seconds, steps)
    }

    /// Converts the weights, and makes all videos.
    ///
    /// - Parameters:
    ///   - cancellation: Ends the work from another thread.
    ///   - onVideo: Called after each video with how many are done and how many there are.
    /// - Throws: `FramePackError` where a video cannot be made, or for cancelled work.
    public func run(
        cancellation: CancellationToken = CancellationToken(),
        onVideo: (Int, Int) throws -> Void = { _, _ in }
    ) throws -> FormatsTable {
        let exact = try FrameGenerator(model)
        let others = try formats.map { try FrameGenerator(model, weightFormat: $0) }
        var rows = [FormatsTable.Row(format: .stored, conversion: nil)]
        for format in formats {
            rows.append(.init(format: format, conversion: try converted(format)))
        }
        let videos = HeldOutVideos(model, seconds: seconds, steps: steps)
        let orders = [SamplingOrder.f1, .inverted]
        var done = 0
        for order in orders {
            for index in 0..<count {
                let video = try videos[index, order]
                func make(_ generator: FrameGenerator) throws -> FramePackMetrics.Frame {
                    let frame = try HeldOutVideos.frame(
                        video.request, from: video.picture, generator, cancellation)
                    done += 1
                    try onVideo(done, orders.count * count * (others.count + 1))
                    return frame
                }
                let wanted = try make(exact)
                rows[0].add(seconds: exact.record.seconds, quality: nil)
                for (number, generator) in others.enumerated() {
                    let quality = Similarity.psnr(try make(generator), wanted)
                    rows[number + 1].add(seconds: generator.record.seconds, quality: quality)
                }
            }
        }
        return FormatsTable(model: model.name, rows: rows)
    }

    private func converted(_ format: WeightFormatChoice) throws -> ConversionReport? {
        guard let target = ConversionFormat(rawValue: format.rawValue) else { return nil }
        let place = FileManager.default.temporaryDirectory
            .appendingPathComponent("framepack-format-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: place) }
        return try WeightConversion(model.folder(of: .transformer)).write(target, to: place)
    }
}
