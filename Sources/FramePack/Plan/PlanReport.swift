public import Models

/// What `framepack plan` says of a generation before anything is loaded; its JSON form is this type.
public struct PlanReport: Equatable, Codable, Sendable {
    /// The sampling order.
    public let order: SamplingOrder
    /// The packing's name in this order.
    public let packing: String
    /// The length of the packed context and the generated frames in units of one frame in full.
    public let contextCost: Double
    /// The bound of that length for an endless history; null where older frames are deleted.
    public let limit: Double?
    /// Latents of the history that a section sees, without anchors and tail.
    public let latentFramesRemembered: Int
    /// Which latents of the history get the finest kernels.
    ///
    /// In any order but time that turns out while the video is made, and `sections` show the order of
    /// time in its place.
    public let historyOrder: HistoryOrder
    /// How much nearness in time counts; nil in an order other than hybrid.
    public let historyTimeWeight: Double?
    /// Sections of the video, a window each; a call of ``sections`` may generate two of them.
    public let sectionCount: Int
    /// Latents a section generates.
    public let window: Int
    /// Latents of the video, the start latent included.
    public let latents: Int
    /// Frames of the finished video.
    public let frames: Int
    /// Decoded frames that are cut before the first that is kept: the plain start picture's.
    public let framesCutFromStart: Int
    /// Decoded frames that are cut after the last that is kept.
    public let framesCutFromEnd: Int
    /// Frames per second.
    public let fps: Int
    /// Length in seconds.
    public let seconds: Double
    /// The seconds that were asked for, where not an exact number of frames was.
    public let requestedSeconds: Double?
    /// Height in pixels.
    public let height: Int
    /// Width in pixels.
    public let width: Int
    /// What the start latent is made from.
    public let start: StartSource
    /// Whether the video runs towards an end image.
    public let endImage: Bool
    /// Tokens of the start picture in every section; text tokens are counted once it is tokenized.
    public let visionTokens: Int
    /// The calls that generate the sections, in their order.
    public let sections: [SectionReport]
    /// The prompts in time order, then those of endpoints; sections name them by number, from 1.
    public let prompts: [PromptReport]
    /// The LoRA files; nil where there are none.
    public let loras: [LoRAReport]?
    /// Predicted memory; nil where the model's sizes are not known.
    public let memory: MemoryEstimate?
    /// How a run would use memory; nil where that is not known.
    public let memoryPlan: MemoryPlan?

    /// Describes a plan.
    ///
    /// - Parameters:
    ///   - plan: The plan.
    ///   - size: The video's size.
    ///   - model: The model's sizes, for tokens and memory; nil leaves the memory out and counts
    ///     the released model's vision tokens.
    ///   - historyOrder: Which latents of the history get the finest kernels.
    ///   - historyTimeWeight: How much nearness in time counts in hybrid order.
    ///   - loras: What is said of the LoRA files.
    ///   - demand: What else of the request decides its memory.
    ///   - memoryPlan: How a run would use memory.
    public init(
        plan: SectionPlan, size: FrameSize, model: ModelSize?, historyOrder: HistoryOrder = .time,
        historyTimeWeight: Double = 1, loras: [LoRAReport] = [],
        demand: MemoryDemand = MemoryDemand(), memoryPlan: MemoryPlan? = nil
    ) {
        let visionTokens = (model ?? ModelSize()).visionTokens
        order = plan.order
        packing = plan.packing.name
        contextCost = plan.packing.contextCost
        limit = plan.packing.limit
        latentFramesRemembered = plan.packing.latentFramesRemembered
        self.historyOrder = historyOrder
        self.historyTimeWeight = historyOrder == .hybrid ? historyTimeWeight : nil
        sectionCount = plan.windowCount
        window = plan.window
        latents = plan.latentCount
        frames = plan.frameCount
        framesCutFromStart = plan.keptFrames.lowerBound
        framesCutFromEnd = plan.framesCutFromEnd
        fps = plan.framesPerSecond
        seconds = plan.seconds
        if case .seconds(let asked) = plan.length {
            requestedSeconds = asked
        } else {
            requestedSeconds = nil
        }
        height = size.height
        width = size.width
        start = plan.start
        endImage = plan.hasEndImage
        self.visionTokens = visionTokens
        sections = plan.sections.map {
            SectionReport($0, plan: plan, size: size, visionTokens: visionTokens)
        }
        let timed = plan.timeline.prompts.count
        prompts = plan.prompts.enumerated().map { PromptReport($1, isEndpoint: $0 >= timed) }
        self.loras = loras.isEmpty ? nil : loras
        memory = model.map {
            MemoryEstimate(
                plan: plan, size: size, model: $0, demand: demand,
                chunks: memoryPlan?.chunks ?? MemoryChunks())
        }
        self.memoryPlan = memoryPlan
    }

    /// Writes the report; a `limit` that is not there is written as null.
    public func encode(to encoder: any Encoder) throws {
        var keys = encoder.container(keyedBy: CodingKeys.self)
        try keys.encode(order, forKey: .order)
        try keys.encode(packing, forKey: .packing)
        try keys.encode(contextCost, forKey: .contextCost)
        try keys.encode(limit, forKey: .limit)
        try keys.encode(latentFramesRemembered, forKey: .latentFramesRemembered)
        try keys.encode(historyOrder, forKey: .historyOrder)
        try keys.encodeIfPresent(historyTimeWeight, forKey: .historyTimeWeight)
        try keys.encode(sectionCount, forKey: .sectionCount)
        try keys.encode(window, forKey: .window)
        try keys.encode(latents, forKey: .latents)
        try keys.encode(frames, forKey: .frames)
        try keys.encode(framesCutFromStart, forKey: .framesCutFromStart)
        try keys.encode(framesCutFromEnd, forKey: .framesCutFromEnd)
        try keys.encode(fps, forKey: .fps)
        try keys.encode(seconds, forKey: .seconds)
        try keys.encodeIfPresent(requestedSeconds, forKey: .requestedSeconds)
        try keys.encode(height, forKey: .height)
        try keys.encode(width, forKey: .width)
        try keys.encode(start, forKey: .start)
        try keys.encode(endImage, forKey: .endImage)
        try keys.encode(visionTokens, forKey: .visionTokens)
        try keys.encode(sections, forKey: .sections)
        try keys.encode(prompts, forKey: .prompts)
        try keys.encodeIfPresent(loras, forKey: .loras)
        try keys.encodeIfPresent(memory, forKey: .memory)
        try keys.encodeIfPresent(memoryPlan, forKey: .memoryPlan)
    }
}

/// What a plan says of one prompt.
public struct PromptReport: Equatable, Codable, Sendable {
    /// Where it begins to hold, or the endpoint whose section it holds for, in seconds.
    public let seconds: Double
    /// The prompt.
    public let text: String
    /// Whether it is an endpoint's own, which holds for that endpoint's section alone.
    public let isEndpoint: Bool

    init(_ prompt: TimedPrompt, isEndpoint: Bool) {
        (seconds, text, self.isEndpoint) = (prompt.seconds, prompt.text, isEndpoint)
    }
}

/// What a plan says of one section; numbers of sections, places and prompts count from 1, latents
/// and frames from 0.
public struct SectionReport: Equatable, Codable, Sendable {
    /// When it is generated.
    public let number: Int
    /// Where it stands in time; the first place where two are generated together.
    public let place: Int
    /// All places that it generates.
    public let places: [Int]
    /// Where it begins and ends in the finished video, in seconds.
    public let startSeconds, endSeconds: Double
    /// Its first and last frame in the finished video.
    public let firstFrame, lastFrame: Int
    /// Its first and last latent.
    public let firstLatent, lastLatent: Int
    /// Blank windows before the target, in the inverted order.
    public let padding: Int?
    /// The rotary time indices of its latents.
    public let targetIndices: [Int]
    /// What it sees.
    public let context: [ContextReport]
    /// The number of its prompt.
    public let prompt: Int
    /// Tokens of its own latents.
    public let targetTokens: Int
    /// Tokens of its latents, its context and the start picture.
    public let tokens: Int

    init(_ section: Section, plan: SectionPlan, size: FrameSize, visionTokens: Int) {
        let piece = section.pieces[0]
        let frames = piece.frames.clamped(to: plan.keptFrames)
        let time = plan.time(of: piece)
        let cut = plan.keptFrames.lowerBound
        let kernel = PatchKernel(rate: 1)
        number = section.number + 1
        place = section.place + 1
        places = section.pieces.map { $0.place + 1 }
        (startSeconds, endSeconds) = (time.lowerBound, time.upperBound)
        (firstFrame, lastFrame) = (frames.lowerBound - cut, frames.upperBound - cut - 1)
        (firstLatent, lastLatent) = (piece.latents.lowerBound, piece.latents.upperBound - 1)
        padding = section.padding
        targetIndices = section.targetIndices
        context = section.context.map { ContextReport($0, size: size) }
        prompt = section.promptNumber + 1
        targetTokens = kernel.tokenCount(latents: section.latentCount, size: size)
        tokens = section.videoTokenCount(size: size, targetKernel: kernel) + visionTokens
    }
}

/// What a plan says of one group of context latents.
public struct ContextReport: Equatable, Codable, Sendable {
    /// The patch kernel: k1, k2, k4, or in full, such as k1h4w4.
    public let kernel: String
    /// How latents of the tail are averaged before; absent for latents of a level.
    public let averaging: TailAveraging?
    /// The latents: "start", "end", "zeros", or a latent's number.
    public let latents: [String]
    /// Their rotary time indices.
    public let indices: [Int]
    /// Tokens of the group.
    public let tokens: Int

    init(_ group: ContextGroup, size: FrameSize) {
        kernel = group.kernel.description
        averaging = group.averaging
        latents = group.sources.map(\.description)
        indices = group.indices
        tokens = group.tokenCount(size: size)
    }
}

extension LatentSource: CustomStringConvertible {
    /// "start", "end", "zeros", or the latent's number.
    public var description: String {
        switch self {
        case .start: "start"
        case .generated(let number): "\(number)"
        case .end: "end"
        case .zeros: "zeros"
        }
    }
}
