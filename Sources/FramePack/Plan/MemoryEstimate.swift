/// What a generation will need in memory, in bytes, by arithmetic alone.
///
/// - Transformer: its parameters, and for N tokens of width C the single block's tensors, which are
///   the largest: x, its modulated form, q, k, v, attention's result, the feed-forward layer (4C)
///   and both joined (5C), 15 N C numbers in all. Attention itself keeps nothing of size N squared.
/// - Decoder: its parameters, and 13 times the last level's channels for each pixel of the 17
///   frames of a window of 5 latents (measured at 256 x 256: 7.95 GB in f32, 4.42 GB in bf16).
/// - Kept context (`--context-refresh`): for each block and branch, keys and values of the tokens of
///   history, picture and text, 2 C numbers a token.
/// - Latents: 16 channels in f32 for the whole video.
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
    public init(
        plan: SectionPlan, size: FrameSize, model: ModelSize, textTokens: Int = 512,
        keptContexts: Int = 0
    ) {
        let videoTokens = plan.sections.map {
            $0.videoTokenCount(size: size)
        }
        let tokens = (videoTokens.max() ?? 0) + model.visionTokens + textTokens
        let windowFrames = VideoLength.frameCount(latents: min(5, plan.latentCount))
        transformerParameters = model.transformer.parameterCount * model.transformerBytes
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
        decoderActivations =
            13 * model.vaeChannels * windowFrames * size.height * size.width
            * model.vaeBytes
        latents =
            4 * model.transformer.latentChannels * plan.latentCount * size.latentHeight
            * size.latentWidth
    }
}
