/// What was found about one promised object in one section of a video.
public struct SectionReport: Codable, Sendable, Hashable {
    /// The number of the section; section k holds frames 36k+1 to 36k+36.
    public var section: Int
    /// Whether the object is there in enough frames; nil if it shouldn't be.
    public var isPresent: Bool?
    /// Whether it has the promised colour in most frames; nil if it isn't there to be judged.
    public var hasColour: Bool?
    /// Whether it has the promised shape in most frames; nil if it was never wholly visible.
    public var hasShape: Bool?
    /// Whether it moves as promised; nil if it shouldn't be there in the whole section.
    public var hasDirection: Bool?
    /// Its speed relative to the promised one; nil if that wasn't seen.
    public var speed: Double?
    /// The mean distance from the true place, in picture sides; nil without a truth.
    public var positionError: Double?
    /// The mean sharpness of its edges; nil if it wasn't seen.
    public var sharpness: Double?
}

/// What can be compared between the start and the end of a video.
public enum DriftMetric: String, Codable, CodingKeyRepresentable, CaseIterable, Sendable {
    /// The share of frames in which the object is there.
    case presence
    /// The share of frames in which it has the promised colour.
    case colour
    /// The share of frames in which it has the promised shape.
    case shape
    /// How well the promised outline fits.
    case fit
    /// How sharp its edges are.
    case sharpness
    /// Its distance from the true place, in picture sides.
    case position
    /// The colour of what is behind the objects, root mean square of the channels from 0 to 1; the
    /// same for all objects of a video, and only where the camera is fixed.
    case background
}

/// What was found about one promised object in a whole video.
public struct ObjectReport: Codable, Sendable, Hashable {
    /// What was promised.
    public var facts: ObjectFacts
    /// Whether it's there, with its colour and shape, in most of the video; nil if the video ends
    /// before it should appear.
    public var isRight: Bool?
    /// What was found section by section.
    public var sections: [SectionReport]
    /// Whether it vanished or appeared when it should; nil if it shouldn't, or the video ends before.
    public var happensWhenTold: Bool?
    /// Whether it changed its colour when it should; nil if it shouldn't, or the video ends before.
    public var changesColourWhenTold: Bool?
    /// For each metric the difference of the means over the first and last 15 % of the frames.
    ///
    /// Source: arXiv 2504.12626, the drift measure of its experiments.
    public var drift: [DriftMetric: Double]
    /// The distance from the true place per frame, in picture sides; nil where it wasn't seen.
    public var positionErrors: [Double?]
}

/// What was found in one video.
public struct VideoReport: Codable, Sendable, Hashable {
    /// The number of frames.
    public var frames: Int
    /// What the camera was promised to do.
    public var camera: Camera
    /// One report per promised object.
    public var objects: [ObjectReport]
    /// The mean number of things that were seen beyond the promised ones.
    public var strangers: Double
}
