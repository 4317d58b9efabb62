import Checkpoints
public import Foundation

/// A table of a run's steps, one line a step, as `log.csv` beside the state.
///
/// Its first line names the columns; a figure that a step does not have is an empty cell.
public final class TrainingLog {
    /// The columns that every run has; what the task measures comes after them.
    public static let columns = ["step", "loss", "norm", "rate", "seconds"]

    /// Where the log of a run lies.
    public static func url(in folder: URL) -> URL { folder.appendingPathComponent("log.csv") }

    private let metricNames: [String]
    private let file: FileHandle

    /// Begins a log, or takes up the one that lies there.
    ///
    /// Lines of steps that are done again are dropped. Logs of older versions, which have no first
    /// line and the names in every cell, are rewritten.
    ///
    /// - Parameters:
    ///   - firstStep: The step that comes next.
    /// - Throws: What keeps the file from being written.
    public init(_ url: URL, metricNames: [String], firstStep: Int) throws {
        self.metricNames = metricNames
        let before = FileManager.default.fileExists(atPath: url.path) ? try LogTable(url) : nil
        let header = Self.columns + metricNames
        var lines = [header.joined(separator: ",")]
        for row in before?.rows ?? [] where row["step"].map({ $0 < Double(firstStep) }) == true {
            lines.append(header.map { row[$0].map(Self.text) ?? "" }.joined(separator: ","))
        }
        try AtomicFile.write(Data((lines.joined(separator: "\n") + "\n").utf8), to: url)
        file = try FileHandle(forWritingTo: url)
        try file.seekToEnd()
    }

    /// Adds a step.
    public func append(_ report: TrainingReport) throws {
        let fixed = [
            "\(report.step)", Self.text(report.loss), Self.text(report.gradientNorm),
            Self.text(report.learningRate), Self.text(report.seconds),
        ]
        let metrics = metricNames.map { report.metrics[$0].map(Self.text) ?? "" }
        try file.write(contentsOf: Data(((fixed + metrics).joined(separator: ",") + "\n").utf8))
    }

    /// Six digits, whole numbers without a point.
    private static func text(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e9
            ? "\(Int(value))" : String(format: "%.6g", value)
    }
}

/// What a log says, read back.
public struct LogTable {
    /// The names of the columns, the step first.
    public let columns: [String]
    /// The figures of each step by column; what a step lacks is absent.
    public let rows: [[String: Double]]

    /// Reads a log.
    ///
    /// - Throws: `TrainingError` if there is none.
    public init(_ url: URL) throws {
        guard let text = try? String(contentsOf: url, encoding: .utf8) else {
            throw TrainingError("there is no log at \(url.path); train first")
        }
        var lines = text.split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        var names = TrainingLog.columns
        if lines.first?.first == names[0] { names = lines.removeFirst() }
        rows = lines.map { Self.row($0, names) }
        let known = Set(names)
        columns = names + Set(rows.flatMap(\.keys)).subtracting(known).sorted()
    }

    /// The cells by name; a line that was cut off by a crash gives what it has.
    private static func row(_ cells: [String], _ names: [String]) -> [String: Double] {
        var row: [String: Double] = [:]
        for (index, cell) in cells.enumerated() {
            if let mark = cell.firstIndex(of: "=") {
                row[String(cell[..<mark])] = Double(cell[cell.index(after: mark)...])
            } else if index < names.count {
                row[names[index]] = Double(cell)
            }
        }
        return row
    }

    /// The points of a column over the steps.
    public func points(_ column: String) -> [(x: Double, y: Double)] {
        rows.compactMap { row in
            guard let x = row["step"], let y = row[column], y.isFinite else { return nil }
            return (x, y)
        }
    }
}
