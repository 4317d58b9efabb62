import Torch
import TorchNN

/// How large pieces of a VAE's activations are.
///
/// A convolution takes in a copy of its input with norm, activation and edges applied, and gives out a
/// tensor of its own. Where that copy is larger than a piece, both exist for some rows at a time only,
/// so that a level needs hardly more memory than what its layers hand to each other.
package enum VAEPieces {
    /// Bytes of a piece.
    @TaskLocal package static var bytes = 32 << 20

    /// Gives back what smaller layers have left, before a layer that runs by pieces, where it is more than
    /// the process is to keep.
    static func makeRoom() { TorchLibrary.releaseFreedMemory() }
}

extension CausalConv3d {
    /// The result by pieces of rows; nil where one piece is enough, or ``Kernels`` makes no pieces.
    func inPieces(
        _ x: Tensor, after norm: GroupNorm?, adding residual: Rows?, over place: Tensor?,
        _ pass: VAEPass
    ) throws -> Tensor? {
        guard Kernels.areFused, kernel > 1 else { return nil }
        let rows = rowsOfPiece(x)
        let count = (x.dim(3) - 1) / stride[1] + 1
        guard rows < count else { return nil }
        VAEPieces.makeRoom()
        // Otherwise each piece would copy the whole.
        let x = try x.contiguous(.channelsLast3d)
        let scales = try norm?.scales(of: x)
        guard norm == nil || scales != nil else { return nil }
        let pieces = try PieceFrames(self, x, scales, pass.stream)
        let weight = pieces.isStill ? try stillWeight(x.dtype) : nil
        let ranges = Swift.stride(from: 0, to: count, by: rows).map { $0..<min($0 + rows, count) }
        guard var framed = try pieces.rows(ranges[0]) else { return nil }
        let result = try place ?? resultPlace(x, frames: framed.dim(2), rows: count)
        for (number, range) in ranges.enumerated() {
            try pass.onProgress()
            let added = try residual?(range).contiguous(.channelsLast3d)
            let y: Tensor
            if let weight {
                let plain = try still(framed, weight)
                y = try added.map { try $0 + plain } ?? plain
            } else {
                y = try conv(framed, adding: added)
            }
            // The result may lie where the input does: what the next piece needs of it goes first.
            if number + 1 < ranges.count, let next = try pieces.rows(ranges[number + 1]) {
                framed = next
            }
            try result.narrow(3, range.lowerBound, range.count).copy(from: y)
        }
        pieces.finish()
        return result
    }

    /// Rows of the result that a piece makes.
    private func rowsOfPiece(_ x: Tensor) -> Int {
        let row = (x.dim(2) + kernel - 1) * (x.dim(4) + kernel - 1) * x.dim(0) * x.dim(1)
        let framed = VAEPieces.bytes / max(1, row * x.dtype.size)
        return max(1, (framed - kernel) / stride[1] + 1)
    }

    private func resultPlace(_ x: Tensor, frames: Int, rows: Int) throws -> Tensor {
        let time = x.dim(2) == 1 && frames == 1 ? 1 : (frames - kernel) / stride[0] + 1
        return try .empty(
            [x.dim(0), conv.weight.value.dim(0), time, rows, (x.dim(4) - 1) / stride[2] + 1],
            dtype: x.dtype, device: x.device, layout: .channelsLast3d)
    }
}

/// What a convolution takes in, for some rows of its result.
private final class PieceFrames {
    private let layer: CausalConv3d
    private let x: Tensor
    private let scales: Tensor?
    private let stream: VAEStream?
    /// The last frames of the piece of video before, and those of this one as they come.
    private let tail, nextTail: Tensor?
    private var front: Int { layer.kernel - 1 }
    private var side: Int { layer.kernel / 2 }

    init(_ layer: CausalConv3d, _ x: Tensor, _ scales: Tensor?, _ stream: VAEStream?) throws {
        (self.layer, self.x, self.scales, self.stream) = (layer, x, scales, stream)
        tail = stream?.tail(for: layer)
        let side = layer.kernel / 2
        nextTail =
            stream == nil
            ? nil
            : try .empty(
                [x.dim(0), x.dim(1), layer.kernel - 1, x.dim(3) + 2 * side, x.dim(4) + 2 * side],
                dtype: x.dtype, device: x.device, layout: .channelsLast3d)
    }

    /// Whether there is a single frame, with none before it.
    var isStill: Bool { stream == nil && x.dim(2) == 1 }

    /// The input for rows of the result; nil where no kernel fits.
    func rows(_ range: Range<Int>) throws -> Tensor? {
        let step = layer.stride[1]
        let first = range.lowerBound * step
        let rows = first..<(range.upperBound - 1) * step + layer.kernel
        let framed = try x.fusedFrame(
            scales: scales, front: isStill || tail != nil ? 0 : front, side: side, rows: rows)
        guard var framed else { return nil }
        if let tail { framed = try .cat([tail.narrow(3, first, rows.count), framed], axis: 2) }
        try nextTail?.narrow(3, first, rows.count)
            .copy(from: framed.narrow(2, framed.dim(2) - front, front))
        return framed
    }

    /// Hands the last frames to the next piece of the video.
    func finish() {
        if let nextTail { stream?.keep(nextTail, for: layer) }
    }
}
