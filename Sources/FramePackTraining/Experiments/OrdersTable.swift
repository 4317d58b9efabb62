import Foundation
import FramePack
import ToyWorld

/// The tables of ``OrdersExperiment``, for a terminal and in Markdown.
public struct OrdersTable: Codable, Sendable {
    /// One report a length.
    public let reports: [EvaluationReport]

    /// Takes the reports of a run.
    public init(_ reports: [EvaluationReport]) { self.reports = reports }

    /// Tables for a terminal, within 80 columns.
    public var text: String {
        reports.map { "\(title($0))\n\(table($0, isShort: true).plain)" }
            .joined(separator: "\n\n")
    }

    /// Tables in Markdown.
    public var markdown: String {
        reports.map { "\(title($0))\n\n\(table($0, isShort: false).markdown)" }
            .joined(separator: "\n\n")
    }

    private func title(_ report: EvaluationReport) -> String {
        String(
            format: "%.1f s, %d videos a row, model of checksum %@:", report.seconds,
            report.options.count, String(report.fingerprint.prefix(8)))
    }

    private func table(_ report: EvaluationReport, isShort: Bool) -> TextTable {
        var head = ["packing", "colour", "shape", "way", "last", "speed", "dFit", "dBack"]
        if !isShort {
            head = [
                "packing", "order", "colour %", "shape %", "direction %",
                "direction, last section %",
                "speed", "Δ shape", "Δ fit", "Δ sharpness", "Δ colour", "Δ presence", "Δ place",
                "Δ background",
            ]
        }
        return TextTable(head: head, rows: report.rows.map { isShort ? short($0) : long($0) })
    }

    private func short(_ row: EvaluationRow) -> [String] {
        let (all, last) = (row.summary.overall, row.summary.sections.last)
        return [row.name]
            + [all.colour, all.shape, all.direction, last?.direction ?? Score()].map {
                $0.share.map { String(format: "%.0f", 100 * $0) } ?? "-"
            } + [
                number(all.speed.value, "%.2f"), number(row.summary.drift[.fit]?.value, "%.3f"),
                number(row.summary.drift[.background]?.value, "%.3f"),
            ]
    }

    private func long(_ row: EvaluationRow) -> [String] {
        let (all, last) = (row.summary.overall, row.summary.sections.last)
        return [row.name, row.order?.rawValue ?? "-"]
            + [all.colour, all.shape, all.direction, last?.direction ?? Score()].map(cell)
            + [number(all.speed.value, "%.2f")]
            + [
                DriftMetric.shape, .fit, .sharpness, .colour, .presence, .position, .background,
            ].map { metric in
                guard let estimate = row.driftIntervals[metric] else { return "-" }
                return String(
                    format: "%.3f ± %.3f", estimate.mean, estimate.halfWidth)
            }
    }

    private func cell(_ score: Score) -> String {
        guard let share = score.share, let interval = score.interval else { return "-" }
        return String(
            format: "%.0f (%.0f–%.0f)", 100 * share, 100 * interval.lowerBound,
            100 * interval.upperBound)
    }

    private func number(_ value: Double?, _ format: String) -> String {
        value.map { String(format: format, $0) } ?? "-"
    }
}
