public import Torch

/// An elementwise product of two products of thin matrices:
/// strength · alpha / rank · x · ((A₁·B₁) ∘ (A₂·B₂))ᵀ.
///
/// The product has the size of the layer's weight and lives for the length of one call.
/// Source: LyCORIS (arXiv:2309.14859), LoHa; FedPara (arXiv:2108.06098), section 2.
public final class HadamardAdapter: LinearAdapter {
    /// A₁ `(out, rank)`, B₁ `(rank, in)`, A₂ `(out, rank)`, B₂ `(rank, in)`.
    public let parameters: [Parameter]
    /// What the product is multiplied by at strength 1: alpha / rank.
    public let scale: Double

    /// Channels that go in.
    public var inputSize: Int { parameters[1].value.dim(1) }
    /// Channels that come out.
    public var outputSize: Int { parameters[0].value.dim(0) }

    /// Takes matrices that are there.
    ///
    /// - Parameters:
    ///   - first: A₁ `(out, rank)` and B₁ `(rank, in)`.
    ///   - second: A₂ and B₂, in shapes that give the same product's shape.
    ///   - scale: alpha / rank.
    public init(
        first: (up: Parameter, down: Parameter), second: (up: Parameter, down: Parameter),
        scale: Double
    ) {
        parameters = [first.up, first.down, second.up, second.down]
        self.scale = scale
    }

    /// What is added for `(…, in)`, at a strength: `(…, out)` in the input's type.
    ///
    /// - Throws: `TorchError` for another last axis, or where memory does not suffice.
    public func callAsFunction(_ x: Tensor, strength: Double) throws -> Tensor {
        let factors = parameters.map(\.value)
        let product = try factors[0].matmul(factors[1]) * factors[2].matmul(factors[3])
        return try x.linear((product * (strength * scale)).to(x.dtype))
    }
}
