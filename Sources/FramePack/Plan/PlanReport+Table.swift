import Foundation

extension PlanReport {
    /// Columns of the table.
    static let columns = 80
    /// Sections that are listed in full; of more, only the first and last are.
    static let listedSections = 40

    /// The report as text of at most 80 columns.
    public var table: String {
        (summary + [""] + sectionLines + [""] + pictureLines + [""] + promptLines + loraLines
            + memoryLines).joined(separator: "\n")
    }

    private var summary: [String] {
        let sections =
            "\(count(sectionCount, "section")) of \(count(window, "latent"))"
            + " (\(window * 4) frames) in the order \(order.rawValue),"
        let line = "\(sections) from \(startText)"
        var lines = [
            "\(count(frames, "frame")) of \(width)x\(height), \(decimals(seconds, 2)) s at \(fps) fps"
        ]
        lines += line.count <= Self.columns ? [line] : [sections, "  from \(startText)"]
        lines.append(
            "Packing \(packing): \(decimals(contextCost, 2)) frames long"
                + (limit.map { ", at most \(decimals($0, 2))" } ?? ""))
        lines += historyLines
        if let requestedSeconds {
            let section = decimals(Double(4 * window) / Double(fps), 2)
            let isWhole = abs(seconds - requestedSeconds) < 0.005
            lines.append(
                "\(plainText(requestedSeconds)) s asked for, "
                    + (isWhole ? "which are" : "rounded to") + " whole sections of \(section) s; "
                    + "--frames is exact")
        }
        if framesCutFromStart > 0 {
            lines.append(
                "\(count(framesCutFromStart, "frame")) cut from the start: the plain picture")
        }
        if framesCutFromEnd > 0 {
            lines.append(
                "\(count(framesCutFromEnd, "frame")) cut from the end, for the exact length")
        }
        return lines
    }

    /// What a plan cannot know: which latents turn out to be the most important ones.
    private var historyLines: [String] {
        guard historyOrder != .time else { return [] }
        let weight = historyTimeWeight.map { ", nearness in time weighted by \(plainText($0))" }
        return wrapped(
            "The finest kernels go by \(historyOrder.rawValue)\(weight ?? ""), which turns out while "
                + "the video is made; what is shown below is the order of time.")
    }

    private var startText: String {
        let from = start == .image ? "an image" : "a plain picture"
        return endImage ? from + " to an end image" : from
    }

    private var sectionLines: [String] {
        let header = [
            "#", "place", "seconds", "frames", "blank", "indices", "tokens", "prompt", "sees",
        ]
        guard sections.count > Self.listedSections else {
            return aligned([header] + sections.map(cells))
        }
        let half = Self.listedSections / 4
        let ends = sections.prefix(half) + sections.suffix(half)
        var lines = aligned([header] + ends.map(cells))
        lines.insert("  ... \(sections.count - 2 * half) more ...", at: 1 + half)
        return lines
    }

    private func cells(_ section: SectionReport) -> [String] {
        let indices = section.targetIndices
        return [
            "\(section.number)", section.places.map { "\($0)" }.joined(separator: "+"),
            "\(decimals(section.startSeconds, 1))-\(decimals(section.endSeconds, 1))",
            "\(section.firstFrame)-\(section.lastFrame)",
            section.padding.map { "\($0)" } ?? "-",
            "\(indices.first ?? 0)-\(indices.last ?? 0)",
            "\(section.tokens)", "\(section.prompt)", section.sees,
        ]
    }

    /// Rows as lines, every column but the last aligned to the right.
    private func aligned(_ rows: [[String]]) -> [String] {
        let widths = (rows.first ?? []).indices.dropLast().map { column in
            (rows.map { $0[column].count }.max() ?? 0) + 1
        }
        return rows.map { row in
            let cells = zip(row, widths).map { cell, width in
                String(repeating: " ", count: width - cell.count) + cell
            }
            return String((cells.joined() + "  " + (row.last ?? "")).prefix(Self.columns))
        }
    }

    private var promptLines: [String] {
        prompts.enumerated().flatMap { number, prompt in
            let time = plainText(prompt.seconds)
            let holds = prompt.isEndpoint ? "for the section at \(time) s" : "from \(time) s"
            return wrapped("Prompt \(number + 1), \(holds): \(prompt.text)")
        }
    }

    private var loraLines: [String] { (loras ?? []).flatMap { wrapped($0.text) } }

    private var memoryLines: [String] {
        guard let memory else { return [] }
        let parts = [
            ("Transformer, parameters", memory.transformerParameters),
            ("Transformer, activations", memory.transformerActivations),
            ("Kept for all steps or sections", memory.keptConditions),
            ("Kept keys and values of the context", memory.keptContext),
            ("Text and vision encoders", memory.encoderParameters),
            ("VAE, parameters", memory.vaeParameters),
            ("VAE, decoding a window", memory.decoderActivations),
            ("Latents", memory.latents),
        ]
        return ["", "Predicted memory of the parts, GiB"]
            + parts.filter { $0.1 > 0 }.map { name, bytes in
                let amount = decimals(Double(bytes) / 1_073_741_824, 3)
                let gap = max(44 - name.count - amount.count, 1)
                return "  " + name + String(repeating: " ", count: gap) + amount
            } + (memoryPlan.map { [""] + $0.lines } ?? [])
    }

    private func wrapped(_ text: String) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(whereSeparator: \.isWhitespace) {
            if line.count + word.count + 1 > Self.columns, !line.isEmpty {
                lines.append(line)
                line = "   "
            }
            line += (line.isEmpty ? "" : " ") + word.prefix(Self.columns - 4)
        }
        return lines + [line]
    }

    private func count(_ number: Int, _ noun: String) -> String {
        number == 1 ? "1 \(noun)" : "\(number) \(noun)s"
    }
}

extension SectionReport {
    /// The latents that the section sees, the start apart, in short: "10-28", "zeros".
    var sees: String {
        let latents = context.flatMap(\.latents)
        let numbers = latents.compactMap { Int($0) }.sorted()
        var parts: [String] = []
        if latents.contains("start") { parts.append("start") }
        if let first = numbers.first, let last = numbers.last {
            parts.append(first == last ? "\(first)" : "\(first)-\(last)")
        }
        if latents.contains("end") { parts.append("end") }
        // Zeros are worth a word only where the section sees little else.
        if numbers.isEmpty, latents.contains("zeros") { parts.append("zeros") }
        return parts.joined(separator: " ")
    }
}
