public import Torch

/// How strongly a prompt is followed.
public struct Guidance: Equatable, Sendable {
    /// Goes into the network as a number, 1 to 32.
    public var distilledScale: Double
    /// Classifier-free guidance between two passes, 1 to 32; 1 takes one pass.
    public var trueScale: Double
    /// How much of the deviation that true guidance adds is taken back, 0 to 1.
    public var rescale: Double

    /// Makes a guidance; the defaults are the released models'.
    public init(distilledScale: Double = 10, trueScale: Double = 1, rescale: Double = 0) {
        self.distilledScale = distilledScale
        self.trueScale = trueScale
        self.rescale = rescale
    }

    /// Whether a negative prompt takes part.
    public var needsNegative: Bool { trueScale != 1 }

    /// Leads a velocity away from the negative prompt's.
    ///
    /// - Parameters:
    ///   - positive: The prompt's velocity, `(B, C, F, h, w)`.
    ///   - negative: The negative prompt's, in the same shape.
    /// - Returns: `v- + scale (v+ - v-)` in that shape, its deviation drawn towards that of `v+` by
    ///   `rescale`; deviations are those of each sample.
    /// - Throws: `TorchError`, `.outOfMemory` among them.
    ///
    /// Source: arXiv 2207.12598; the rescaling after arXiv 2305.08891, section 3.4.
    public func combined(positive: Tensor, negative: Tensor) throws -> Tensor {
        let guided = try negative + (positive - negative) * trueScale
        guard rescale != 0 else { return guided }
        let axes = Array(1..<positive.rank)
        let wanted = try positive.standardDeviation(axes, keepAxes: true)
        let rescaled = try guided * (wanted / guided.standardDeviation(axes, keepAxes: true))
        return try rescaled * rescale + guided * (1 - rescale)
    }
}
