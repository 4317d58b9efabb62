import Foundation

extension PlanReport {
    /// The context of each section as a picture: a character a latent, by its rotary index.
    ///
    /// Sections that look alike share a line.
    var pictureLines: [String] {
        var lines = ["Context of each section, a character a latent"]
        lines += legend.map { "  " + $0 }
        var first = 0
        while first < sections.count {
            let row = sections[first].cells(marks)
            var last = first
            while last + 1 < sections.count, sections[last + 1].cells(marks) == row { last += 1 }
            let name = first == last ? "\(first + 1)" : "\(first + 1)-\(last + 1)"
            lines += Self.folded(row, name: name)
            first = last + 1
        }
        return lines
    }

    private static func folded(_ row: String, name: String) -> [String] {
        let label = String(repeating: " ", count: max(0, 8 - name.count)) + name + "  "
        var lines: [String] = []
        var rest = Substring(row)
        repeat {
            let head = lines.isEmpty ? label : String(repeating: " ", count: label.count)
            lines.append(head + rest.prefix(columns - label.count))
            rest = rest.dropFirst(columns - label.count)
        } while !rest.isEmpty
        return lines
    }

    /// The kernels of all contexts, the finest first, each with its character.
    private var marks: [String: Character] {
        let shades: [Character] = ["█", "▓", "▒", "░", ":", "'"]
        return Dictionary(
            uniqueKeysWithValues: kernelsInUse.enumerated().map { index, kernel in
                (kernel, shades[min(index, shades.count - 1)])
            })
    }

    private var kernelsInUse: [String] {
        let all = Dictionary(
            sections.flatMap(\.context).filter { $0.averaging == nil }.map {
                ($0.kernel, Double($0.tokens) / Double($0.latents.count))
            }, uniquingKeysWith: max)
        return all.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
    }

    private var legend: [String] {
        let target = sections.first.map { Double($0.targetTokens) / Double($0.targetIndices.count) }
        var lines = ["#  generated, \(tokens(target ?? 0)) a frame"]
        for kernel in kernelsInUse {
            let groups = sections.flatMap(\.context).filter {
                $0.kernel == kernel && $0.averaging == nil
            }
            let rates = groups.map { Double($0.tokens) / Double($0.latents.count) }
            lines.append("\(marks[kernel] ?? "?")  \(kernel), \(tokens(rates.min() ?? 0)) a frame")
        }
        let contexts = sections.flatMap(\.context)
        if contexts.contains(where: { $0.averaging != nil }) {
            lines.append("-  the tail, averaged")
        }
        if contexts.contains(where: { $0.latents.contains("zeros") }) {
            lines.append("0  zeros, where nothing exists yet")
        }
        if sections.contains(where: { $0.cells(marks).contains("\u{B7}") }) {
            lines.append("\u{B7}  skipped")
        }
        return lines
    }

    private func tokens(_ number: Double) -> String {
        let text =
            number >= 10 || number == number.rounded()
            ? "\(Int(number.rounded()))"
            : String(format: "%.2g", number)
        return text == "1" ? "1 token" : "\(text) tokens"
    }
}

extension SectionReport {
    /// A character for each rotary index, from the lowest to the highest.
    fileprivate func cells(_ marks: [String: Character]) -> String {
        var cells: [Int: Character] = [:]
        for index in targetIndices { cells[index] = "#" }
        for group in context {
            let mark = group.averaging == nil ? marks[group.kernel] ?? "?" : "-"
            for (latent, index) in zip(group.latents, group.indices) {
                cells[index] = latent == "zeros" ? "0" : mark
            }
        }
        guard let low = cells.keys.min(), let high = cells.keys.max() else { return "" }
        return String((low...high).map { cells[$0] ?? "\u{B7}" })
    }
}
