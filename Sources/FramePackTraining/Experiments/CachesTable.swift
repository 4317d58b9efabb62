import Foundation
public import FramePack

/// The table of ``CachesExperiment``, for a terminal and in Markdown.
public struct CachesTable: Codable, Sendable {
    /// What sampling a video took.
    struct Cost: Codable, Sendable {
        let seconds: Double
        let calls: Int
        let computed: Int
    }

    /// One cache in one order.
    public struct Row: Codable, Sendable {
        /// The order of the sections.
        public let order: SamplingOrder
        /// The cache; nil for the exact run.
        public let variant: CachesExperiment.Variant?
        /// PSNR of each video against the exact one, in dB; 100 for the same frames.
        public private(set) var quality: [Double] = []
        private var costs: [Cost] = []

        init(order: SamplingOrder, variant: CachesExperiment.Variant?) {
            (self.order, self.variant) = (order, variant)
        }

        mutating func add(_ cost: Cost, quality: Double?) {
            costs.append(cost)
            if let quality { self.quality.append(quality) }
        }

        /// The share of the network's calls in which its blocks ran, 0 to 1.
        public var computed: Double {
            let calls = costs.reduce(0) { $0 + $1.calls }
            return Double(costs.reduce(0) { $0 + $1.computed }) / Double(max(calls, 1))
        }

        /// Mean seconds of sampling a video, the quickest run of each.
        public var seconds: Double {
            costs.reduce(0) { $0 + $1.seconds } / Double(max(costs.count, 1))
        }

        /// The mean PSNR in dB; nil for the exact run.
        public var meanQuality: Double? {
            quality.isEmpty ? nil : quality.reduce(0, +) / Double(quality.count)
        }
    }

    /// The model's name.
    public let model: String
    /// Steps of a section.
    public let steps: Int
    /// The rows, order by order; the exact run is the first of each.
    public let rows: [Row]

    /// The table for a terminal, within 80 columns.
    public var text: String { table.plain }

    /// The table in Markdown.
    public var markdown: String { table.markdown }

    private var table: TextTable {
        let head = [
            "order", "cache", "computed %", "s", "times", "PSNR dB", "lowest dB",
        ]
        return TextTable(head: head, rows: rows.map(cells))
    }

    private func cells(_ row: Row) -> [String] {
        let exact = rows.first { $0.order == row.order && $0.variant == nil }
        let gain = (exact?.seconds ?? row.seconds) / row.seconds
        func decibels(_ value: Double?) -> String {
            value.map { String(format: "%.1f", $0) } ?? "-"
        }
        return [
            row.order.rawValue, row.variant?.description ?? "none",
            String(format: "%.0f", 100 * row.computed), String(format: "%.2f", row.seconds),
            String(format: "%.2f", gain), decibels(row.meanQuality), decibels(row.quality.min()),
        ]
    }
}
