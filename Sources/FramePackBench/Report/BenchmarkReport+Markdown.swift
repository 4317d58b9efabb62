import Foundation

extension BenchmarkReport {
    /// The report as a page.
    package var markdown: String {
        """
        # \(setting.gpu ?? setting.processor)\(setting.weights.map { ", \($0)" } ?? "")

        \(setting.day), \(setting.cores) cores, \(threads), \(setting.device), \
        \(setting.dtype)\(setting.weights.map { ", our weights \($0)" } ?? ""); ours: \(setting.ours.joined(separator: ", ")); peer: \
        \(setting.peer.isEmpty ? "none" : setting.peer.joined(separator: ", ")), eager.

        Made by `\(command)`. Both sides read the same random weights and inputs; a run of ours and \
        one of the peer take turns after one of each that does not count. The ratio is the median of \
        the pairs' (peer / ours), its quartiles in brackets. Resident memory is the most that the \
        process had, pages of files among it; anonymous memory is what the machine must have for it, \
        looked at every 10 ms. The rate counts the same operations for both sides. Load average \
        before and after: \(loads).

        | case | tokens | ours s (best) | peer s (best) | peer / ours | TFLOP/s | resident GB \
        | anonymous GB | GPU GB | error against f32 | others' CPU time |
        |---|---|---|---|---|---|---|---|---|---|---|
        \(results.map(row).joined(separator: "\n"))

        \(results.map { "- `\($0.name.rawValue)`: \($0.name.title)" }.joined(separator: "\n"))
        \(notes)
        """
    }

    private var threads: String {
        setting.threads > 0 ? "\(setting.threads) threads" : "libtorch's choice of threads"
    }

    private var loads: String {
        loadAverages.map { Self.number($0, 2) }.joined(separator: ", ")
    }

    /// The command line that makes such a report.
    private var command: String {
        var words = ["framepack bench"] + results.map(\.name.rawValue)
        words += ["--dtype \(setting.dtype)", "--threads \(setting.threads)"]
        if let weights = setting.weights { words.append("--weight-format \(weights)") }
        if setting.device != "cpu" { words.append("--device \(setting.device)") }
        let rounds = results.map(\.ours.seconds.count).max() ?? 0
        words.append("--rounds \(rounds)")
        if results.contains(where: { $0.ours.error != nil }) { words.append("--errors") }
        if setting.peer.isEmpty { words.append("--alone") }
        return words.joined(separator: " ")
    }

    private func row(_ result: Result) -> String {
        let (ours, peer) = (result.ours, result.peer)
        func both(_ text: (Side) -> String) -> String {
            [ours, peer].compactMap { $0.map(text) }.joined(separator: " / ")
        }
        func time(_ side: Side?) -> String {
            guard let spread = side?.spread else { return "-" }
            return "\(Self.number(spread.median, 3)) (\(Self.number(spread.least, 3)))"
        }
        func gigabytes(_ bytes: Int?) -> String {
            bytes.map { Self.number(Double($0) / 1e9, 2) } ?? "-"
        }
        let ratio = result.ratio.map {
            "**\(Self.number($0.median, 2))** (\(Self.number($0.lowerQuartile, 2)) to "
                + "\(Self.number($0.upperQuartile, 2)))"
        }
        let errors = both { side in
            let error = side.error.map(Self.scientific) ?? "-"
            return error + (side.psnr.map { ", \(Self.number($0, 1)) dB" } ?? "")
        }
        let cells = [
            result.name.rawValue, result.tokens.map { "\($0)" } ?? "-", time(ours), time(peer),
            ratio ?? "-", both { Self.rate(result.operations, $0.spread?.median) },
            both { gigabytes($0.resident) }, both { gigabytes($0.anonymous) },
            both { gigabytes($0.deviceUsed) }, errors, others(result),
        ]
        return "| \(cells.joined(separator: " | ")) |"
    }

    private func others(_ result: Result) -> String {
        guard let mean = result.meanInterference else { return "not known" }
        let count = result.disturbed.filter { $0 }.count
        let share = "\(Self.number(100 * mean, 0)) %"
        guard count > 0 else { return share }
        let quiet =
            result.quietRatio.map { "; ratio of the others \(Self.number($0.median, 2))" } ?? ""
        return "\(share), **\(count) of \(result.disturbed.count) pairs disturbed**\(quiet)"
    }

    private var notes: String {
        var notes = results.compactMap { result in
            result.peerProblem.map { "- `\(result.name.rawValue)` has no peer: \($0)" }
        }
        let released = results.first { $0.name == .released }
        if let step = released?.ours.spread?.median {
            notes.append(
                "- A section of the released order takes 25 such passes for 36 frames: "
                    + "\(Self.number(25 * step / 36, 3)) s a frame without the VAE.")
        }
        return notes.isEmpty ? "" : "\n" + notes.joined(separator: "\n") + "\n"
    }
}
