import Foundation

extension LengthReport {
    /// A figure of the tables.
    private struct Column: Sendable {
        let title: String
        let digits: Int
        let value: @Sendable (SectionFigures) -> Double?
    }

    private static func megabytes(_ bytes: Int?) -> Double? { bytes.map { Double($0) / 1e6 } }

    private static let columns = [
        Column(title: "tokens", digits: 0) { Double($0.tokens) },
        Column(title: "seconds", digits: 3) { $0.seconds },
        Column(title: "processor seconds", digits: 3) { $0.processorSeconds },
        Column(title: "MB read", digits: 3) { megabytes($0.bytesRead) },
        Column(title: "MB written", digits: 3) { megabytes($0.bytesWritten) },
        Column(title: "peak resident MB", digits: 1) { megabytes($0.resident) },
        Column(title: "peak anonymous MB", digits: 1) { megabytes($0.anonymous) },
        Column(title: "open files", digits: 0) { $0.openHandles.map(Double.init) },
    ]

    /// Lengths that the table has rows for, in seconds.
    private static let lengths = [5.0, 10, 20, 30, 60, 120, 300, 600]
    /// Sections whose median a row shows.
    private static let neighbours = 10

    /// The report as a page.
    package var markdown: String {
        """
        # Cost of a section by the length of the video

        \(setting.processor), \(setting.cores) cores, \(setting.day); \
        \(setting.ours.joined(separator: ", ")), \(threads).

        Made by `\(command)`: one video of \(sections.count) sections, \
        \(Self.text(videoSeconds, 0)) s at \(framesPerSecond) frames a second, \(size[0])x\(size[1]), \
        model \(model), order \(order), \(steps) steps a section of \(window) latents. A section is \
        measured from the beginning of its sampling to the next one's: latents, decoding, H.264 and \
        the job's files. Memory is looked at every 10 ms. Bytes are those of the system's calls.

        A row shows the median of the \(Self.neighbours) sections before that length, of memory the \
        most.

        | video | \(Self.columns.map(\.title).joined(separator: " | ")) |
        |---|\(Self.columns.map { _ in "---|" }.joined())
        \(rows)

        ## Growth

        A straight line by least squares through the \(settled.count) sections after the first five \
        seconds, of many sections through the medians of \(Self.medianLength); growth is what the \
        line rises from its beginning to its end, in per cent of the mean, with the interval of 95 % \
        (widened by the correlation of neighbours).

        | figure | mean | growth | growth in the second half |
        |---|---|---|---|
        \(trends)

        The first section began \(Self.text(startSeconds, 2)) s after the run. Putting the \
        \(sections.count) segments together took \(Self.text(joining.seconds, 2)) s at the end \
        (\(Self.text(1000 * joining.seconds / Double(max(sections.count, 1)), 2)) ms a section; peak \
        anonymous memory \(Self.text(Self.megabytes(joining.anonymous), 1)) MB); the video has \
        \(Self.text(Double(fileBytes) / 1e6, 2)) MB.

        \(machine)

        """
    }

    private var threads: String {
        setting.threads > 0 ? "\(setting.threads) threads" : "libtorch's choice of threads"
    }

    private var command: String {
        "framepack experiment length --sections \(sections.count) --order \(order) "
            + "--steps \(steps) --threads \(setting.threads)"
    }

    private var videoSeconds: Double {
        Double(sections.count * 4 * window) / Double(framesPerSecond)
    }

    private var rows: String {
        Self.lengths.compactMap { length -> String? in
            let count = sectionCount(seconds: length)
            guard count > 0, count <= sections.count else { return nil }
            let part = Array(sections[..<count].suffix(Self.neighbours))
            let cells = Self.columns.map { column in
                let values = part.compactMap(column.value)
                let isPeak = column.title.hasPrefix("peak")
                return Self.text(isPeak ? values.max() : Spread(values)?.median, column.digits)
            }
            return "| \(Self.text(length, 0)) s | \(cells.joined(separator: " | ")) |"
        }.joined(separator: "\n")
    }

    private var trends: String {
        Self.columns.map { column in
            let mean = Self.text(trend(column.value)?.mean, column.digits)
            return "| \(column.title) | \(mean) | \(growth(column)) "
                + "| \(growth(column, isLate: true)) |"
        }.joined(separator: "\n")
    }

    private func growth(_ column: Column, isLate: Bool = false) -> String {
        guard let trend = trend(isLate: isLate, column.value) else { return "-" }
        return String(format: "%+.2f", 100 * trend.growth)
            + " ± \(Self.text(100 * trend.uncertainty, 2)) %"
    }

    /// What the machine did besides.
    private var machine: String {
        let loads = loadAverages.map { Self.text($0, 2) }.joined(separator: " and ")
        let shares = settled.compactMap(\.interference)
        let load = loads.isEmpty ? "" : " The load average was \(loads) before and after."
        guard let spread = Spread(shares), let most = shares.max() else {
            return "What other programs took of the machine is not known.\(load)"
        }
        return """
            Others took \(Self.text(100 * spread.median, 0)) % of the processors' time in the median \
            section and \(Self.text(100 * most, 0)) % at most.\(load) Where they took more than a few \
            per cent, times by the clock are noisy, and processor seconds tell more.
            """
    }

    private static func text(_ value: Double?, _ digits: Int) -> String {
        value.map { String(format: "%.\(digits)f", $0) } ?? "-"
    }
}
