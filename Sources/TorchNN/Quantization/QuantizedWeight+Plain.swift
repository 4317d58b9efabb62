import Torch

/// Dequantization by libtorch's operations, on every device: what the kernels are held against.
extension QuantizedWeight {
    /// The weight in float32, `(out, in)`.
    ///
    /// Source: for ggml's blocks the structures `block_q8_0`, `block_q4_K` and `block_q6_K` of
    /// ggml, and their `dequantize_row` functions.
    func plainlyDequantized() throws -> Tensor {
        switch format {
        case .fp8, .int8: try scaled(codes.to(.float32))
        case .int4:
            try scaled(.stack([codes.bits(0..<4), codes.bits(4..<8)], axis: -1).to(.float32) - 8)
        case .q8_0: try blocks(plainQ8)
        case .q4_k: try blocks(plainQ4K)
        case .q6_k: try blocks(plainQ6K)
        }
    }

    private func scaled(_ values: Tensor) throws -> Tensor {
        let values = try values.reshape(shape)
        guard let scales else { return values }
        let groups = try values.unflatten(-1, [scales.dim(1), groupSize])
        return try (groups * scales.to(.float32).unsqueeze(-1)).flatten(1)
    }

    /// Decodes blocks `(n, bytes)` into numbers, n blocks in the order of the weight.
    private func blocks(_ decode: (Tensor) throws -> Tensor) throws -> Tensor {
        try decode(codes.reshape(-1, format.blockBytes)).reshape(shape)
    }

    private func plainQ8(_ blocks: Tensor) throws -> Tensor {
        try blocks.part(2, 32).bitCast(.int8).to(.float32) * blocks.halves(0, 1)
    }

    private func plainQ4K(_ blocks: Tensor) throws -> Tensor {
        let (d, least) = (try blocks.halves(0, 1), try blocks.halves(2, 1))
        let packed = try blocks.part(4, 12)
        let (a, b, c) = (try packed.part(0, 4), try packed.part(4, 4), try packed.part(8, 4))
        // Six bits each; the upper two of the later four lie in the upper bits of the first.
        let scales = try Tensor.cat(
            [a.bits(0..<6), c.bits(0..<4) + a.bits(6..<8).shifted(up: 4)], axis: 1)
        let minima = try Tensor.cat(
            [b.bits(0..<6), c.bits(4..<8) + b.bits(6..<8).shifted(up: 4)], axis: 1)
        let codes = try blocks.part(16, 128).unflatten(1, [4, 1, 32])
        let parts = try Tensor.cat([codes.bits(0..<4), codes.bits(4..<8)], axis: 2)
            .flatten(1, 2).to(.float32)  // (n, 8, 32)
        return try parts * (d * scales.to(.float32)).unsqueeze(-1)
            - (least * minima.to(.float32)).unsqueeze(-1)
    }

    private func plainQ6K(_ blocks: Tensor) throws -> Tensor {
        let low = try blocks.part(0, 128).unflatten(1, [2, 1, 64])
        let high = try blocks.part(128, 64).unflatten(1, [2, 1, 32])
        let scales = try blocks.part(192, 16).bitCast(.int8).to(.float32)
        // Of each half 64 codes in the lower four bits, then 64 in the upper four.
        let lower = try Tensor.cat([low.bits(0..<4), low.bits(4..<8)], axis: 2)
            .reshape(-1, 2, 4, 32)
        let upper = try Tensor.cat(
            [high.bits(0..<2), high.bits(2..<4), high.bits(4..<6), high.bits(6..<8)], axis: 2)
        let codes = try (lower + upper.shifted(up: 4)).to(.float32) - 32
        return try codes.reshape(-1, 16, 16) * (blocks.halves(208, 1) * scales).unsqueeze(-1)
    }
}

extension Tensor {
    /// Some bytes of each row, in memory of their own.
    fileprivate func part(_ start: Int, _ count: Int) throws -> Tensor {
        try narrow(1, start, count).contiguous()
    }

    /// Numbers in half precision among the bytes of each row, as float32.
    fileprivate func halves(_ start: Int, _ count: Int) throws -> Tensor {
        try part(start, 2 * count).bitCast(.float16).to(.float32)
    }
}
