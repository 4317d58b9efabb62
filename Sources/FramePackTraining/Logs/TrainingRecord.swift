public import Foundation

/// All that a run writes down for people: `log.csv`, and event files for TensorBoard.
///
/// A record that is taken up after a kill has every step once: what stands there of steps that are
/// done again is dropped.
public final class TrainingRecord {
    private let table: TrainingLog
    private let events: TensorBoardLog
    /// What of an earlier record could not be read and is dropped, as a sentence; nil where all could.
    public var dropped: String? { table.dropped }

    /// Begins a record, or takes up the one that lies there.
    ///
    /// - Parameters:
    ///   - folder: The folder of the run's state.
    ///   - metricNames: What the task measures.
    ///   - firstStep: The step that comes next.
    /// - Throws: What keeps the files from being written.
    public init(in folder: URL, metricNames: [String], firstStep: Int) throws {
        table = try TrainingLog(
            TrainingLog.url(in: folder), metricNames: metricNames, firstStep: firstStep)
        events = try TensorBoardLog(TensorBoardLog.folder(in: folder), firstStep: firstStep)
    }

    /// Adds a step; the tags of the events are the columns of the table.
    public func append(_ report: TrainingReport) throws {
        try table.append(report)
        var values = report.metrics
        values["loss"] = report.loss
        values["norm"] = report.gradientNorm
        values["rate"] = report.learningRate
        values["seconds"] = report.seconds
        try events.add(values, step: report.step)
    }

    /// Adds the strips of sample videos.
    ///
    /// - Parameter step: The step that was done last.
    public func append(_ samples: [SampleVideo], step: Int) throws {
        for sample in samples {
            try events.add(sample.picture, tag: "samples/\(sample.name)", step: step)
        }
    }

    /// Adds a text, such as the settings of the run; TensorBoard shows it as Markdown.
    ///
    /// - Parameter step: The step that was done last.
    public func append(_ text: String, as tag: String, step: Int) throws {
        try events.add(text, tag: tag, step: step)
    }
}
