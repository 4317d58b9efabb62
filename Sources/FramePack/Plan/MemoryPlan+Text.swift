extension MemoryPlan {
    /// What the user should know of a run that may need more memory than is free; nil where it fits.
    var note: String? {
        guard let shortage = shortage(of: bound) else { return nil }
        let memory = shortage.isDevice ? "GPU memory" : "RAM"
        return
            "\(shortage.stage.place) may take \(MemoryBudget.text(shortage.needed)) of \(memory), "
            + "and \(MemoryBudget.text(shortage.budget)) is free; it can be slow, or fail."
    }

    /// The plan as lines of a table of at most 80 columns.
    var lines: [String] {
        let hasDevice = devicePeak > 0
        let columns = (hasDevice ? ["GPU"] : []) + ["RAM"]
        let title = "Plan on \(device), GiB at the most"
        let header = Self.row(title, columns)
        let rows = stages.map { stage in
            let bytes = (hasDevice ? [stage.device] : []) + [stage.machine]
            let mark = fits(stage) ? "" : "  too much"
            return Self.row("  \(stage.stage.place)", bytes.map(Self.amount)) + mark
        }
        let bounds = (hasDevice ? [bound.device] : []) + [bound.machine]
        let known = bounds.contains { $0 != nil }
        let last = Self.row("  Allowed or free", bounds.map { $0.map(Self.amount) ?? "-" })
        return [header] + rows + (known ? [last] : []) + choices
    }

    private var choices: [String] {
        let weights = [
            ("Transformer", transformer), ("Text encoders", textEncoders),
            ("Vision encoder", visionEncoder),
        ]
        let kept = MemoryBudget.text(chunks.keptConditions)
        return weights.map { "  \($0.0): \($0.1.text)" }
            + (keepsVAE ? [] : ["  VAE: only while it decodes"]) + [
                "  Pieces of \(chunks.tokens) tokens, of \(chunks.decoding >> 20) MiB in the VAE;",
                "  kept for later steps: up to \(kept); freed memory: \(chunks.keptFreed >> 20) MiB",
            ]
    }

    private static func amount(_ bytes: Int) -> String {
        decimals(Double(bytes) / 1_073_741_824, 2)
    }

    private static func row(_ name: String, _ cells: [String]) -> String {
        var line = name
        for (index, cell) in cells.enumerated() {
            let end = 44 + 10 * index
            line += String(repeating: " ", count: max(end - line.count - cell.count, 1)) + cell
        }
        return line
    }
}

extension WeightPlacement {
    fileprivate var text: String {
        switch self {
        case .mapped: "read from the file's pages"
        case .resident: "loaded as a whole"
        case .streamed(let ring, 0): "streamed through \(MemoryBudget.text(ring))"
        case .streamed(let ring, let resident):
            "streamed through \(MemoryBudget.text(ring)), \(MemoryBudget.text(resident)) stay"
        }
    }
}
