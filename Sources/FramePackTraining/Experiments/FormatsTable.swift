import Foundation
public import FramePack

/// The table of ``FormatsExperiment``, for a terminal and in Markdown.
public struct FormatsTable: Codable, Sendable {
    /// One format.
    public struct Row: Codable, Sendable {
        /// The format.
        public let format: WeightFormatChoice
        /// What its conversion told; nil for weights as they are stored.
        public let conversion: ConversionReport?
        /// PSNR of each video against that of the stored weights, in dB; 100 for the same frames.
        public private(set) var quality: [Double] = []
        private var times: [Double] = []

        init(format: WeightFormatChoice, conversion: ConversionReport?) {
            (self.format, self.conversion) = (format, conversion)
        }

        mutating func add(seconds: Double, quality: Double?) {
            times.append(seconds)
            if let quality { self.quality.append(quality) }
        }

        /// Mean seconds of sampling a video.
        public var seconds: Double { times.reduce(0, +) / Double(max(times.count, 1)) }

        /// The mean PSNR in dB; nil for the stored weights.
        public var meanQuality: Double? {
            quality.isEmpty ? nil : quality.reduce(0, +) / Double(quality.count)
        }
    }

    /// The model's name.
    public let model: String
    /// The rows; the first is that of the stored weights.
    public let rows: [Row]

    /// The table for a terminal, within 80 columns.
    public var text: String { table.plain }

    /// The table in Markdown.
    public var markdown: String { table.markdown }

    private var table: TextTable {
        let head = ["format", "bits", "weights dB", "s", "PSNR dB", "lowest dB"]
        return TextTable(head: head, rows: rows.map(cells))
    }

    private func cells(_ row: Row) -> [String] {
        func text(_ value: Double?, _ format: String = "%.1f") -> String {
            value.map { String(format: format, $0) } ?? "-"
        }
        return [
            row.format.rawValue, text(row.conversion?.bitsPerWeight, "%.2f"),
            text(row.conversion?.signalToNoise), text(row.seconds, "%.2f"), text(row.meanQuality),
            text(row.quality.min()),
        ]
    }
}
