import Foundation
public import FramePack
import FramePackMetrics
import Media
import ToyWorld

/// Measures step caches on the small world: how many calls of the network each saves, and how far its
/// videos are from the exact ones.
///
/// Scenes that training never sees, from their first picture, in the orders F1 and inverted; every
/// cache makes the same videos.
public struct CachesExperiment: Sendable {
    /// A cache at a threshold, a refresh of the context, or both.
    public struct Variant: Sendable, Codable, Hashable, CustomStringConvertible {
        /// The cache.
        public let cache: StepCacheChoice
        /// Its threshold; nil for none.
        public let threshold: Double?
        /// Computed steps from one refresh of the context to the next; 1 computes it always.
        public let contextRefresh: Int

        /// Puts all together.
        public init(_ cache: StepCacheChoice, _ threshold: Double?, contextRefresh: Int = 1) {
            (self.cache, self.threshold) = (cache, threshold)
            self.contextRefresh = contextRefresh
        }

        /// A refresh of the context without a step cache.
        public static func context(_ refresh: Int) -> Variant {
            Variant(.none, nil, contextRefresh: refresh)
        }

        /// The name of the cache with its threshold, and the refresh.
        public var description: String {
            let parts = [
                threshold.map { "\(cache.rawValue) \($0)" },
                contextRefresh > 1 ? "context \(contextRefresh)" : nil,
            ]
            return parts.compactMap(\.self).joined(separator: " + ")
        }
    }

    /// Each cache at its authors' threshold, below it and above it; the context's refresh alone and with
    /// the cache to begin with.
    public static let variants = [
        Variant(.teacache, 0.1), Variant(.teacache, 0.15), Variant(.teacache, 0.3),
        Variant(.magcache, 0.05), Variant(.magcache, 0.1), Variant(.magcache, 0.2),
        Variant(.easycache, 0.025), Variant(.easycache, 0.05), Variant(.easycache, 0.1),
        Variant(.firstBlock, 0.05), Variant(.firstBlock, 0.1), Variant(.firstBlock, 0.2),
        .context(2), .context(3), .context(4), Variant(.teacache, 0.15, contextRefresh: 2),
    ]

    /// The small model.
    public let model: ModelFolder
    /// What is compared with the exact run.
    public let variants: [Variant]
    /// Videos in each order.
    public let count: Int
    /// The length of a video in seconds; it becomes whole sections.
    public let seconds: Double
    /// How often each video is made; the quickest counts.
    public let repeats: Int
    /// Steps of a section; nil for the model's.
    public let steps: Int?

    /// Prepares the experiment.
    ///
    /// - Throws: `TrainingError` for a model that knows no toy world; `FramePackError.model` for one
    ///   that is not calibrated, where MagCache takes part.
    public init(
        _ model: ModelFolder, variants: [Variant] = Self.variants, count: Int = 3,
        seconds: Double = 2.4, repeats: Int = 1, steps: Int? = nil
    ) throws {
        try HeldOutVideos.check(model)
        if variants.contains(where: { $0.cache == .magcache }) { _ = try model.magnitudeRatios() }
        (self.model, self.variants, self.steps) = (model, variants, steps)
        (self.count, self.seconds, self.repeats) = (count, seconds, repeats)
    }

    /// Makes all videos.
    ///
    /// - Parameters:
    ///   - cancellation: Ends the work from another thread.
    ///   - onScene: Called after each scene with how many are done and how many there are.
    /// - Throws: `FramePackError` where a video cannot be made, or for cancelled work.
    public func run(
        cancellation: CancellationToken = CancellationToken(),
        onScene: (Int, Int) throws -> Void = { _, _ in }
    ) throws -> CachesTable {
        let generator = try FrameGenerator(model)
        let videos = HeldOutVideos(model, seconds: seconds, steps: steps)
        let orders = [SamplingOrder.f1, .inverted]
        var rows: [CachesTable.Row] = []
        for (place, order) in orders.enumerated() {
            var exact = CachesTable.Row(order: order, variant: nil)
            var cached = variants.map { CachesTable.Row(order: order, variant: $0) }
            for index in 0..<count {
                let video = try videos[index, order]
                let wanted = try make(video, nil, generator, cancellation)
                exact.add(wanted.cost, quality: nil)
                for number in cached.indices {
                    let found = try make(video, variants[number], generator, cancellation)
                    cached[number].add(
                        found.cost, quality: Similarity.psnr(found.frame, wanted.frame))
                }
                try onScene(place * count + index + 1, orders.count * count)
            }
            rows += [exact] + cached
        }
        return CachesTable(
            model: model.name, steps: steps ?? model.settings.steps ?? 25, rows: rows)
    }

    /// A video as one tall frame, and what its sampling took in the quickest of several runs.
    private func make(
        _ video: (request: GenerationRequest, picture: Picture), _ variant: Variant?,
        _ generator: FrameGenerator, _ cancellation: CancellationToken
    ) throws -> (frame: FramePackMetrics.Frame, cost: CachesTable.Cost) {
        var request = video.request
        if let variant {
            (request.stepCache, request.threshold) = (variant.cache, variant.threshold)
            request.contextRefresh = variant.contextRefresh
        }
        var (frame, seconds) = (FramePackMetrics.Frame?.none, Double.infinity)
        for _ in 0..<max(repeats, 1) {
            frame = try HeldOutVideos.frame(
                request, from: video.picture, generator, cancellation)
            seconds = min(seconds, generator.record.seconds)
        }
        guard let frame else { throw TrainingError("No video was made.") }
        let (calls, skipped) = (generator.record.calls, generator.record.skipped)
        return (
            frame, CachesTable.Cost(seconds: seconds, calls: calls, computed: calls - skipped)
        )
    }
}
