import ArgumentParser
import Foundation
import FramePackTraining

/// Which of a small model's trainings, or a fine-tuning.
enum TrainedPart: String, CaseIterable, ExpressibleByArgument {
    case vae, transformer, guidance, tune
}

/// `framepack train plot`.
struct TrainPlotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plot", abstract: "Draw the curves of a training in the terminal.",
        usage: "framepack train plot [<options>] --folder <folder>")

    @Option(help: "Folder of the training; of a fine-tuning its output.")
    var folder: String
    @Option(help: "Which training's; without it, all that have a log.")
    var part: TrainedPart?
    @Option(
        help: "Columns of the log, with commas; without it, the loss and what is measured.")
    var columns: String?
    @Option(parsing: .unconditional, help: "The first step that is shown.")
    var from = 0

    func validate() throws { try checkOption("from", from, 0...100_000_000) }

    func run() throws {
        let run = TrainingRun(path: folder)
        for part in try parts(run) {
            let url = TrainingLog.url(in: Self.state(of: part, run))
            let table = try LogTable(url)
            if let dropped = table.dropped { Terminal.writeError("note: \(dropped)\n") }
            try checkSteps(table, url)
            for name in try names(table, url) {
                var plot = LinePlot(
                    title: "\(part.rawValue): \(name)",
                    points: table.points(name).filter { $0.x >= Double(from) })
                plot.isLogarithmic = ["loss", "norm"].contains(name)
                print(plot.lines().joined(separator: "\n"))
                print("")
            }
        }
    }

    /// Checks that there is a step to be drawn.
    private func checkSteps(_ table: LogTable, _ url: URL) throws {
        let steps = table.rows.compactMap { $0["step"] }
        guard let last = steps.max() else {
            throw CommandError.failure("\(url.path) has no step yet; train first.")
        }
        guard Double(from) <= last else {
            throw CommandError.usage(
                "--from is \(from), and the last step of \(url.path) is \(Int(last)).")
        }
    }

    private func parts(_ run: TrainingRun) throws -> [TrainedPart] {
        if let part { return [part] }
        let found = TrainedPart.allCases.filter {
            FileManager.default.fileExists(
                atPath: TrainingLog.url(in: Self.state(of: $0, run)).path)
        }
        guard !found.isEmpty else {
            throw CommandError.usage("\(folder) has no log of a training yet.")
        }
        return found
    }

    private func names(_ table: LogTable, _ url: URL) throws -> [String] {
        guard let columns else {
            return table.columns.filter { !["step", "norm", "rate", "seconds"].contains($0) }
        }
        let names = columns.split(separator: ",").map(String.init)
        if let other = names.first(where: { !table.columns.contains($0) }) {
            throw CommandError.usage(
                "\(url.path) has no column \(other); it has "
                    + "\(table.columns.joined(separator: ", ")).")
        }
        return names
    }

    private static func state(of part: TrainedPart, _ run: TrainingRun) -> URL {
        switch part {
        case .vae: run.vaeState
        case .transformer: run.transformerState
        case .guidance: run.guidanceState
        case .tune: run.folder.appendingPathComponent(FineTuningRun.stateName)
        }
    }
}
