public import Models

/// What of a request decides its memory, beside sections and size.
public struct MemoryDemand: Equatable, Sendable {
    /// Tokens of the prompt, 512 at most in the released models.
    public var textTokens = 512
    /// Steps of a section.
    public var steps = 25
    /// Branches of guidance: 2 with true guidance, else 1.
    public var branches = 1
    /// Branches of guidance that keep keys and values of the context.
    public var keptContexts = 0
    /// The tiles in which the VAE decodes.
    public var tiling = VAETiling.reference

    /// The released model's settings.
    public init() {}
}

/// What the parts of a generation take in memory, in bytes, by arithmetic alone.
///
/// - Transformer: its parameters, and for N tokens of width C at the most six tensors of all tokens, x,
///   its normalised form and queries, keys and values with one of them twice, or four and the pieces of
///   the feed-forward layer (12 C a token). Without fused kernels norms add four more. Attention itself
///   keeps nothing of size N squared.
/// - Kept conditions: modulations and refined text of every step, branch and prompt, and the history's
///   tokens and rotary phases of a section.
/// - Kept context (`--context-refresh`): for each block and branch, keys and values of the tokens of
///   history, picture and text, 2 C numbers a token.
/// - Decoder: its parameters, and what its last level holds of the 17 frames of a window of 5 latents,
///   or of a tile of 256 x 256 pixels of them: the channels that the level begins with and those of
///   its result, and three pieces, on a CPU; elsewhere 13 times the result. In float32 the
///   pixels of a section, which are joined while the next window is decoded, and windows that the next
///   section needs again.
/// - Latents: 16 channels in f32 for the whole video, of which long ones keep a part.
public struct MemoryEstimate: Equatable, Codable, Sendable {
    /// The transformer's parameters.
    public let transformerParameters: Int
    /// The largest weight of the transformer's linear layers.
    public let transformerLargestWeight: Int
    /// The transformer's activations in the largest section.
    public let transformerActivations: Int
    /// What is the same for all steps or sections and kept.
    public let keptConditions: Int
    /// Keys and values of the context that are kept between steps.
    public let keptContext: Int
    /// The text encoders' parameters.
    public let textEncoderParameters: Int
    /// The vision encoder's parameters.
    public let visionEncoderParameters: Int
    /// The largest weight of the encoders' linear layers, in float32.
    public let encoderLargestWeight: Int
    /// The VAE's parameters.
    public let vaeParameters: Int
    /// The VAE's activations as it encodes a picture, in float32.
    public let pictureActivations: Int
    /// The decoder's activations.
    public let decoderActivations: Int
    /// Pixels of windows that are kept for the next section.
    public let keptWindows: Int
    /// Frames in the encoder of the video file.
    public let writing: Int
    /// The latents of the whole video.
    public let latents: Int

    /// The text and vision encoders' parameters.
    public var encoderParameters: Int { textEncoderParameters + visionEncoderParameters }

    /// Estimates the memory of a plan.
    ///
    /// - Parameters:
    ///   - plan: The plan.
    ///   - size: The video's size.
    ///   - model: The model's sizes.
    ///   - demand: What else of the request matters.
    ///   - chunks: The sizes of pieces.
    public init(
        plan: SectionPlan, size: FrameSize, model: ModelSize,
        demand: MemoryDemand = MemoryDemand(), chunks: MemoryChunks = MemoryChunks()
    ) {
        let transformer = model.transformer
        let (width, bytes) = (transformer.hiddenSize, model.transformerBytes)
        let others = model.visionTokens + demand.textTokens
        let tokens = (plan.sections.map { $0.videoTokenCount(size: size) }.max() ?? 0) + others
        let context =
            (plan.sections.map { $0.contextTokenCount(size: size) }.max() ?? 0) + others
        transformerParameters =
            model.transformerWeights ?? transformer.parameterCount * bytes
        transformerLargestWeight = transformer.largestWeight * bytes
        let whole = tokens * width * bytes
        let pieces = 12 * min(chunks.tokens, tokens) * width * bytes
        transformerActivations = max(
            model.normsAreFused ? 6 * whole : 10 * whole, 4 * whole + pieces)
        keptConditions = Self.conditions(plan, tokens, context, model, demand, chunks)
        keptContext =
            2 * context * demand.keptContexts * transformer.blockCount * width * bytes
        textEncoderParameters = model.textEncoderParameters * model.encoderBytes
        visionEncoderParameters = model.visionEncoderParameters * model.encoderBytes
        encoderLargestWeight = 4 * model.encoderLargestWeight
        vaeParameters = model.vaeParameters * model.vaeBytes
        pictureActivations = 4 * 4 * model.vaeChannels * size.height * size.width
        decoderActivations = Self.decoding(plan, size, model, demand.tiling, chunks)
        keptWindows = Self.windows(plan, size, model, demand.tiling)
        // A hundred frames in 4:2:0: those that the encoder looks ahead at, and its references.
        writing = 100 * size.height * size.width * 3 / 2
        latents =
            4 * transformer.latentChannels * plan.latentCount * size.latentHeight
            * size.latentWidth
    }

    private static func conditions(
        _ plan: SectionPlan, _ tokens: Int, _ context: Int, _ model: ModelSize,
        _ demand: MemoryDemand, _ chunks: MemoryChunks
    ) -> Int {
        let transformer = model.transformer
        let rows = demand.steps * demand.branches * max(plan.prompts.count, 1)
        let row =
            3 + 12 * transformer.doubleBlocks + 3 * transformer.singleBlocks + demand.textTokens
        let table = rows * row * transformer.hiddenSize * model.transformerBytes
        let section =
            context * transformer.hiddenSize * model.transformerBytes
            + tokens * transformer.headSize * 4
        return min(table + section, chunks.keptConditions)
    }

    private static func decoding(
        _ plan: SectionPlan, _ size: FrameSize, _ model: ModelSize, _ tiling: VAETiling,
        _ chunks: MemoryChunks
    ) -> Int {
        let height = min(size.height, tiling.height?.size ?? .max)
        let width = min(size.width, tiling.width?.size ?? .max)
        let frames = windowFrames(plan)
        let channel = frames * height * width * model.vaeBytes
        let framed = (frames + 2) * (height + 2) * (width + 2) * model.vaeBytes
        let pieces = 3 * min(chunks.decoding, model.vaeUpsampledChannels * framed)
        let activations =
            model.decodesInPieces
            ? (model.vaeUpsampledChannels + model.vaeChannels) * channel + pieces
            : 13 * model.vaeChannels * channel
        let decoded = plan.sections.map { plan.decodedFrames(after: $0).count }.max() ?? 0
        return activations + 4 * 3 * decoded * size.height * size.width
    }

    private static func windowFrames(_ plan: SectionPlan) -> Int {
        VideoLength.frameCount(latents: min(5, plan.latentCount))
    }

    private static func windows(
        _ plan: SectionPlan, _ size: FrameSize, _ model: ModelSize, _ tiling: VAETiling
    ) -> Int {
        let config = VAEConfig()
        var before: Set<Range<Int>> = []
        var most = 0
        for section in plan.sections {
            let windows = FrameDecoder.windows(of: section, tiling: tiling, config)
            most = max(most, windows.intersection(before).count)
            before = windows
        }
        return most * 3 * windowFrames(plan) * size.height * size.width * model.vaeBytes
    }
}
