public import FramePack

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
        try check("the rate of the clips", framesPerSecond, 1...240)
        try check("the resolution", resolution, 32...2048)
        try check("the window", window, 1...64)
        try check("the most sections", mostSections, 1...1000)
        try check("the fewest sections", fewestSections, 1...mostSections)
        try check("the threshold of cuts", cutThreshold, 0.1...255)
        try check("the ratio of cuts", cutRatio, 1...100)
        try check("the least motion", leastMotion, 0...1000)
        try check("the most jitter", mostJitter, 0...1000)
        try check("the least sharpness", leastSharpness, 0...100_000)
        try check("the most enlargement", mostEnlargement, 0.1...100)
        try check("the least rate", leastRate, 0...240)
        try check("the constant rate factor", constantRateFactor, 0...51)
    }
}
