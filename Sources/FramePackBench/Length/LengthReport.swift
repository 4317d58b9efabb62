package import Foundation
import FramePack

/// What each section of one long video took.
public struct LengthReport: Codable, Equatable, Sendable {
    /// The machine and the program.
    public var setting: BenchmarkReport.Setting
    /// The model's name.
    public var model: String
    /// The sampling order.
    public var order: String
    /// Width and height in pixels.
    public var size: [Int]
    /// Latents of a section.
    public var window: Int
    /// Steps of a section.
    public var steps: Int
    /// Frames a second.
    public var framesPerSecond: Int
    /// Seconds from the beginning of the run to the first section.
    public var startSeconds: Double
    /// The sections in the order of generation.
    public var sections: [SectionFigures]
    /// What it took to put the video together after the last section; its tokens are 0.
    public var joining: SectionFigures
    /// Bytes of the finished video.
    public var fileBytes: Int
    /// The machine's load averages over a minute before and after.
    public var loadAverages: [Double]

    /// Puts the parts together.
    package init(
        setting: BenchmarkReport.Setting, model: String, order: String, size: [Int], window: Int,
        steps: Int, framesPerSecond: Int, startSeconds: Double, sections: [SectionFigures],
        joining: SectionFigures, fileBytes: Int, loadAverages: [Double]
    ) {
        (self.setting, self.model, self.order, self.size) = (setting, model, order, size)
        (self.window, self.steps, self.framesPerSecond) = (window, steps, framesPerSecond)
        (self.startSeconds, self.sections, self.joining) = (startSeconds, sections, joining)
        (self.fileBytes, self.loadAverages) = (fileBytes, loadAverages)
    }

    /// Sections of a video of so many seconds, rounded.
    package func sectionCount(seconds: Double) -> Int {
        Int((seconds * Double(framesPerSecond) / Double(4 * window)).rounded())
    }

    /// The sections that trends are fitted to: those after the first five seconds, in which networks
    /// are loaded and the history fills up.
    public var settled: [SectionFigures] {
        Array(sections.dropFirst(sectionCount(seconds: 5)))
    }

    /// How a figure changes over the settled sections; nil where it is not known.
    ///
    /// Of many sections the medians of ten are fitted, which a moment of a busy machine does not move.
    ///
    /// - Parameter isLate: Whether the second half of the sections is looked at alone.
    public func trend(isLate: Bool = false, _ figure: (SectionFigures) -> Double?) -> Trend? {
        let sections = isLate ? Array(settled.suffix(settled.count / 2)) : settled
        let values = sections.compactMap(figure)
        guard values.count == sections.count else { return nil }
        let length = values.count >= 10 * Self.medianLength ? Self.medianLength : 1
        let skipped = values.count % length
        return Trend(
            stride(from: skipped, to: values.count, by: length).compactMap {
                Spread(Array(values[$0..<$0 + length]))?.median
            })
    }

    /// Sections whose median is one figure of a trend.
    static let medianLength = 10

    /// Writes `length-NAME.json` and `length-NAME.md`, named after the machine.
    ///
    /// - Returns: Both files.
    package func write(to folder: URL) throws -> [URL] {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let files = ["json", "md"].map {
            folder.appendingPathComponent("length-\(setting.fileName).\($0)")
        }
        try (JSONEncoder.line.encode(self) + Data("\n".utf8)).write(to: files[0])
        try Data(markdown.utf8).write(to: files[1])
        return files
    }
}
