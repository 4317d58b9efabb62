import Torch
import TorchNN

/// A convolution that sees this frame and earlier ones, edges replicated.
///
/// Source: diffusers `HunyuanVideoCausalConv3d`.
final class CausalConv3d {
    let conv: Conv3d
    private let kernel: Int

    init(
        _ inputSize: Int, _ outputSize: Int, kernel: Int = 3, stride: [Int] = [1, 1, 1],
        _ weights: Weights
    ) throws {
        self.kernel = kernel
        conv = try Conv3d(
            inputSize, outputSize, kernel: [kernel, kernel, kernel], stride: stride,
            weights["conv"])
    }

    /// Convolves `(B, C, F, h, w)`.
    func callAsFunction(_ x: Tensor, _ stream: VAEStream? = nil) throws -> Tensor {
        guard kernel > 1 else { return try conv(x) }
        let side = kernel / 2
        if let stream {
            let joined = try stream.joined(x, for: self, count: kernel - 1)
            return try conv(joined.pad([side, side, side, side, 0, 0], .replicate))
        }
        return try conv(x.pad([side, side, side, side, kernel - 1, 0], .replicate))
    }
}
