/// What a generation gave, and how long it took.
public struct GenerationResult: Codable, Sendable, Equatable {
    /// The video's file, or the folder of its frames.
    public var output: String
    /// The JSON file beside it, which holds the request.
    public var sidecar: String
    /// The job's folder, where it was kept.
    public var job: String?
    /// Frames of the video.
    public var frames: Int
    /// Pixels in a row.
    public var width: Int
    /// Rows.
    public var height: Int
    /// Frames per second.
    public var fps: Int
    /// How long the run took, in seconds.
    public var seconds: Double
    /// How long each stage took, in seconds, by its name.
    public var stages: [String: Double]
    /// Seconds that one frame of the video took.
    public var secondsPerFrame: Double
}
