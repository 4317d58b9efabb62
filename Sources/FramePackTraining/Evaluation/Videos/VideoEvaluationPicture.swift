import Foundation
import FramePackMetrics
public import Media

extension VideoEvaluationReport {
    /// The most videos that a picture shows.
    public static let shownVideos = 8

    /// A curve over time for each metric, and the first and last frame of each video.
    ///
    /// The first eight videos are shown, each in a colour of its own. A report that was read from a
    /// file has no frames.
    public func picture() -> Picture { VideoSheet(self).drawn() }
}

/// Where everything stands on the sheet.
private struct VideoSheet {
    private let videos: [VideoEvaluationReport.Video]
    private let metrics: [Metric]
    private let margin = 12
    private let gap = 16
    private let panel = (width: 300, height: 130)
    private let columns = 3
    private let textHeight = 16
    private let frameHeight = 144
    private static let inks: [Canvas.Ink] = [
        (200, 40, 40), (40, 80, 200), (30, 140, 60), (200, 130, 20), (130, 50, 170),
        (20, 150, 160), (60, 60, 60), (150, 150, 150),
    ]

    init(_ report: VideoEvaluationReport) {
        videos = Array(report.videos.prefix(VideoEvaluationReport.shownVideos))
        metrics = report.metrics
    }

    private var width: Int { 2 * margin + columns * panel.width + (columns - 1) * gap }
    private var rows: Int { (metrics.count + columns - 1) / columns }
    private var panelsHeight: Int { rows * (panel.height + gap) }
    private var stripHeight: Int { textHeight + frameHeight + gap }

    func drawn() -> Picture {
        let strips = videos.count { !$0.ends.isEmpty }
        var canvas = Canvas(
            width: width, height: 2 * margin + panelsHeight + max(strips, 1) * stripHeight)
        for (number, metric) in metrics.enumerated() {
            draw(
                metric, x: margin + number % columns * (panel.width + gap),
                y: margin + number / columns * (panel.height + gap), on: &canvas)
        }
        var y = margin + panelsHeight
        for (number, video) in videos.enumerated() {
            canvas.write(
                "\(video.file): first and last frame", x: margin, y: y, Self.inks[number])
            var x = margin
            for frame in video.ends {
                let small = scaled(frame)
                canvas.draw(small, x: x, y: y + textHeight)
                x += small.width + gap
            }
            y += stripHeight
        }
        return canvas.picture
    }

    private func scaled(_ frame: Picture) -> Picture {
        let most = (width - 2 * margin - gap) / 2
        let ratio = min(
            Double(frameHeight) / Double(frame.height), Double(most) / Double(frame.width))
        return frame.resized(
            width: max(Int(Double(frame.width) * ratio), 1),
            height: max(Int(Double(frame.height) * ratio), 1),
            filter: ratio > 1 ? .box : .lanczos)
    }

    private func draw(_ metric: Metric, x: Int, y: Int, on canvas: inout Canvas) {
        let curves = videos.map { $0.measures.metrics[metric]?.values ?? [] }
        let all = curves.joined().compactMap { $0 }
        guard var low = all.min(), var high = all.max() else { return }
        let unit = metric.unit.isEmpty ? "" : ", \(metric.unit)"
        canvas.write("\(metric.rawValue)\(unit)", x: x, y: y)
        // A curve that hardly changes is drawn as one, not as its noise.
        let least = max(abs(high), abs(low), 1e-6) * 0.02
        if high - low < least {
            let middle = (high + low) / 2
            (low, high) = (middle - least / 2, middle + least / 2)
        }
        let (top, bottom) = (y + textHeight, y + panel.height)
        let left = x + 8 * Canvas.letterWidth
        for (value, height) in [(high, top), (low, bottom)] {
            canvas.fill(
                x: left, y: height, width: x + panel.width - left, height: 1, (215, 215, 215))
            canvas.write(String(format: "%.3g", value), x: x, y: height - 4)
        }
        for (number, curve) in curves.enumerated() {
            var before: (x: Double, y: Double)?
            for (frame, value) in curve.enumerated() {
                guard let value else { continue }
                let share = Double(frame) / Double(max(curve.count - 1, 1))
                let point = (
                    x: Double(left) + Double(x + panel.width - left - 2) * share,
                    y: Double(bottom) - Double(bottom - top) * (value - low) / (high - low)
                )
                canvas.line(before ?? point, point, Self.inks[number])
                before = point
            }
        }
    }
}
