public import Models

/// What a generation will need in memory, in bytes, by arithmetic alone.
///
/// - Transformer: its parameters, and for N tokens of width C the single block's tensors, which are
///   the largest: x, its modulated form, q, k, v, attention's result, the feed-forward layer (4C)
///   and both joined (5C), 15 N C numbers in all. Attention itself keeps nothing of size N squared.
/// - Decoder: its parameters, and what its last level holds of the 17 frames of a window of 5 latents,
///   or of a tile of 256 x 256 pixels of them: the channels that the level begins with and those of
///   its result, and three pieces of 64 MiB, on a CPU; elsewhere 13 times the result. In float32 the
///   pixels of a section, which are joined while the next window is decoded.
/// - Kept context (`--context-refresh`): for each block and branch, keys and values of the tokens of
///   history, picture and text, 2 C numbers a token.
/// - Latents: 16 channels in f32 for the whole video, of which long ones keep a part.
public struct MemoryEstimate: Equatable, Codable, Sendable {
    /// The transformer's parameters.
    public let transformerParameters: Int
    /// The transformer's activations in the largest section.
    public let transformerActivations: Int
    /// Keys and values of the context that are kept between steps.
    public let keptContext: Int
    /// The text and vision encoders' parameters.
    public let encoderParameters: Int
    /// The VAE's parameters.
    public let vaeParameters: Int
    /// The decoder's activations.
    public let decoderActivations: Int
    /// The latents of the whole video.
    public let latents: Int

    /// The peak with everything loaded at once.
    public var peakAllLoaded: Int {
        transformerParameters + encoderParameters + vaeParameters + latents
            + max(transformerActivations + keptContext, decoderActivations)
    }

    /// The peak with one network loaded at a time.
    public var peakOneAtATime: Int {
        let stages = [
            encoderParameters, transformerParameters + transformerActivations + keptContext,
            vaeParameters + decoderActivations,
        ]
        return latents + (stages.max() ?? 0)
    }

    /// Estimates the memory of a plan.
    ///
    /// - Parameters:
    ///   - plan: The plan.
    ///   - size: The video's size.
    ///   - model: The model's sizes.
    ///   - textTokens: Tokens of the prompt, 512 at most in the released models.
    ///   - keptContexts: Branches of guidance that keep keys and values of the context.
    ///   - tiling: The tiles in which the VAE decodes.
    public init(
        plan: SectionPlan, size: FrameSize, model: ModelSize, textTokens: Int = 512,
        keptContexts: Int = 0, tiling: VAETiling = .reference
    ) {
        let videoTokens = plan.sections.map {
            $0.videoTokenCount(size: size)
        }
        let tokens = (videoTokens.max() ?? 0) + model.visionTokens + textTokens
        transformerParameters =
            model.transformerWeights
            ?? model.transformer.parameterCount * model.transformerBytes
        transformerActivations =
            15 * tokens * model.transformer.hiddenSize * model.transformerBytes
        let contextTokens =
            (plan.sections.map { $0.contextTokenCount(size: size) }.max() ?? 0)
            + model.visionTokens + textTokens
        keptContext =
            2 * contextTokens * keptContexts * model.transformer.blockCount
            * model.transformer.hiddenSize * model.transformerBytes
        encoderParameters =
            (model.textEncoderParameters + model.visionEncoderParameters) * model.encoderBytes
        vaeParameters = model.vaeParameters * model.vaeBytes
        decoderActivations = Self.decoding(plan, size, model, tiling)
        latents =
            4 * model.transformer.latentChannels * plan.latentCount * size.latentHeight
            * size.latentWidth
    }

    private static func decoding(
        _ plan: SectionPlan, _ size: FrameSize, _ model: ModelSize, _ tiling: VAETiling
    ) -> Int {
        let height = min(size.height, tiling.height?.size ?? .max)
        let width = min(size.width, tiling.width?.size ?? .max)
        let frames = VideoLength.frameCount(latents: min(5, plan.latentCount))
        let channel = frames * height * width * model.vaeBytes
        let framed = (frames + 2) * (height + 2) * (width + 2) * model.vaeBytes
        let pieces = 3 * min(VAEPieces.bytes, model.vaeUpsampledChannels * framed)
        let activations =
            model.decodesInPieces
            ? (model.vaeUpsampledChannels + model.vaeChannels) * channel + pieces
            : 13 * model.vaeChannels * channel
        let decoded = plan.sections.map { plan.decodedFrames(after: $0).count }.max() ?? 0
        return activations + 4 * 3 * decoded * size.height * size.width
    }
}
