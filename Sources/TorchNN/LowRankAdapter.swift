public import Torch

/// A product of two thin matrices: strength · alpha / rank · (x · downᵀ) · upᵀ.
///
/// Source: LoRA (arXiv:2106.09685), section 4.1.
public final class LowRankAdapter: LinearAdapter {
    /// A: `(rank, in)`.
    public let down: Parameter
    /// B: `(out, rank)`.
    public let up: Parameter
    /// What stands above the rank in the factor.
    public let alpha: Double

    /// How many directions there are.
    public var rank: Int { down.value.dim(0) }
    /// What the product is multiplied by at strength 1: alpha / rank.
    public var scale: Double { alpha / Double(max(rank, 1)) }
    /// Channels that go in.
    public var inputSize: Int { down.value.dim(1) }
    /// Channels that come out.
    public var outputSize: Int { up.value.dim(0) }
    /// `down`, then `up`.
    public var parameters: [Parameter] { [down, up] }

    /// Takes matrices that are there.
    ///
    /// - Parameters:
    ///   - down: A, `(rank, in)`.
    ///   - up: B, `(out, rank)`.
    ///   - alpha: What stands above the rank in the factor; the rank, for a factor of 1, if nil.
    public init(down: Parameter, up: Parameter, alpha: Double? = nil) {
        (self.down, self.up) = (down, up)
        self.alpha = alpha ?? Double(down.value.dim(0))
    }

    /// Builds an adapter from its weights, `lora_A.weight` and `lora_B.weight`.
    ///
    /// Fresh ones add nothing: A is drawn evenly within ± 1/√in, B is zeros.
    ///
    /// - Parameters:
    ///   - inputSize: Channels that go in.
    ///   - outputSize: Channels that come out.
    ///   - rank: How many directions there are, 1 or more.
    ///   - alpha: What stands above the rank in the factor.
    /// - Throws: What the weights' source throws for a missing or misshapen weight.
    public convenience init(
        _ inputSize: Int, _ outputSize: Int, rank: Int, alpha: Double, _ weights: Weights
    ) throws {
        let bound = 1 / Double(inputSize).squareRoot()
        self.init(
            down: try weights.parameter("lora_A.weight", [rank, inputSize], .uniform(bound)),
            up: try weights.parameter("lora_B.weight", [outputSize, rank], .zeros), alpha: alpha)
    }

    /// What is added for `(…, in)`, at a strength: `(…, out)` in the input's type.
    ///
    /// - Throws: `TorchError` for another last axis, or where memory does not suffice.
    public func callAsFunction(_ x: Tensor, strength: Double) throws -> Tensor {
        // The factor meets the thin product, which is the smallest thing there is.
        try (x.linear(down.value(as: x.dtype)) * (strength * scale)).linear(up.value(as: x.dtype))
    }
}
