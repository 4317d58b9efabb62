import Foundation
import FramePack
import ToyWorld

/// A table of texts.
struct TextTable {
    let head: [String]
    let rows: [[String]]

    /// Columns side by side, for a terminal.
    var plain: String {
        let widths = head.indices.map { column in
            ([head] + rows).map { $0[column].count }.max() ?? 0
        }
        return ([head] + rows).map { row in
            zip(row, widths).map { cell, width in
                cell + String(repeating: " ", count: width - cell.count)
            }.joined(separator: "  ").trimmingCharacters(in: .whitespaces)
        }.joined(separator: "\n")
    }

    /// The table in Markdown.
    var markdown: String {
        let lines = [head, head.map { _ in "---" }] + rows
        return lines.map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
    }
}

extension EvaluationReport {
    /// The tables for a terminal, with what their columns mean.
    public var text: String {
        tables.map { "\($0.title)\n\($0.table.plain)" }.joined(separator: "\n\n")
    }

    /// The tables in Markdown.
    public var markdown: String {
        tables.map { "\($0.title)\n\n\($0.table.markdown)" }.joined(separator: "\n\n")
    }

    private var tables: [(title: String, table: TextTable)] {
        let length = String(format: "%.1f s", seconds)
        return [
            (
                "Right, in % (with 95 % intervals), videos of \(length) of "
                    + "combinations that were held out of the training; \"way n\" is obedience: the "
                    + "motion that the caption tells, in section n:", rightTable
            ),
            ("Distance from the true place, in % of the picture's side, by time:", placeTable),
            ("Difference between the first and the last 15 % of the frames:", driftTable),
        ]
    }

    /// The sections whose direction has a column: the first four, and the last.
    private var sections: [Int] {
        let count = rows.map(\.summary.sections.count).max() ?? 0
        return Array(0..<min(count, 4)) + (count > 4 ? [count - 1] : [])
    }

    private var rightTable: TextTable {
        let ways = sections.map { "way \($0 + 1)" }
        return TextTable(
            head: ["video", "count", "object", "colour", "shape"] + ways
                + ["vanishes", "sharpness", "s/video"],
            rows: rows.map { row in
                let all = row.summary.overall
                let found = row.summary.sections
                let ways = sections.map {
                    found.indices.contains($0) ? found[$0].direction : Score()
                }
                return [row.name, "\(row.summary.videos)"]
                    + ([row.summary.objects, all.colour, all.shape] + ways + [row.summary.happens])
                    .map(cell)
                    + [
                        number(all.sharpness.value, "%.2f"),
                        String(format: "%.1f", row.secondsPerVideo),
                    ]
            })
    }

    private var placeTable: TextTable {
        let end = seconds - 0.25
        let times = [0.5, 1, 2, 3, 5, 10, 20, 40].filter { $0 < end } + [end]
        return TextTable(
            head: ["video"] + times.map { String(format: "%.1f s", $0) } + ["speed", "strangers"],
            rows: rows.map { row in
                [row.name]
                    + times.map { number(row.positionError(seconds: $0).map { 100 * $0 }, "%.1f") }
                    + [
                        number(row.summary.overall.speed.value, "%.2f"),
                        number(row.summary.strangers.value, "%.2f"),
                    ]
            })
    }

    private var driftTable: TextTable {
        TextTable(
            head: ["video"] + DriftMetric.allCases.map(\.rawValue),
            rows: rows.map { row in
                [row.name]
                    + DriftMetric.allCases.map { number(row.summary.drift[$0]?.value, "%.3f") }
            })
    }

    private func cell(_ score: Score) -> String {
        guard let share = score.share, let interval = score.interval else { return "-" }
        return String(
            format: "%.0f (%.0f-%.0f)", 100 * share, 100 * interval.lowerBound,
            100 * interval.upperBound)
    }

    private func number(_ value: Double?, _ format: String) -> String {
        value.map { String(format: format, $0) } ?? "-"
    }
}
