import Torch
import TorchNN

/// Boxes of latents as tokens: a convolution whose stride is its kernel.
///
/// The boxes are laid out as rows and multiplied, which is the same sum without a convolution.
final class PatchEmbedding {
    private let weight, bias: Parameter
    private let kernel: [Int]

    /// Builds it from the convolution's `<name>.weight`, `(C, in, kf, kh, kw)`, and `<name>.bias`.
    init(_ channels: Int, _ size: Int, kernel: [Int], _ weights: Weights) throws {
        let bound = 1 / Double(channels * kernel.reduce(1, *)).squareRoot()
        weight = try weights.parameter("weight", [size, channels] + kernel, .uniform(bound))
        bias = try weights.parameter("bias", [size], .uniform(bound))
        self.kernel = kernel
    }

    /// Maps `(B, in, F, h, w)` to `(B, L, C)`, frames first; edges are filled up by repetition.
    func callAsFunction(_ latents: Tensor) throws -> Tensor {
        let whole = try latents.paddedToMultiples(kernel)
        let (shape, box) = (whole.shape, kernel)
        let grid = [shape[2] / box[0], shape[3] / box[1], shape[4] / box[2]]
        let rows = try whole.reshape(
            shape[0], shape[1], grid[0], box[0], grid[1], box[1], grid[2], box[2]
        ).permute(0, 2, 4, 6, 1, 3, 5, 7).reshape(
            shape[0], grid.reduce(1, *), shape[1] * box.reduce(1, *))
        return try rows.linear(weight.value(as: rows.dtype).flatten(1), bias.value(as: rows.dtype))
    }
}
