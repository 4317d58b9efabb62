public import Foundation
public import FramePack
public import ToyWorld

/// What was measured of a model: a row for each kind of video.
public struct EvaluationReport: Codable, Sendable {
    /// The model's name.
    public var model: String
    /// A checksum of its weights.
    public var fingerprint: String
    /// The side of the pictures, in pixels.
    public var side: Int
    /// Frames of each video.
    public var frames: Int
    /// What was asked for.
    public var options: EvaluationOptions
    /// The rows: rendered videos, VAE round trips, and what the model generated.
    public var rows: [EvaluationRow]

    /// The report that an earlier run wrote; nil if there is none.
    ///
    /// - Throws: `DecodingError` for a file that holds something else.
    public static func stored(at url: URL) throws -> EvaluationReport? {
        guard FileManager.default.fileExists(atPath: url.path) else { return nil }
        return try JSONDecoder().decode(Self.self, from: Data(contentsOf: url))
    }

    /// The length of each video, in seconds.
    public var seconds: Double { Double(frames) / Double(Scene.frameRate) }
}

/// What was measured of one kind of video.
public struct EvaluationRow: Codable, Sendable {
    /// The row's name.
    public var name: String
    /// The order; nil for videos that the model didn't generate.
    public var order: SamplingOrder?
    /// The packing; nil for the model's own.
    public var packing: Packing?
    /// Steps of a section; nil likewise.
    public var steps: Int?
    /// Distilled guidance; nil likewise.
    public var guidance: Double?
    /// True guidance; nil likewise.
    public var cfg: Double?
    /// Mean time that a video took, without judging it.
    public var secondsPerVideo: Double
    /// What the judge found.
    public var summary: JudgeSummary
    /// For each metric the mean drift of its videos, with a 95 % interval.
    public var driftIntervals: [DriftMetric: MeanEstimate] = [:]
    /// The shown videos' prompts.
    public var prompts: [String]
    /// The shown videos' frames, `[8, side, side, 3]` each; not part of the JSON.
    var strips: [Data] = []

    enum CodingKeys: String, CodingKey {
        case name, order, packing, steps, guidance, cfg, secondsPerVideo, summary, driftIntervals
        case prompts
    }

    /// Reads a row; an older report has no packings and no intervals of drift.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        name = try fields.decode(String.self, forKey: .name)
        order = try fields.decodeIfPresent(SamplingOrder.self, forKey: .order)
        packing = try fields.decodeIfPresent(Packing.self, forKey: .packing)
        steps = try fields.decodeIfPresent(Int.self, forKey: .steps)
        guidance = try fields.decodeIfPresent(Double.self, forKey: .guidance)
        cfg = try fields.decodeIfPresent(Double.self, forKey: .cfg)
        secondsPerVideo = try fields.decode(Double.self, forKey: .secondsPerVideo)
        summary = try fields.decode(JudgeSummary.self, forKey: .summary)
        driftIntervals =
            try fields.decodeIfPresent([DriftMetric: MeanEstimate].self, forKey: .driftIntervals)
            ?? [:]
        prompts = try fields.decode([String].self, forKey: .prompts)
    }

    init(_ plan: EvaluationRowPlan, videos: [EvaluatedVideo]) {
        name = plan.name
        if plan.kind == .generated {
            (order, steps) = (plan.request.order, plan.request.steps)
            packing = plan.request.packing
            (guidance, cfg) = (plan.request.guidance, plan.request.cfg)
        }
        secondsPerVideo =
            videos.reduce(0) { $0 + $1.seconds } / Double(max(videos.count, 1))
        summary = JudgeSummary(videos.map(\.report))
        for metric in DriftMetric.allCases {
            let values = videos.flatMap { $0.report.objects.compactMap { $0.drift[metric] } }
            driftIntervals[metric] = MeanEstimate(values)
        }
        let shown = videos.filter { $0.strip != nil }
        prompts = shown.map(\.prompt)
        strips = shown.compactMap(\.strip)
    }

    /// The mean distance from the true place around a time, in picture sides; nil if none was seen.
    ///
    /// - Parameter seconds: The time; frames up to a quarter of a second away count.
    public func positionError(seconds: Double) -> Double? {
        let rate = Double(Scene.frameRate)
        let first = max(Int(((seconds - 0.25) * rate).rounded()), 0)
        let last = min(Int(((seconds + 0.25) * rate).rounded()), summary.positionErrors.count - 1)
        guard first <= last else { return nil }
        let means = summary.positionErrors[first...last]
        let count = means.reduce(0) { $0 + $1.count }
        return count == 0 ? nil : means.reduce(0) { $0 + $1.sum } / Double(count)
    }
}

/// The mean of a sample, with how far the true mean may lie away.
public struct MeanEstimate: Codable, Sendable, Equatable {
    /// The mean.
    public let mean: Double
    /// Half the width of the 95 % interval, by Student's t: 1.96 standard errors for many values, 4.3 for
    /// three.
    public let halfWidth: Double
    /// How many values there were.
    public let count: Int

    /// Estimates the mean; nil for fewer than two values.
    public init?(_ values: [Double]) {
        guard values.count > 1 else { return nil }
        let n = Double(values.count)
        let mean = values.reduce(0, +) / n
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1)
        let width = StudentT(freedom: values.count - 1).halfWidth(holding: 0.95)
        (self.mean, halfWidth) = (mean, width * (variance / n).squareRoot())
        count = values.count
    }
}

extension Score {
    /// Where the true share lies with a probability of 95 %; nil if nothing could be judged.
    ///
    /// Source: Wilson, "Probable inference, the law of succession, and statistical inference"
    /// (1927), the score interval.
    public var interval: ClosedRange<Double>? {
        guard let share else { return nil }
        let (z, n) = (1.96, Double(judged))
        let middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        let half =
            z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
        return max(middle - half, 0)...min(middle + half, 1)
    }
}
