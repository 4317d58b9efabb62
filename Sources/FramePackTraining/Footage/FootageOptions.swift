import FramePack

/// How raw video becomes clips to train with.
public struct FootageOptions: Codable, Equatable, Sendable {
    /// Frames a second of the clips; the released models know 30.
    public var framesPerSecond = 30
    /// The side of a square of the clips' area, in pixels: 640 for the released sizes.
    public var resolution = 640
    /// Latents that a section generates: a clip of n sections has 4 · window · n + 1 frames.
    public var window = 9
    /// Sections of the shortest clip.
    public var fewestSections = 1
    /// Sections of the longest clip; a longer scene gives several clips.
    public var mostSections = 4
    /// Smallest jump between two frames that is a cut, in levels of 255.
    public var cutThreshold = 12.0
    /// How many times the jumps around it a cut is.
    public var cutRatio = 3.0
    /// Least movement of what moves most, in percent of the longer side a second.
    public var leastMotion = 1.0
    /// Largest change of movement from frame to frame, in percent of the longer side.
    public var mostJitter = 1.5
    /// Least variance of the Laplacian at the clips' size, in levels squared.
    public var leastSharpness = 20.0
    /// How much a picture may be enlarged.
    public var mostEnlargement = 1.1
    /// Least frames a second of a video; of fewer, most frames would be repetitions.
    public var leastRate = 20.0
    /// libx264's constant rate factor of the clips, 0 (best) to 51.
    public var constantRateFactor = 12

    /// Clips for the released models.
    public init() {}

    /// Frames of a clip of so many sections.
    func frameCount(sections: Int) -> Int { VideoLength.framesPerLatent * window * sections + 1 }

    /// The sizes of the clips.
    var buckets: Buckets { Buckets.resolution(resolution) }

    /// What settings may be.
    public enum Limits {
        /// Frames a second of the clips.
        public static let framesPerSecond = 1...240
        /// The side of a square of the clips' area, in pixels.
        public static let resolution = 32...2048
        /// Latents that a section generates.
        public static let window = 1...64
        /// Sections of the shortest and of the longest clip.
        public static let sections = 1...1000
        /// The smallest jump that is a cut, in levels of 255.
        public static let cutThreshold = 0.1...255.0
        /// How many times the jumps around it a cut is.
        public static let cutRatio = 1.0...100.0
        /// The least motion, and the most jitter, in percent of the longer side.
        public static let motion = 0.0...1000.0
        /// The least variance of the Laplacian, in levels squared.
        public static let sharpness = 0.0...100_000.0
        /// How much a picture may be enlarged.
        public static let enlargement = 0.1...100.0
        /// The least frames a second of a video.
        public static let rate = 0.0...240.0
        /// libx264's constant rate factor.
        public static let constantRateFactor = 0...51
    }

    /// Checks every setting.
    ///
    /// - Throws: `TrainingError` that names the setting, its value and its range.
    public func validate() throws {
        func check<Number: Comparable>(
            _ name: String, _ value: Number, _ range: ClosedRange<Number>
        ) throws {
            guard range.contains(value) else {
                throw TrainingError(
                    "\(name) is \(value); it must be from \(range.lowerBound) to "
                        + "\(range.upperBound)")
            }
        }
        try check("the rate of the clips", framesPerSecond, Limits.framesPerSecond)
        try check("the resolution", resolution, Limits.resolution)
        try check("the window", window, Limits.window)
        try check("the most sections", mostSections, Limits.sections)
        try check("the fewest sections", fewestSections, Limits.sections)
        guard fewestSections <= mostSections else {
            throw TrainingError(
                "the fewest sections is \(fewestSections); it must be at most the most sections, "
                    + "\(mostSections)")
        }
        try check("the threshold of cuts", cutThreshold, Limits.cutThreshold)
        try check("the ratio of cuts", cutRatio, Limits.cutRatio)
        try check("the least motion", leastMotion, Limits.motion)
        try check("the most jitter", mostJitter, Limits.motion)
        try check("the least sharpness", leastSharpness, Limits.sharpness)
        try check("the most enlargement", mostEnlargement, Limits.enlargement)
        try check("the least rate", leastRate, Limits.rate)
        try check("the constant rate factor", constantRateFactor, Limits.constantRateFactor)
    }
}
