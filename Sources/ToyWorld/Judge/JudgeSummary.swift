/// How many of those that could be judged were right.
public struct Score: Codable, Sendable, Hashable {
    /// How many were right.
    public var right = 0
    /// How many could be judged.
    public var judged = 0

    /// A score of nothing.
    public init() {}

    /// The share that was right, 0 to 1; nil if nothing could be judged.
    public var share: Double? { judged == 0 ? nil : Double(right) / Double(judged) }

    mutating func count(_ verdict: Bool?) {
        guard let verdict else { return }
        judged += 1
        if verdict { right += 1 }
    }
}

/// A mean that grows value by value.
public struct Mean: Codable, Sendable, Hashable {
    /// The sum of the values.
    public var sum = 0.0
    /// The number of the values.
    public var count = 0

    /// A mean of nothing.
    public init() {}

    /// The mean; nil if there's no value.
    public var value: Double? { count == 0 ? nil : sum / Double(count) }

    mutating func add(_ value: Double?) {
        guard let value else { return }
        sum += value
        count += 1
    }
}

/// What was found in many videos' sections with the same number.
public struct SectionSummary: Codable, Sendable, Hashable {
    /// The number of the section.
    public var section: Int
    /// Objects that are there.
    public var presence = Score()
    /// Objects with the promised colour.
    public var colour = Score()
    /// Objects with the promised shape.
    public var shape = Score()
    /// Objects that move as promised.
    public var direction = Score()
    /// Speeds relative to the promised ones.
    public var speed = Mean()
    /// Distances from the true places, in picture sides.
    public var positionError = Mean()
    /// How sharp the edges are.
    public var sharpness = Mean()

    init(section: Int) {
        self.section = section
    }

    mutating func add(_ report: SectionReport) {
        presence.count(report.isPresent)
        // An object that isn't there has neither its colour nor its shape.
        let isMissing = report.isPresent == false
        colour.count(isMissing ? false : report.hasColour)
        shape.count(isMissing ? false : report.hasShape)
        direction.count(report.hasDirection)
        speed.add(report.speed)
        positionError.add(report.positionError)
        sharpness.add(report.sharpness)
    }
}

/// What was found in many videos.
public struct JudgeSummary: Codable, Sendable, Hashable {
    /// The number of videos.
    public var videos = 0
    /// Objects that are there, with their colour and shape, in most of the video.
    public var objects = Score()
    /// Objects that vanish or appear when told to.
    public var happens = Score()
    /// Objects that change their colour when told to.
    public var changesColour = Score()
    /// What was found section by section.
    public var sections: [SectionSummary] = []
    /// For each kind of motion, objects that move as promised, all sections together.
    public var directionByMotion: [MotionKind: Score] = [:]
    /// For each metric the mean difference between the start and the end of a video.
    public var drift: [DriftMetric: Mean] = [:]
    /// Distances from the true places frame by frame, in picture sides.
    public var positionErrors: [Mean] = []
    /// Things that were seen beyond the promised ones, per frame.
    public var strangers = Mean()

    /// A summary of some videos' reports.
    public init(_ reports: [VideoReport]) {
        for report in reports { add(report) }
    }

    /// Adds one video's report.
    public mutating func add(_ report: VideoReport) {
        videos += 1
        strangers.add(report.strangers)
        for object in report.objects {
            objects.count(object.isRight)
            happens.count(object.happensWhenTold)
            changesColour.count(object.changesColourWhenTold)
            for section in object.sections {
                while sections.count <= section.section {
                    sections.append(SectionSummary(section: sections.count))
                }
                sections[section.section].add(section)
                directionByMotion[object.facts.motion.kind, default: Score()]
                    .count(section.hasDirection)
            }
            for (metric, difference) in object.drift {
                drift[metric, default: Mean()].add(difference)
            }
            for (frame, error) in object.positionErrors.enumerated() {
                while positionErrors.count <= frame { positionErrors.append(Mean()) }
                positionErrors[frame].add(error)
            }
        }
    }

    /// All sections together.
    public var overall: SectionSummary {
        var all = SectionSummary(section: 0)
        for section in sections {
            all.presence.merge(section.presence)
            all.colour.merge(section.colour)
            all.shape.merge(section.shape)
            all.direction.merge(section.direction)
            all.speed.merge(section.speed)
            all.positionError.merge(section.positionError)
            all.sharpness.merge(section.sharpness)
        }
        return all
    }
}

extension Score {
    mutating func merge(_ other: Score) {
        right += other.right
        judged += other.judged
    }
}

extension Mean {
    mutating func merge(_ other: Mean) {
        sum += other.sum
        count += other.count
    }
}
