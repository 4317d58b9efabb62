import Checkpoints
public import Foundation
import FramePack

/// A table of a run's steps, one line a step, as `log.csv` beside the state.
///
/// Its first line names the columns; a figure that a step does not have is an empty cell.
public final class TrainingLog {
    /// The columns that every run has; what the task measures comes after them.
    public static let columns = ["step", "loss", "norm", "rate", "seconds"]

    /// Where the log of a run lies.
    public static func url(in folder: URL) -> URL { folder.appendingPathComponent("log.csv") }

    /// What of an earlier log could not be read and is dropped, as a sentence; nil where all could.
    public let dropped: String?
    private let metricNames: [String]
    private let file: FileHandle

    /// Begins a log, or takes up the one that lies there.
    ///
    /// Lines of steps that are done again are dropped, and so are lines that cannot be read: a harmed
    /// log does not end a training. Logs of older versions, which have no first line and the names in
    /// every cell, are rewritten.
    ///
    /// - Parameters:
    ///   - firstStep: The step that comes next.
    /// - Throws: What keeps the file from being written.
    public init(_ url: URL, metricNames: [String], firstStep: Int) throws {
        self.metricNames = metricNames
        let before = FileManager.default.fileExists(atPath: url.path) ? try LogTable(url) : nil
        dropped = before?.dropped
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
    /// How many lines could not be read, as a sentence; nil where all could.
    public let dropped: String?

    /// Reads a log; lines that are none are passed over.
    ///
    /// - Throws: `TrainingError` if there is none, or it cannot be read.
    public init(_ url: URL) throws {
        guard FileManager.default.fileExists(atPath: url.path) else {
            throw TrainingError("there is no log at \(url.path); train first")
        }
        guard let data = try? Data(contentsOf: url) else {
            throw TrainingError(
                "\(url.path) cannot be read; see that it is a file that may be read")
        }
        // Bytes that are no text end up in lines that are none.
        let text = String(decoding: data, as: UTF8.self)
        var lines = text.split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        var names = TrainingLog.columns
        if lines.first?.first == names[0] { names = lines.removeFirst() }
        rows = lines.map { Self.row($0, names) }.filter(Self.isStep)
        let lost = lines.count - rows.count
        dropped =
            lost == 0
            ? nil
            : "\(counted(lost, "line")) of \(url.path) cannot be read and \(lost == 1 ? "is" : "are") left out"
        let known = Set(names)
        columns = names + Set(rows.flatMap(\.keys)).subtracting(known).sorted()
    }

    /// Whether a row is that of a step.
    private static func isStep(_ row: [String: Double]) -> Bool {
        guard let step = row["step"] else { return false }
        return (0..<1e9).contains(step) && step == step.rounded()
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
