import Foundation
import FramePackMetrics
import ToyWorld

extension VideoEvaluationReport {
    /// The figures for a terminal of 80 columns: one video in detail, or several side by side.
    public var text: String {
        var parts = videos.count == 1 ? detail(videos[0]) : overview
        if !broken.isEmpty {
            parts.append(
                "Not measured:\n" + broken.map { "\($0.reason)" }.joined(separator: "\n"))
        }
        return parts.joined(separator: "\n\n")
    }

    /// How the flow was found and whose scores these are, in one line each.
    private var sources: String {
        var lines = flow.map { ["motion by \($0)"] } ?? []
        lines += predictors.map { "\($0.network): \($0.file)" }
        return lines.joined(separator: "\n")
    }

    // MARK: - One video

    private func detail(_ video: Video) -> [String] {
        let measures = video.measures
        let known = video.sectionSource == "request" ? "as its request says" : "equal pieces"
        var title =
            "\(video.file): \(measures.frames) frames of \(video.width) x \(video.height), "
            + "\(measures.sections.count) sections (\(known))"
        if !sources.isEmpty { title += "\n\(sources)" }
        if let isDynamic = video.isDynamic {
            title += "\ndynamic, as VBench decides: \(isDynamic ? "yes" : "no")"
        }
        let whole = TextTable(
            head: ["metric", "unit", "mean", "first 15 %", "last 15 %", "drift"],
            rows: metrics.map { metric in
                let found = measures.metrics[metric]
                return [metric.rawValue, metric.unit]
                    + [found?.mean, found?.first, found?.last, found?.drift].map(number)
            })
        var parts = [title, whole.plain]
        if measures.sections.count > 1 {
            parts.append("Mean of each section\n" + sections(of: measures) { $0.mean })
            parts.append("Drift within each section\n" + sections(of: measures) { $0.drift })
        }
        if let truth = video.truth, let object = truth.objects.first {
            parts.append(Self.truthTitle + judgement(object))
        }
        return parts
    }

    /// What was told of an object, section by section, and its drift.
    private func judgement(_ object: ObjectReport) -> String {
        func verdict(_ value: Bool?) -> String { value.map { $0 ? "right" : "wrong" } ?? "-" }
        let rows = object.sections.map { section in
            ["\(section.section + 1)"]
                + [section.isPresent, section.hasColour, section.hasShape, section.hasDirection]
                .map(verdict) + [section.speed, section.sharpness].map(number)
        }
        let table = TextTable(
            head: ["section", "object", "colour", "shape", "way", "speed", "edges"],
            rows: rows.count > 12 ? rows.prefix(11) + rows.suffix(1) : rows)
        let drift = DriftMetric.allCases.compactMap { metric in
            object.drift[metric].map { "\(metric.rawValue) \(number($0))" }
        }
        return table.plain + "\ndrift: " + drift.joined(separator: ", ")
    }

    /// As many sections as fit into a line; the last of more than those.
    private func sections(
        of measures: VideoMeasures, _ value: (VideoMeasures.SectionSummary) -> Double?
    ) -> String {
        let count = measures.sections.count
        let shown = count > 7 ? Array(0..<6) + [count - 1] : Array(0..<count)
        return TextTable(
            head: ["metric"] + shown.map { "\($0 + 1)" },
            rows: metrics.map { metric in
                let sections = measures.metrics[metric]?.sections ?? []
                return [metric.rawValue]
                    + shown.map {
                        number(sections.indices.contains($0) ? value(sections[$0]) : nil)
                    }
            }
        ).plain
    }

    // MARK: - Several videos

    /// The metrics with a column of their own: predictors' first, and what tells most beside.
    private var columns: [Metric] {
        let wanted: [Metric] = [
            .clarity, .aesthetic, .dynamic, .psnr, .ssim, .sharpness, .flicker, .motion,
            .brightness, .saturation, .histogram,
        ]
        return Array(wanted.filter(metrics.contains).prefix(6))
    }

    private var overview: [String] {
        var title = "\(videos.count) videos"
        if !sources.isEmpty { title += "\n\(sources)" }
        let dynamic = videos.compactMap(\.isDynamic)
        if !dynamic.isEmpty {
            title += "\ndynamic, as VBench decides: \(dynamic.count { $0 }) of \(dynamic.count)"
        }
        func table(_ value: (VideoMeasures.Summary) -> Double?) -> String {
            TextTable(
                head: ["video"] + columns.map(\.rawValue),
                rows: videos.map { video in
                    [shortened(video.file)]
                        + columns.map { number(video.measures.metrics[$0].flatMap(value)) }
                }
            ).plain
        }
        let all = TextTable(
            head: ["metric", "unit", "mean", "+-", "drift", "+-"],
            rows: metrics.map { metric in
                let found = videos.compactMap { $0.measures.metrics[metric] }
                return [metric.rawValue, metric.unit] + interval(found.compactMap(\.mean))
                    + interval(found.compactMap(\.drift))
            })
        let judged = videos.compactMap(\.truth)
        let truth = judged.isEmpty ? [] : [Self.truthTitle + judgement(judged)]
        return [
            title, "Mean of each video\n" + table(\.mean), "Drift of each video\n" + table(\.drift),
            "Mean over the videos, with 95 % intervals\n" + all.plain,
        ] + truth
    }

    private static let truthTitle =
        "By the ground truth of the small world; the way is obedience to the caption\n"

    /// How many of what was told the judge found right, over objects and sections.
    private func judgement(_ judged: [VideoReport]) -> String {
        let summary = JudgeSummary(judged)
        let all = summary.overall
        func cell(_ score: Score) -> String { "\(score.right) of \(score.judged)" }
        return TextTable(
            head: ["videos", "objects", "in sections", "colour", "shape", "way"],
            rows: [
                ["\(summary.videos)"]
                    + [summary.objects, all.presence, all.colour, all.shape, all.direction].map(
                        cell)
            ]
        ).plain
    }

    /// A mean, and half the width of its 95 % interval, for which two values are needed.
    private func interval(_ values: [Double]) -> [String] {
        guard let estimate = MeanEstimate(values) else { return [number(values.first), "-"] }
        return [number(estimate.mean), number(estimate.halfWidth)]
    }

    private func shortened(_ name: String) -> String {
        name.count > 20 ? "\(name.prefix(9))..\(name.suffix(9))" : name
    }

    /// About four digits.
    private func number(_ value: Double?) -> String {
        guard let value else { return "-" }
        let digits = abs(value) >= 1000 ? 0 : abs(value) >= 100 ? 1 : abs(value) >= 10 ? 2 : 3
        return String(format: "%.\(digits)f", value)
    }
}
