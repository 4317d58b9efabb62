import Foundation
public import Media
import ToyWorld

extension EvaluationReport {
    /// Strips of the first videos of each row, and the distance from the true place over time.
    ///
    /// A report that was read from a file has no strips.
    public func picture() -> Picture { EvaluationSheet(self).drawn() }
}

/// Where everything stands on the sheet.
private struct EvaluationSheet {
    private let report: EvaluationReport
    private let scale: Int
    private let margin = 12
    private let textHeight = 16
    private let plotHeight = 260
    private static let inks: [Canvas.Ink] = [
        (60, 60, 60), (150, 150, 150), (200, 40, 40), (40, 80, 200), (30, 140, 60), (200, 130, 20),
        (130, 50, 170), (20, 150, 160),
    ]

    init(_ report: EvaluationReport) {
        self.report = report
        scale = max(128 / report.side, 1)
    }

    private var frameSide: Int { report.side * scale }
    private var width: Int { EvaluatedVideo.stripFrames * (frameSide + 2) - 2 + 2 * margin }
    private var stripHeight: Int { textHeight + frameSide + 6 }

    func drawn() -> Picture {
        let strips = report.rows.reduce(0) { $0 + $1.strips.count }
        let height =
            margin + report.rows.count * 2 * textHeight + strips * stripHeight + plotHeight + margin
        var canvas = Canvas(width: width, height: height)
        var y = margin
        for (number, row) in report.rows.enumerated() {
            canvas.write(row.name, x: margin, y: y, ink(number))
            y += textHeight
            for (strip, prompt) in zip(row.strips, row.prompts) {
                draw(strip, prompt, y: y, on: &canvas)
                y += stripHeight
            }
            y += textHeight
        }
        plot(y: y, on: &canvas)
        return canvas.picture
    }

    private func ink(_ row: Int) -> Canvas.Ink { Self.inks[row % Self.inks.count] }

    private func draw(_ strip: Data, _ prompt: String, y: Int, on canvas: inout Canvas) {
        let longest = (width - 2 * margin) / Canvas.letterWidth
        canvas.write(String(prompt.prefix(longest)), x: margin, y: y)
        let bytes = strip.count / EvaluatedVideo.stripFrames
        for frame in 0..<EvaluatedVideo.stripFrames {
            canvas.draw(
                strip.dropFirst(frame * bytes).prefix(bytes), side: report.side,
                x: margin + frame * (frameSide + 2), y: y + textHeight - 2, scale: scale)
        }
    }

    // MARK: - Plot

    private func plot(y: Int, on canvas: inout Canvas) {
        let top = y + 2 * textHeight
        let bottom = y + plotHeight - 2 * textHeight
        let left = margin + 6 * Canvas.letterWidth
        let right = width - margin
        let values = report.rows.flatMap { $0.summary.positionErrors.compactMap(\.value) }
        let highest = max((10 * (values.max() ?? 0)).rounded(.up) / 10, 0.1)
        canvas.write("distance from the true place, % of the side, by time", x: margin, y: y)
        for tick in 0...4 {
            let height = bottom - (bottom - top) * tick / 4
            canvas.fill(x: left, y: height, width: right - left, height: 1, (215, 215, 215))
            canvas.write(
                String(format: "%.0f %%", 100 * highest * Double(tick) / 4), x: margin,
                y: height - 5)
            let place = left + (right - left) * tick / 4
            canvas.write(
                String(format: "%.1f s", report.seconds * Double(tick) / 4),
                x: min(place, right - 7 * Canvas.letterWidth), y: bottom + 8)
        }
        var legend = left
        for (number, row) in report.rows.enumerated() {
            canvas.write(row.name, x: legend, y: y + textHeight, ink(number))
            legend += (row.name.count + 3) * Canvas.letterWidth
            var before: (x: Double, y: Double)?
            for (frame, mean) in row.summary.positionErrors.enumerated() {
                guard let value = mean.value else { continue }
                let point = (
                    x: Double(left) + Double(right - left) * Double(frame)
                        / Double(max(report.frames - 1, 1)),
                    y: Double(bottom) - Double(bottom - top) * value / highest
                )
                if let before { canvas.line(before, point, ink(number)) }
                before = point
            }
        }
    }
}
