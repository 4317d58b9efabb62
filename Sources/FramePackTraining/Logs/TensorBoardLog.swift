import Checkpoints
public import Foundation
public import Media

/// Event files that TensorBoard shows: figures, pictures and texts over the steps of a run.
///
/// `tensorboard --logdir FOLDER` reads them while the training goes on. A run that is continued
/// begins a further file; what the files before say of steps that are done again is cut off, so that
/// every reader sees each step once.
///
/// Source: TensorFlow's `event.proto`, `summary.proto` and `tensor.proto`, as far as they are
/// needed here, written by hand.
public final class TensorBoardLog {
    /// Where the event files of a run lie.
    public static func folder(in run: URL) -> URL { run.appendingPathComponent("tensorboard") }

    private static let prefix = "events.out.tfevents."

    private let file: FileHandle
    private let now: () -> Date

    /// Begins a file.
    ///
    /// - Parameters:
    ///   - folder: Made if it is not there.
    ///   - firstStep: The step that comes next.
    ///   - now: The time of day, which each event carries.
    /// - Throws: What keeps the files from being written.
    public init(_ folder: URL, firstStep: Int, now: @escaping () -> Date = Date.init) throws {
        self.now = now
        try makeFolder(folder)
        let before = try Self.files(in: folder)
        for file in before { try Self.cut(file, from: firstStep) }
        // Readers take files in the order of their names, hence a number above all before.
        let numbers = before.compactMap { Int($0.lastPathComponent.split(separator: ".")[3]) }
        let number = max(Int(now().timeIntervalSince1970), (numbers.max() ?? 0) + 1)
        let digits = String(number)
        let name = Self.prefix + String(repeating: "0", count: max(0, 10 - digits.count)) + digits
        let url = folder.appendingPathComponent("\(name).framepack")
        try AtomicFile.write(Data(), to: url)
        file = try FileHandle(forWritingTo: url)
        try write(0) { $0.add(EventField.fileVersion, "brain.Event:2") }
        // A reader that has seen later steps forgets them.
        try write(firstStep) {
            $0.add(EventField.sessionLog) { $0.add(1, EventField.sessionStart) }
        }
    }

    /// The event files of a folder, oldest first.
    private static func files(in folder: URL) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasPrefix(prefix) && $0.split(separator: ".").count > 3 }
            .sorted().map { folder.appendingPathComponent($0) }
    }

    /// Ends a file before the first event of steps that are done again, or before a torn one.
    ///
    /// A file of which nothing is left but the header is removed.
    private static func cut(_ url: URL, from firstStep: Int) throws {
        let bytes = try [UInt8](Data(contentsOf: url))
        let kept = RecordFile.records(bytes).prefix {
            ProtobufMessage.number(EventField.step, in: $0.data) ?? 0 < firstStep
        }
        guard kept.count > 1, let end = kept.last?.end else {
            return try FileManager.default.removeItem(at: url)
        }
        let handle = try FileHandle(forWritingTo: url)
        try handle.truncate(atOffset: UInt64(end))
        try handle.close()
    }

    /// Adds figures of a step.
    ///
    /// - Parameter values: By tag, such as `loss`; a slash groups tags.
    public func add(_ values: [String: Double], step: Int) throws {
        try writeSummary(step) { summary in
            for (tag, value) in values.sorted(by: { $0.key < $1.key }) {
                summary.add(1) {
                    $0.add(SummaryField.tag, tag)
                    $0.add(SummaryField.simpleValue, Float(value))
                }
            }
        }
    }

    /// Adds a picture.
    public func add(_ picture: Picture, tag: String, step: Int) throws {
        try add(
            png: [UInt8](picture.pngData()), width: picture.width, height: picture.height,
            tag: tag, step: step)
    }

    /// Adds a picture that is encoded already.
    package func add(png: [UInt8], width: Int, height: Int, tag: String, step: Int) throws {
        try writeSummary(step) { summary in
            summary.add(1) {
                $0.add(SummaryField.tag, tag)
                $0.add(SummaryField.image) {
                    $0.add(1, height)
                    $0.add(2, width)
                    // Red, green and blue.
                    $0.add(3, 3)
                    $0.add(4, png)
                }
            }
        }
    }

    /// Adds a text, which TensorBoard shows as Markdown.
    public func add(_ text: String, tag: String, step: Int) throws {
        try writeSummary(step) { summary in
            summary.add(1) {
                $0.add(SummaryField.tag, "\(tag)/text_summary")
                $0.add(SummaryField.tensor) {
                    $0.add(1, SummaryField.stringType)
                    // One axis of length 1.
                    $0.add(2) { $0.add(2) { $0.add(1, 1) } }
                    $0.add(8, Array(text.utf8))
                }
                $0.add(SummaryField.metadata) { $0.add(1) { $0.add(1, "text") } }
            }
        }
    }

    private func writeSummary(_ step: Int, _ build: (inout ProtobufMessage) -> Void) throws {
        try write(step) { $0.add(EventField.summary, build) }
    }

    /// Writes one event in one call, so that a kill leaves whole events and at most one torn.
    private func write(_ step: Int, _ build: (inout ProtobufMessage) -> Void) throws {
        var event = ProtobufMessage()
        event.add(EventField.wallTime, now().timeIntervalSince1970)
        event.add(EventField.step, step)
        build(&event)
        try file.write(contentsOf: Data(RecordFile.framed(event.bytes)))
    }
}

/// The numbers of an event's fields.
private enum EventField {
    static let wallTime = 1
    static let step = 2
    static let fileVersion = 3
    static let summary = 5
    static let sessionLog = 7
    /// `SessionLog.START`.
    static let sessionStart = 1
}

/// The numbers of a summary value's fields.
private enum SummaryField {
    static let tag = 1
    static let simpleValue = 2
    static let image = 4
    static let tensor = 8
    static let metadata = 9
    /// `DT_STRING`.
    static let stringType = 7
}
