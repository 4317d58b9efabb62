import Foundation

/// What a step of a transformer costs in arithmetic, and how long a frame takes by that.
///
/// A step over N tokens of width C takes `24 N C^2` operations in the linear layers of each block
/// and `4 N^2 C` in its attention. The released model at 608 x 640 has N = 18,289 (17,500 of video,
/// 729 of vision, 60 of text), C = 3,072 and 60 blocks: 248.5 and 246.6, in all 495 trillion. A
/// section of 25 steps gives 36 frames. What decoding costs is in ``DecodingCost``; the encoders,
/// which run once, are left out.
public struct SpeedPrediction: Codable, Equatable, Sendable {
    /// What is predicted, in words.
    public let model: String
    /// Operations of the linear layers in a step.
    public let linearOperations: Double
    /// Operations of attention in a step.
    public let attentionOperations: Double
    /// Steps of a section.
    public let steps: Int
    /// Frames of a section.
    public let frames: Int
    /// The rates that it is predicted from: device and type.
    public let basis: String
    /// Seconds of a step.
    public let secondsPerStep: Double
    /// Operations of decoding a frame.
    public let decodingOperations: Double
    /// Seconds of decoding a frame.
    public let decodingSeconds: Double
    /// Seconds of a frame of the video, decoding included.
    public let secondsPerFrame: Double

    /// Predicts from the arithmetic and measured rates.
    public init(
        _ cost: StepCost, decoding: DecodingCost, steps: Int, window: Int, rates: ComputeRates
    ) {
        model = cost.model
        (linearOperations, attentionOperations) = (cost.linear, cost.attention)
        self.steps = steps
        frames = window * VideoLength.framesPerLatent
        basis = "\(rates.device) \(rates.dtype)"
        secondsPerStep = cost.linear / rates.matmul + cost.attention / rates.attention
        decodingOperations = decoding.convolutionPerFrame + decoding.attentionPerFrame
        decodingSeconds =
            decoding.convolutionPerFrame / rates.convolution
            + decoding.attentionPerFrame / rates.attention
        secondsPerFrame = secondsPerStep * Double(steps) / Double(frames) + decodingSeconds
    }

    /// The arithmetic of one step.
    public struct StepCost: Equatable, Sendable {
        /// What is counted, in words.
        public let model: String
        /// Operations of the linear layers.
        public let linear: Double
        /// Operations of attention.
        public let attention: Double
        /// All tokens, N.
        public let tokens: Int

        /// Counts a step.
        ///
        /// - Parameters:
        ///   - size: The transformer's sizes.
        ///   - tokens: Video, vision and text tokens together.
        public init(_ model: String, size: TransformerSize, tokens: Int) {
            let blocks = Double(size.doubleBlocks + size.singleBlocks)
            let (n, c) = (Double(tokens), Double(size.hiddenSize))
            (self.model, self.tokens) = (model, tokens)
            linear = 24 * n * c * c * blocks
            attention = 4 * n * n * c * blocks
        }

        /// The released model at 608 x 640 with a prompt of 60 tokens.
        public static let released = StepCost(
            "the released model at 640x608", size: TransformerSize(), tokens: 18_289)
    }
}
