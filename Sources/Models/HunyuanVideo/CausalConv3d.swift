import Torch
import TorchNN

/// A convolution that sees this frame and earlier ones, edges replicated.
///
/// Source: diffusers `HunyuanVideoCausalConv3d`.
final class CausalConv3d {
    let conv: Conv3d
    private let kernel: Int
    private let stride: [Int]

    init(
        _ inputSize: Int, _ outputSize: Int, kernel: Int = 3, stride: [Int] = [1, 1, 1],
        _ weights: Weights
    ) throws {
        self.kernel = kernel
        self.stride = stride
        conv = try Conv3d(
            inputSize, outputSize, kernel: [kernel, kernel, kernel], stride: stride,
            weights["conv"])
    }

    /// Convolves `(B, C, F, h, w)`.
    func callAsFunction(_ x: Tensor, _ pass: VAEPass = VAEPass()) throws -> Tensor {
        try pass.onProgress()
        guard kernel > 1 else { return try conv(x) }
        let side = kernel / 2
        if let stream = pass.stream {
            let joined = try stream.joined(x, for: self, count: kernel - 1)
            return try conv(joined.pad([side, side, side, side, 0, 0], .replicate))
        }
        if x.dim(2) == 1 { return try still(x, side) }
        return try conv(x.pad([side, side, side, side, kernel - 1, 0], .replicate))
    }

    /// A single frame meets every time tap in the same way, so their sum does the work of all.
    private func still(_ x: Tensor, _ side: Int) throws -> Tensor {
        let weight = try conv.weight.value.sum([2]).to(x.dtype)
        let padded = try x.pad([side, side, side, side, 0, 0], .replicate).squeeze(2)
        return try padded.conv2d(weight, conv.bias.value(as: x.dtype), stride: Array(stride[1...]))
            .unsqueeze(2)
    }
}
