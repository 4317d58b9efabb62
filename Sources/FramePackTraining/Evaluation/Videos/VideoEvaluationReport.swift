public import FramePackMetrics
import Media
public import ToyWorld

/// What was measured of finished videos.
public struct VideoEvaluationReport: Codable, Sendable {
    /// The form of this JSON.
    public var framepackEval = 1
    /// How the optical flow was found; nil where it was not.
    public var flow: String?
    /// The predictors' files.
    public var predictors: [Predictors.File]
    /// The video that each was compared with.
    public var reference: String?
    /// The videos, in the order of their names.
    public var videos: [Video] = []
    /// The files that could not be measured.
    public var broken: [Broken] = []

    init(flow: String?, predictors: [Predictors.File], reference: String?) {
        (self.flow, self.predictors, self.reference) = (flow, predictors, reference)
    }

    /// One video.
    public struct Video: Codable, Sendable {
        /// The file's name.
        public var file: String
        /// Its size in pixels.
        public var width, height: Int
        /// Frames a second; nil where nobody says.
        public var framesPerSecond: Double?
        /// How its sections are known: "request" or "pieces".
        public var sectionSource: String
        /// Whether it moves enough to be called dynamic, as VBench decides; nil without RAFT.
        public var isDynamic: Bool?
        /// What the judge of the small world found; nil where the video's caption is not of it.
        public var truth: VideoReport?
        /// What was found.
        public var measures: VideoMeasures
        /// The first and the last frame; not part of the JSON.
        var ends: [Picture] = []

        enum CodingKeys: String, CodingKey {
            case file, width, height, framesPerSecond, sectionSource, isDynamic, truth, measures
        }
    }

    /// A file that could not be measured.
    public struct Broken: Codable, Sendable, Equatable {
        /// The file's name.
        public var file: String
        /// Why, as a sentence.
        public var reason: String
    }

    enum CodingKeys: String, CodingKey {
        case framepackEval, flow, predictors, reference, videos, broken
    }

    /// The metrics that any video has a value of, in their usual order.
    public var metrics: [Metric] {
        Metric.allCases.filter { metric in
            videos.contains { $0.measures.metrics[metric]?.mean != nil }
        }
    }
}
