public import Foundation
import FramePackMetrics
import Media
import ToyWorld

/// Measures finished videos: what can be told from their pixels, and what predictors find.
public final class VideoEvaluation {
    /// What is measured.
    public struct Options: Sendable {
        /// Frames of a section; nil for what a video's request says, or 36.
        public var sectionFrames: Int?
        /// A video that each is compared with, frame by frame.
        public var reference: URL?
        /// How many frames a second the predictors look at.
        public var predictorRate = 8.0
        /// Whether the optical flow is found, which takes most of the time without predictors.
        public var measuresMotion = true

        /// The usual choices.
        public init() {}
    }

    private let options: Options
    private let predictors: Predictors?

    /// Prepares a measurement.
    public init(_ options: Options = Options(), predictors: Predictors? = nil) {
        (self.options, self.predictors) = (options, predictors)
    }

    /// Measures the videos of a path.
    ///
    /// - Parameters:
    ///   - url: A video, a folder of videos, or a folder of frames.
    ///   - onVideo: Called after each with its name and the seconds it took; what it throws ends
    ///     the run.
    /// - Returns: The figures, and which files could not be measured and why.
    /// - Throws: `TrainingError` where there is nothing to measure, or not a single video can be.
    public func run(_ url: URL, onVideo: (String, Double) throws -> Void = { _, _ in }) throws
        -> VideoEvaluationReport
    {
        let files = try VideoFrames.videos(at: url)
        var report = VideoEvaluationReport(
            flow: predictors?.flowName ?? (options.measuresMotion ? LucasKanade.name : nil),
            predictors: predictors?.files ?? [], reference: options.reference?.path)
        for file in files {
            let start = Date()
            do {
                report.videos.append(try measured(file))
            } catch let error as MediaError {
                try note(error, file, alone: files.count == 1, in: &report)
            } catch let error as TrainingError {
                try note(error, file, alone: files.count == 1, in: &report)
            }
            try onVideo(file.lastPathComponent, Date().timeIntervalSince(start))
        }
        guard !report.videos.isEmpty else {
            throw TrainingError(
                """
                none of the \(files.count) videos in \(url.path) can be measured; the first: \
                \(report.broken.first?.reason ?? "")
                """)
        }
        return report
    }

    private func note(
        _ error: any Error, _ file: URL, alone: Bool, in report: inout VideoEvaluationReport
    ) throws {
        if alone { throw error }
        report.broken.append(
            VideoEvaluationReport.Broken(file: file.lastPathComponent, reason: "\(error)"))
    }

    // MARK: - One video

    private func measured(_ file: URL) throws -> VideoEvaluationReport.Video {
        let frames = try VideoFrames(file)
        let reference = try options.reference.map { try VideoFrames($0) }
        var meter = VideoMeter(
            measuresMotion: options.measuresMotion && predictors?.flowName == nil)
        let rate = frames.framesPerSecond > 0 ? frames.framesPerSecond : 30
        var predicted = PredictedValues(
            interval: max(Int((rate / options.predictorRate).rounded()), 1))
        var (first, last): (Picture?, Picture?)
        var judged = JudgedVideo(of: file, comment: frames.comment)
        while let picture = try frames.frame() {
            judged?.add(picture)
            let other = try reference.map { try partner($0, of: picture, file, meter.frameCount) }
            meter.add(frame(picture), reference: other)
            if let predictors { try predicted.add(picture, predictors) }
            first = first ?? picture
            last = picture
        }
        guard let first, let last else {
            throw TrainingError("\(file.path) holds no frames")
        }
        if try reference?.frame() != nil {
            throw TrainingError(
                "\(options.reference?.path ?? "") has more than the \(meter.frameCount) frames of "
                    + "\(file.path); compare videos of one length")
        }
        let sections = VideoSections(
            of: file, frames: meter.frameCount, length: options.sectionFrames)
        let values = meter.values.merging(predicted.values(frames: meter.frameCount)) { $1 }
        return VideoEvaluationReport.Video(
            file: file.lastPathComponent, width: first.width, height: first.height,
            framesPerSecond: frames.framesPerSecond > 0 ? frames.framesPerSecond : nil,
            sectionSource: sections.source,
            isDynamic: predicted.isDynamic(width: first.width, height: first.height),
            truth: judged?.report(),
            measures: VideoMeasures(
                frames: meter.frameCount, values: values, sections: sections.frames),
            ends: [first, last])
    }

    private func frame(_ picture: Picture) -> Frame {
        Frame(width: picture.width, height: picture.height, pixels: picture.pixels)
    }

    private func partner(
        _ reference: VideoFrames, of picture: Picture, _ file: URL, _ number: Int
    ) throws -> Frame {
        let name = options.reference?.path ?? ""
        guard let other = try reference.frame() else {
            throw TrainingError(
                "\(name) has only \(number) frames, \(file.path) has more; compare videos of one "
                    + "length")
        }
        guard other.width == picture.width, other.height == picture.height else {
            throw TrainingError(
                """
                \(name) has \(other.width) x \(other.height) pixels, \(file.path) \
                \(picture.width) x \(picture.height); compare videos of one size
                """)
        }
        return frame(other)
    }
}

/// What the predictors find in every so many frames of a video.
struct PredictedValues {
    /// Frames from one that is looked at to the next.
    let interval: Int
    private var count = 0
    private var before: Picture?
    private var found: [Metric: [Int: Double]] = [:]

    init(interval: Int) { self.interval = interval }

    /// Looks at the next frame, if it is one to look at.
    mutating func add(_ picture: Picture, _ predictors: Predictors) throws {
        defer { count += 1 }
        guard count % interval == 0 else { return }
        for (metric, value) in try predictors.scores(picture) {
            found[metric, default: [:]][count] = value
        }
        if let before, let flow = try predictors.flow(from: before, to: picture) {
            found[.dynamic, default: [:]][count] = flow.longestTwentieth
            found[.motion, default: [:]][count] = flow.meanLength / Double(interval)
        }
        before = picture
    }

    /// A value for each frame, or nil where nobody looked.
    func values(frames: Int) -> [Metric: [Double?]] {
        found.mapValues { values in (0..<frames).map { values[$0] } }
    }

    /// Whether the video moves enough to be called dynamic; nil without RAFT.
    ///
    /// Enough of the pairs that were looked at, a quarter of the frames in them, must move by more
    /// than 6 pixels of a picture whose shorter side is 256.
    ///
    /// Source: VBench, dynamic degree.
    func isDynamic(width: Int, height: Int) -> Bool? {
        guard let lengths = found[.dynamic]?.values else { return nil }
        let threshold = 6 * Double(min(width, height)) / 256
        let wanted = (4 * Double(lengths.count + 1) / 16).rounded(.toNearestOrEven)
        return Double(lengths.count { $0 > threshold }) >= wanted
    }
}
