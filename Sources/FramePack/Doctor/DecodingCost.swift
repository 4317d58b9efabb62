public import Models

/// What decoding costs in arithmetic, in the reference's overlapping windows.
public struct DecodingCost: Equatable, Sendable {
    /// Operations of convolutions for a frame of the video.
    public let convolutionPerFrame: Double
    /// Operations of attention for a frame of the video.
    public let attentionPerFrame: Double

    /// Counts the windows that a run decodes, each once, where the run before it did not.
    ///
    /// - Parameters:
    ///   - plan: The sections of the video; the longer it is, the less its ends count.
    ///   - size: The video's size.
    public init(_ config: VAEConfig, plan: SectionPlan, size: FrameSize) {
        var (convolution, attention) = (0.0, 0.0)
        var before: Set<Range<Int>> = []
        for section in plan.sections {
            let windows = FrameDecoder.windows(of: section, tiling: .reference, config)
            for window in windows.subtracting(before) {
                let cost = config.decodingOperations(
                    latents: window.count, height: size.latentHeight, width: size.latentWidth)
                convolution += cost.convolution
                attention += cost.attention
            }
            before = windows
        }
        convolutionPerFrame = convolution / Double(plan.frameCount)
        attentionPerFrame = attention / Double(plan.frameCount)
    }

    /// A minute of the released model at 608 x 640 in its own order.
    ///
    /// - Throws: Nothing that a valid plan can cause.
    public static func released() throws -> DecodingCost {
        let plan = try SectionPlan(
            order: .inverted, length: .seconds(60), timeline: PromptTimeline("video"))
        return DecodingCost(
            VAEConfig(), plan: plan, size: FrameSize(height: 640, width: 608))
    }
}
