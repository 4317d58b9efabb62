import Torch
import TorchNN

/// What adaptive normalisation gives one branch; each part is `(B, 1, C)`.
struct Modulation {
    let shift, factor, gate: Tensor

    /// Normalises tokens, `(B, L, C)`, then scales and shifts them.
    func callAsFunction(_ x: Tensor, _ norm: LayerNorm) throws -> Tensor {
        try norm(x, factor: factor, shift: shift)
    }

    /// Adds a branch's result to what it branched off from, both `(B, L, C)`.
    func add(_ branch: Tensor, to x: Tensor) throws -> Tensor { try x.addProduct(branch, gate) }
}

/// Shift, scale and gate of each branch of a block, from the embedded conditions.
///
/// Fresh weights are zero, so that a fresh block passes its input on. Source: DiT
/// (arXiv:2212.09748), section 3.2, adaLN-Zero.
final class AdaLayerNormZero {
    let linear: Linear
    private let branchCount: Int

    init(_ size: Int, branchCount: Int, _ weights: Weights) throws {
        self.branchCount = branchCount
        linear = try Linear(size, 3 * branchCount * size, zero: true, weights["linear"])
    }

    /// The modulation of each branch for the conditions of a pass.
    func callAsFunction(_ conditions: BlockConditions) throws -> [Modulation] {
        let parts = try conditions.modulation(linear).unsqueeze(1)
            .chunk(3 * branchCount, axis: -1)
        return try (0..<branchCount).map { branch in
            Modulation(
                shift: parts[3 * branch], factor: try parts[3 * branch + 1] + 1,
                gate: parts[3 * branch + 2])
        }
    }
}

/// The last normalisation, whose scale comes before its shift.
final class AdaLayerNormContinuous {
    let linear: Linear
    private let norm: LayerNorm

    init(_ size: Int, _ weights: Weights) throws {
        linear = try Linear(size, 2 * size, zero: true, weights["linear"])
        norm = LayerNorm(size)
    }

    /// Normalises `(B, L, C)` under the conditions of a pass.
    func callAsFunction(_ x: Tensor, _ conditions: BlockConditions) throws -> Tensor {
        let parts = try conditions.modulation(linear).unsqueeze(1).chunk(2, axis: -1)
        return try norm(x, factor: parts[0] + 1, shift: parts[1])
    }
}
