public import Torch

/// A Kronecker product of two matrices: strength · scale · x · (W₁ ⊗ W₂)ᵀ.
///
/// The product is never built: its factors act one after the other on the input as a table.
/// Source: LyCORIS (arXiv:2309.14859), LoKr.
public final class KroneckerAdapter: LinearAdapter {
    /// W₁ `(a, b)`, the coarse factor.
    public let coarse: Parameter
    /// W₂ `(c, d)`, the fine factor; a·c channels come out, b·d go in.
    public let fine: Parameter
    /// What the product is multiplied by at strength 1.
    public let scale: Double
    /// Which of the a·c outputs are the layer's, in its order.
    public let rows: [Range<Int>]

    /// Channels that go in.
    public var inputSize: Int { coarse.value.dim(1) * fine.value.dim(1) }
    /// Channels that come out.
    public var outputSize: Int { rows.reduce(0) { $0 + $1.count } }
    /// W₁, then W₂.
    public var parameters: [Parameter] { [coarse, fine] }

    /// Takes factors that are there.
    ///
    /// - Parameters:
    ///   - coarse: W₁ `(a, b)`.
    ///   - fine: W₂ `(c, d)`.
    ///   - scale: What the product is multiplied by.
    ///   - rows: Which of the a·c outputs are the layer's, in its order; all if nil.
    public init(coarse: Parameter, fine: Parameter, scale: Double, rows: [Range<Int>]? = nil) {
        (self.coarse, self.fine, self.scale) = (coarse, fine, scale)
        self.rows = rows ?? [0..<coarse.value.dim(0) * fine.value.dim(0)]
    }

    /// What is added for `(…, in)`, at a strength: `(…, out)` in the input's type.
    ///
    /// - Throws: `TorchError` for another last axis, or where memory does not suffice.
    public func callAsFunction(_ x: Tensor, strength: Double) throws -> Tensor {
        let table = try x.unflatten(-1, [coarse.value.dim(1), fine.value.dim(1)])  // (…, b, d)
        let halfway = try (table * (strength * scale)).linear(fine.value(as: x.dtype))
        let y = try halfway.transpose(-1, -2).linear(coarse.value(as: x.dtype))  // (…, c, a)
            .transpose(-1, -2).flatten(-2)
        guard rows != [0..<y.dim(-1)] else { return y }
        return try .cat(rows.map { try y.narrow(-1, $0.lowerBound, $0.count) }, axis: -1)
    }
}
