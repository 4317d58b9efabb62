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
    public let packing: Packing
    /// What the start latent is made from.
    public let start: StartSource
    /// Whether an end image is the first entry of the history.
    public let hasEndImage: Bool
    /// The prompts by their time.
    public let timeline: PromptTimeline
    /// The prompts of the timeline, then those of planned endpoints; sections name them by number.
    public let prompts: [TimedPrompt]
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
    ///   - packing: How the context is packed, its window and order adapted to this plan's; nil for
    ///     the released models' levels.
    ///   - start: What the start latent is made from.
    ///   - hasEndImage: Whether there is an end image.
    ///   - endpoints: What is generated first in planned order; none stands for the times of the
    ///     prompts and the end of the video.
    ///   - timeline: The prompts.
    /// - Throws: `FramePackError` for a length, window or rate outside its range, for an end image
    ///   in an order that never sees the end, and for endpoints outside the video or in another
    ///   order.
    public init(
        order: SamplingOrder, length: VideoLength, window: Int = 9, framesPerSecond: Int = 30,
        packing: Packing? = nil, start: StartSource = .image,
        hasEndImage: Bool = false, endpoints: [PlannedEndpoint] = [], timeline: PromptTimeline
    ) throws(FramePackError) {
        guard !hasEndImage || order.seesLater else {
            throw .conflictingSettings(
                "endImage does not go with the order \(order.rawValue), which never sees what "
                    + "comes later; use the order inverted.")
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
        let packing = (packing ?? .released(order)).adapted(to: order).generating(window)
        self.packing = packing
        self.start = start
        self.hasEndImage = hasEndImage
        self.timeline = timeline

        let planned = try Self.endpointPlaces(
            endpoints, order: order, timeline: timeline, window: window, sectionCount: count,
            framesPerSecond: framesPerSecond)
        let own = endpoints.compactMap(\.prompt)
        prompts = timeline.prompts + own
        var numbers: [Int: Int] = [:]
        for (place, endpoint) in planned {
            if let prompt = endpoint.prompt, let index = own.firstIndex(of: prompt) {
                numbers[place] = timeline.prompts.count + index
            }
        }
        sections = SectionLayout(
            order: order, window: window, sectionCount: count, packing: packing,
            hasEndImage: hasEndImage, timeline: timeline, framesPerSecond: framesPerSecond,
            endpoints: planned.map(\.place).sorted(), endpointPrompts: numbers
        ).sections()
        let frameCount = VideoLength.frameCount(latents: count * window + 1)
        switch length {
        case .seconds: keptFrames = cutFrames..<frameCount
        case .frames(let frames): keptFrames = cutFrames..<min(frames + cutFrames, frameCount)
        }
    }

    /// Windows of the video, n.
    public var windowCount: Int { sections.reduce(0) { $0 + $1.pieces.count } }
    /// Latents of the video, the start latent included: W·n + 1.
    public var latentCount: Int { windowCount * window + 1 }
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
        prompts[section.promptNumber].text
    }

    /// The time that a section takes in the finished video, in seconds: its first piece's.
    public func time(of section: Section) -> ClosedRange<Double> { time(of: section.pieces[0]) }

    /// The time that a piece takes in the finished video, in seconds.
    public func time(of piece: SectionPiece) -> ClosedRange<Double> {
        let frames = piece.frames.clamped(to: keptFrames)
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
        (0..<sectionCount).reversed().map {
            blankWindows($0, isFirst: $0 == sectionCount - 1, sectionCount: sectionCount)
        }
    }

    /// The blank windows that stand for windows of the video that are left out.
    ///
    /// The released inverted model's rule, which every order follows: the true number in videos of
    /// at most 4 sections, else at most 2, and at most 3 in the section that is generated first.
    static func blankWindows(_ missing: Int, isFirst: Bool, sectionCount: Int) -> Int {
        sectionCount > 4 ? min(missing, isFirst ? 3 : 2) : missing
    }
}

/// A time of the video that is generated before what lies around it, in planned order.
public struct PlannedEndpoint: Hashable, Codable, Sendable {
    /// The time whose section it is, in seconds from the start of the video.
    public var seconds: Double
    /// A prompt for that section alone; nil for the prompt that holds then.
    public var text: String?

    /// Plans an endpoint.
    public init(seconds: Double, text: String? = nil) {
        (self.seconds, self.text) = (seconds, text)
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case seconds, text
    }

    /// Reads an endpoint.
    ///
    /// - Throws: `FramePackError.unknownKey` for any other key.
    public init(from decoder: any Decoder) throws {
        try KnownKeys.check(
            decoder, within: "An endpoint", known: CodingKeys.allCases.map(\.rawValue))
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        seconds = try fields.decode(Double.self, forKey: .seconds)
        text = try fields.decodeIfPresent(String.self, forKey: .text)
    }

    /// Its own prompt.
    var prompt: TimedPrompt? { text.map { TimedPrompt(seconds: seconds, text: $0) } }
}

extension SectionPlan {
    /// The places that are generated first in planned order.
    private static func endpointPlaces(
        _ endpoints: [PlannedEndpoint], order: SamplingOrder, timeline: PromptTimeline,
        window: Int, sectionCount: Int, framesPerSecond: Int
    ) throws(FramePackError) -> [(place: Int, endpoint: PlannedEndpoint)] {
        guard order == .planned else {
            guard endpoints.isEmpty else {
                throw .conflictingSettings(
                    "endpoint goes with the order planned, and the order is \(order.rawValue).")
            }
            return []
        }
        let length = Double(VideoLength.framesPerLatent * window) / Double(framesPerSecond)
        let end = length * Double(sectionCount)
        let marks = timeline.prompts.map(\.seconds).filter { $0 < end } + [end]
        let wanted = endpoints.isEmpty ? marks.map { PlannedEndpoint(seconds: $0) } : endpoints
        var places: [Int: PlannedEndpoint] = [:]
        for endpoint in wanted {
            let time = endpoint.seconds
            guard time.isFinite, (0...end + 1e-9).contains(time) else {
                throw .invalidSetting(
                    name: "endpoint", found: plainText(time),
                    wanted: "seconds from 0 to the video's end, \(plainText(end))")
            }
            let place = min(Int(time / length + 1e-9), sectionCount - 1)
            guard places[place] == nil || endpoints.isEmpty else {
                throw .conflictingSettings(
                    "Two endpoints lie in the section around \(plainText(time)) s; leave one out.")
            }
            places[place] = endpoint
        }
        return places.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}
