/// How long a video is wanted.
///
/// A section of a window of W latents adds 4W frames, and the start latent one: n sections are
/// W·n + 1 latents and 4W·n + 1 frames.
public enum VideoLength: Equatable, Sendable {
    /// A length in seconds; it becomes the nearest number of whole sections.
    case seconds(Double)
    /// An exact number of frames; what the last section has in excess is cut from the end.
    case frames(Int)

    /// Frames that one latent stands for, the start latent excepted.
    public static let framesPerLatent = 4

    /// Checks the length against its range.
    ///
    /// - Throws: `FramePackError.invalidSetting` that names seconds or frames.
    public func validate() throws(FramePackError) {
        switch self {
        case .frames(let frames):
            try SettingRange.check("frames", frames, in: GenerationRequest.Limits.frames)
        case .seconds(let seconds):
            let limits = GenerationRequest.Limits.seconds
            guard seconds > limits.lowerBound, seconds <= limits.upperBound else {
                throw .invalidSetting(
                    name: "seconds", found: plainText(seconds),
                    wanted: "more than 0 and at most \(plainText(limits.upperBound))")
            }
        }
    }

    /// The number of sections for this length, at least 1.
    ///
    /// Seconds are rounded half to even, as Python does: 3 s at a window of 9 are 2.5 sections and
    /// become 2.
    ///
    /// The length must be valid.
    ///
    /// - Parameters:
    ///   - window: Latents a section generates, 1 or more.
    ///   - framesPerSecond: Frames per second of the video.
    ///   - cutFrames: Frames cut from the start: 1 for a plain start picture, else 0.
    /// Source: `worker` in `demo_gradio.py`.
    public func sectionCount(window: Int, framesPerSecond: Int = 30, cutFrames: Int = 0) -> Int {
        precondition(window >= 1, "a window holds at least one latent")
        let sectionFrames = Self.framesPerLatent * window
        switch self {
        case .seconds(let seconds):
            let sections = seconds * Double(framesPerSecond) / Double(sectionFrames)
            return max(Int(sections.rounded(.toNearestOrEven)), 1)
        case .frames(let frames):
            let generated = max(frames + cutFrames - 1, 1)
            return (generated + sectionFrames - 1) / sectionFrames
        }
    }

    /// The number of frames that so many latents decode to, of which the first gives one.
    public static func frameCount(latents: Int) -> Int { framesPerLatent * latents - 3 }
}
