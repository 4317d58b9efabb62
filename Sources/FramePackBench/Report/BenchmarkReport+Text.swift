import Foundation

extension BenchmarkReport {
    /// The report as a table of at most 80 columns.
    package var table: String {
        var lines = [
            "\(setting.gpu ?? setting.processor), \(setting.device), \(setting.dtype)"
                + (setting.weights.map { ", our weights \($0)" } ?? ""),
            Self.row("", "", "median", "best", "TFLOP/s", "resident", "anonymous", "device"),
        ]
        for result in results { lines += Self.lines(result) }
        let marks = results.filter { $0.disturbed.contains(true) }.count
        if marks > 0 {
            lines.append("")
            lines.append(
                "\(marks) of \(results.count) cases were disturbed by others on this machine.")
        }
        return lines.joined(separator: "\n")
    }

    private static func lines(_ result: Result) -> [String] {
        var lines = [line(result.name.rawValue, "ours", result.ours, result)]
        let tokens = result.tokens.map { "  \($0) tokens" } ?? ""
        if let peer = result.peer {
            lines.append(line(tokens, "peer", peer, result))
        } else if let problem = result.peerProblem {
            lines.append("  no peer: \(problem)".prefix(80).description)
        }
        if let sentence = comparison(result) { lines.append("  \(sentence)") }
        if let sentence = disturbance(result) { lines.append("  \(sentence)") }
        if let sentence = errors(result) { lines.append("  \(sentence)") }
        return lines
    }

    private static func comparison(_ result: Result) -> String? {
        guard let ratio = result.ratio else { return nil }
        return "peer / ours \(number(ratio.median, 2)), half of the pairs within "
            + "\(number(ratio.lowerQuartile, 2)) to \(number(ratio.upperQuartile, 2))"
    }

    private static func disturbance(_ result: Result) -> String? {
        guard let mean = result.meanInterference else {
            return "whether others disturbed it is not known on this system"
        }
        let count = result.disturbed.filter { $0 }.count
        guard count > 0 else { return nil }
        let quiet =
            result.quietRatio.map { "; \(number($0.median, 2)) in the rest" } ?? ""
        return "disturbed: \(count) of \(result.disturbed.count) pairs; others took "
            + "\(number(100 * mean, 0)) % of the CPU time" + quiet
    }

    private static func errors(_ result: Result) -> String? {
        guard let ours = result.ours.error, let peer = result.peer?.error else { return nil }
        let pictures =
            result.ours.psnr.flatMap { own in
                result.peer?.psnr.map { ", PSNR \(number(own, 1)) and \(number($0, 1)) dB" }
            } ?? ""
        return "error against float32: ours \(scientific(ours)), peer \(scientific(peer))"
            + pictures
    }

    private static func line(_ name: String, _ side: String, _ values: Side, _ result: Result)
        -> String
    {
        let spread = values.spread
        return row(
            name, side, seconds(spread?.median), seconds(spread?.least),
            rate(result.operations, spread?.median), size(values.resident),
            size(values.anonymous), size(values.deviceUsed))
    }

    private static func row(_ cells: String...) -> String {
        let widths = [17, 5, 10, 10, 9, 10, 10, 9]
        let line = zip(cells, widths).enumerated().map { index, cell in
            let space = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
            return index < 2 ? cell.0 + space : space + cell.0
        }.joined()
        return String(line.reversed().drop { $0 == " " }.reversed())
    }

    static func seconds(_ value: Double?) -> String {
        guard let value else { return "-" }
        return value < 1 ? "\(number(1000 * value, 1)) ms" : "\(number(value, 3)) s"
    }

    static func rate(_ operations: Double?, _ seconds: Double?) -> String {
        guard let operations, let seconds, seconds > 0 else { return "-" }
        return number(operations / seconds / 1e12, 3)
    }

    static func size(_ bytes: Int?) -> String {
        bytes.map { "\(number(Double($0) / 1e9, 2)) GB" } ?? "-"
    }

    static func number(_ value: Double, _ digits: Int) -> String {
        String(format: "%.\(digits)f", value)
    }

    static func scientific(_ value: Double) -> String { String(format: "%.2e", value) }
}
