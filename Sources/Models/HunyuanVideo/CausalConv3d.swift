import Torch
import TorchNN

/// A convolution that sees this frame and earlier ones, edges replicated.
///
/// Source: diffusers `HunyuanVideoCausalConv3d`.
final class CausalConv3d {
    /// Gives rows of a tensor, `(B, C, F, rows, w)`.
    typealias Rows = (Range<Int>) throws -> Tensor

    let conv: Conv3d
    let kernel: Int
    let stride: [Int]

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

    /// Convolves `(B, C, F, h, w)`, piece by piece where it is large.
    ///
    /// - Parameters:
    ///   - norm: Goes before, with SiLU, if there is one.
    ///   - residual: Rows of what is added to the result.
    ///   - place: A tensor of the result's shape that nothing else needs any more, the input or what
    ///     is added among them: a result that is made piece by piece takes its place.
    func callAsFunction(
        _ x: Tensor, after norm: GroupNorm? = nil, adding residual: Rows? = nil,
        over place: Tensor? = nil, _ pass: VAEPass
    ) throws -> Tensor {
        try pass.onProgress()
        if let y = try inPieces(x, after: norm, adding: residual, over: place, pass) { return y }
        let residual = try residual?(0..<x.dim(3))
        guard kernel > 1 else { return try conv(norm?(x).silu() ?? x, adding: residual) }
        let (front, side) = (kernel - 1, kernel / 2)
        if let stream = pass.stream {
            let framed = try x.framed(after: norm, front: 0, side: side)
            return try conv(
                stream.joined(framed, for: self, count: front), adding: residual)
        }
        if x.dim(2) == 1 {
            let y = try still(x.framed(after: norm, front: 0, side: side), stillWeight(x.dtype))
            return try residual.map { try $0 + y } ?? y
        }
        return try conv(x.framed(after: norm, front: front, side: side), adding: residual)
    }

    /// The convolution of a single frame `(B, C, 1, h, w)` with its edges.
    func still(_ framed: Tensor, _ weight: Tensor) throws -> Tensor {
        try framed.squeeze(2)
            .conv2d(weight, conv.bias.value(as: framed.dtype), stride: Array(stride[1...]))
            .unsqueeze(2)
    }

    /// A single frame meets every time tap in the same way, so their sum does the work of all.
    func stillWeight(_ dtype: DType) throws -> Tensor {
        try conv.weight.value.to(.float32).sum([2]).to(dtype)
    }
}

extension Tensor {
    /// `(B, C, F, h, w)` with edges replicated, after a norm and SiLU if there is a norm.
    ///
    /// - Parameters:
    ///   - front: Frames in front.
    ///   - side: Pixels on each side.
    func framed(after norm: GroupNorm?, front: Int, side: Int) throws -> Tensor {
        if let norm { return try norm.activated(self, front: front, side: side) }
        if let framed = try fusedFrame(nil, front: front, side: side) { return framed }
        return try pad([side, side, side, side, front, 0], .replicate)
    }
}
