/// What is generated when, from what: the whole of a sampling order as integers.
///
/// Source: arXiv 2504.12626; `worker` in `demo_gradio.py` (inverted) and `demo_gradio_f1.py` (f1).
public struct SectionPlan: Equatable, Sendable {
    /// The sampling order.
    public let order: SamplingOrder
    /// The length that was asked for.
    public let length: VideoLength
    /// Latents a section generates, W.
    public let window: Int
    /// Frames per second of the video.
    public let framesPerSecond: Int
    /// How the context is packed.
    public let packing: PackingSchedule
    /// What the start latent is made from.
    public let start: StartSource
    /// Whether an end image is the first entry of the history.
    public let hasEndImage: Bool
    /// The prompts, which sections name by number.
    public let timeline: PromptTimeline
    /// The sections in the order of their generation.
    public let sections: [Section]
    /// The frames of the decoded video that are kept; what lies outside is cut: frame 0 for a plain
    /// start picture, and the excess over an exact number of frames, always from the end.
    public let keptFrames: Range<Int>

    /// Plans a video.
    ///
    /// - Parameters:
    ///   - order: The sampling order.
    ///   - length: The wanted length.
    ///   - window: Latents a section generates, 1 or more; the released models know 9.
    ///   - framesPerSecond: Frames per second, 1 or more.
    ///   - packing: How the context is packed.
    ///   - start: What the start latent is made from.
    ///   - hasEndImage: Whether there is an end image.
    ///   - timeline: The prompts.
    /// - Throws: `FramePackError` for a length, window or rate outside its range, and for an end
    ///   image in an order that does not begin with the end.
    public init(
        order: SamplingOrder, length: VideoLength, window: Int = 9, framesPerSecond: Int = 30,
        packing: PackingSchedule = .released, start: StartSource = .image,
        hasEndImage: Bool = false, timeline: PromptTimeline
    ) throws(FramePackError) {
        guard !hasEndImage || order == .inverted else {
            throw .conflictingSettings(
                "endImage does not go with the order f1, which never sees what comes later; "
                    + "use the order inverted.")
        }
        try length.validate()
        try SettingRange.check("window", window, in: GenerationRequest.Limits.window)
        try SettingRange.check("fps", framesPerSecond, in: GenerationRequest.Limits.fps)
        let cutFrames = start == .plain ? 1 : 0
        let count = length.sectionCount(
            window: window, framesPerSecond: framesPerSecond, cutFrames: cutFrames)
        self.order = order
        self.length = length
        self.window = window
        self.framesPerSecond = framesPerSecond
        self.packing = packing
        self.start = start
        self.hasEndImage = hasEndImage
        self.timeline = timeline

        let layout = SectionLayout(
            window: window, sectionCount: count, packing: packing, hasEndImage: hasEndImage,
            timeline: timeline, framesPerSecond: framesPerSecond)
        sections =
            switch order {
            case .inverted: layout.inverted()
            case .f1: layout.forward()
            }
        let frameCount = VideoLength.frameCount(latents: count * window + 1)
        switch length {
        case .seconds: keptFrames = cutFrames..<frameCount
        case .frames(let frames): keptFrames = cutFrames..<min(frames + cutFrames, frameCount)
        }
    }

    /// Latents of the video, the start latent included: W·n + 1.
    public var latentCount: Int { sections.count * window + 1 }
    /// Frames that all latents decode to, before anything is cut: 4W·n + 1.
    public var decodedFrameCount: Int { VideoLength.frameCount(latents: latentCount) }
    /// Frames of the finished video.
    public var frameCount: Int { keptFrames.count }
    /// The finished video's length in seconds.
    public var seconds: Double { Double(frameCount) / Double(framesPerSecond) }
    /// Frames cut from the end, because an exact number was wanted.
    public var framesCutFromEnd: Int { decodedFrameCount - keptFrames.upperBound }

    /// The prompt of a section.
    public func prompt(of section: Section) -> String {
        timeline.prompts[section.promptNumber].text
    }

    /// The time that a section takes in the finished video, in seconds.
    public func time(of section: Section) -> ClosedRange<Double> {
        let frames = section.frames.clamped(to: keptFrames)
        let rate = Double(framesPerSecond)
        let (first, end) = (frames.lowerBound, frames.upperBound)
        return Double(first - keptFrames.lowerBound)
            / rate...Double(end - keptFrames.lowerBound) / rate
    }

    /// The blank windows before each section of the inverted order, in the order of generation.
    ///
    /// True distances n - 1 ... 0 up to 4 sections; beyond, 3, then 2 as often as needed, 1, 0.
    ///
    /// Source: `latent_paddings` in `demo_gradio.py`.
    public static func paddings(sectionCount: Int) -> [Int] {
        guard sectionCount > 4 else { return (0..<sectionCount).reversed() }
        return [3] + Array(repeating: 2, count: sectionCount - 3) + [1, 0]
    }
}
