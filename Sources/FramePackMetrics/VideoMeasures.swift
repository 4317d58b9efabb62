/// What was measured of a video: each metric over the whole and section by section.
public struct VideoMeasures: Codable, Sendable, Equatable {
    /// Frames of the video.
    public var frames: Int
    /// The frames of each section, in the order of time.
    public var sections: [Range<Int>]
    /// What was found for each metric.
    public var metrics: [Metric: Summary]

    /// One metric.
    public struct Summary: Codable, Sendable, Equatable {
        /// What the values count; empty for a plain number.
        public var unit: String
        /// The mean over all frames; nil where no frame has a value.
        public var mean: Double?
        /// The deviation over all frames.
        public var deviation: Double?
        /// The means over the first and the last 15 % of the frames.
        public var first, last: Double?
        /// The difference between the two, without its sign; see ``Drift``.
        public var drift: Double?
        /// The same for each section.
        public var sections: [SectionSummary]
        /// A value for each frame; nil where it has none.
        public var values: [Double?]
    }

    /// One metric in one section.
    public struct SectionSummary: Codable, Sendable, Equatable {
        /// The mean over the section's frames.
        public var mean: Double?
        /// The difference between the first and the last 15 % of the section's frames.
        public var drift: Double?
    }

    /// Sums up values frame by frame.
    ///
    /// - Parameters:
    ///   - values: For each metric a value for each frame, as many as `frames`.
    ///   - sections: Pieces of the video; what lies outside of it is left out.
    public init(frames: Int, values: [Metric: [Double?]], sections: [Range<Int>]) {
        let inside = sections.map { $0.clamped(to: 0..<frames) }.filter { !$0.isEmpty }
        self.frames = frames
        self.sections = inside
        metrics = Dictionary(
            uniqueKeysWithValues: values.map { ($0, Summary($1, unit: $0.unit, sections: inside)) })
    }

    /// Measures frames that are in memory.
    ///
    /// - Parameters:
    ///   - frames: The video, all of one size.
    ///   - sections: Its sections; pieces of ``sectionFrames`` frames where none are given.
    ///   - measuresMotion: Whether the optical flow is found, which takes most of the time.
    public init(_ frames: [Frame], sections: [Range<Int>]? = nil, measuresMotion: Bool = true) {
        var meter = VideoMeter(measuresMotion: measuresMotion)
        for frame in frames { meter.add(frame) }
        self.init(
            frames: frames.count, values: meter.values,
            sections: sections ?? Self.pieces(of: frames.count))
    }

    /// The frames of a section where nothing says how long it is: what a window of 9 latents adds.
    public static let sectionFrames = 36

    /// A video's frames in equal pieces.
    ///
    /// The start frame belongs to the first piece. A last piece that is less than half as long as
    /// the others is part of the one before.
    public static func pieces(of frames: Int, length: Int = sectionFrames) -> [Range<Int>] {
        guard frames > 0 else { return [] }
        let count = max((frames - 1 + length / 2) / length, 1)
        return (0..<count).map { piece in
            let start = piece == 0 ? 0 : piece * length + 1
            return start..<(piece == count - 1 ? frames : (piece + 1) * length + 1)
        }
    }
}

extension VideoMeasures.Summary {
    init(_ values: [Double?], unit: String, sections: [Range<Int>]) {
        let part = Drift.endCount(of: values.count)
        let mean = Drift.mean(values)
        let squares = values.map { value in
            value.flatMap { value in mean.map { (value - $0) * (value - $0) } }
        }
        self.init(
            unit: unit, mean: mean, deviation: Drift.mean(squares)?.squareRoot(),
            first: Drift.mean(values.prefix(part)), last: Drift.mean(values.suffix(part)),
            drift: Drift.of(values),
            sections: sections.map {
                VideoMeasures.SectionSummary(
                    mean: Drift.mean(values[$0]), drift: Drift.of(values[$0]))
            }, values: values)
    }
}
