public import Torch

/// Which format a weight is turned into, and how many columns share a scale.
public enum QuantizationTarget: String, CaseIterable, Sendable, Codable {
    /// fp8 with a scale for each row.
    case fp8
    /// fp8 with a scale for each 64 columns.
    case fp8Block = "fp8-block"
    /// int8 with a scale for each row.
    case int8
    /// int4 with a scale for each 64 columns.
    case int4
    /// ggml's Q8_0.
    case q8_0
    /// ggml's Q4_K.
    case q4_k
    /// ggml's Q6_K.
    case q6_k

    /// How the codes are stored.
    public var format: QuantizedFormat {
        switch self {
        case .fp8, .fp8Block: .fp8
        case .int8: .int8
        case .int4: .int4
        case .q8_0: .q8_0
        case .q4_k: .q4_k
        case .q6_k: .q6_k
        }
    }

    /// Bytes of a weight `(out, in)`, scales and all.
    package func byteCount(rows: Int, columns: Int) -> Int {
        let codes = rows * columns / format.blockSize * format.blockBytes
        let scales: Int =
            switch self {
            case .fp8, .int8: 4 * rows
            case .fp8Block: 4 * rows * columns / groupSize
            case .int4: 2 * rows * columns / groupSize
            case .q8_0, .q4_k, .q6_k: 0
            }
        return codes + scales
    }

    /// Columns that share a scale or a block; 1 where a row's length is free.
    public var groupSize: Int {
        switch self {
        case .fp8, .int8: 1
        case .fp8Block, .int4: 64
        case .q8_0, .q4_k, .q6_k: format.blockSize
        }
    }
}

extension QuantizedWeight {
    /// Rounds a weight.
    ///
    /// Scales are chosen so that the squares of the errors are smallest where a format has few
    /// codes (int4, Q4_K), and else so that the largest number has the largest code.
    ///
    /// - Parameters:
    ///   - name: The full name.
    ///   - weight: `(out, in)`, of a floating type; `in` a multiple of the target's group.
    ///   - target: What it is turned into.
    /// - Throws: `TorchError` for another shape, for numbers that are not finite, or where memory
    ///   does not suffice.
    public convenience init(_ name: String, _ weight: Tensor, as target: QuantizationTarget) throws
    {
        guard weight.rank == 2, weight.dim(1) % target.groupSize == 0, weight.count > 0 else {
            throw TorchError(
                .invalid,
                "\(name): \(target.rawValue) takes (out, in) with a multiple of "
                    + "\(target.groupSize) columns; its shape is \(weight.shape)")
        }
        let wide = try weight.to(.float32)
        guard try wide.isFinite().all().to(.cpu).to(.float32).item() != 0 else {
            throw TorchError(.invalid, "\(name) has numbers that are not finite")
        }
        let (rows, columns) = (weight.dim(0), weight.dim(1))
        func groups(_ size: Int) throws -> Tensor {
            try wide.reshape(rows, columns / size, size)
        }
        let codes: Tensor
        var scales: Tensor?
        switch target {
        case .fp8: (codes, scales) = try quantizedFP8(groups(columns))
        case .fp8Block: (codes, scales) = try quantizedFP8(groups(target.groupSize))
        case .int8: (codes, scales) = try quantizedInt8(groups(columns))
        case .int4: (codes, scales) = try quantizedInt4(groups(target.groupSize))
        case .q8_0: codes = try quantizedQ8(wide.reshape(-1, 32))
        case .q4_k: codes = try quantizedQ4K(wide.reshape(-1, 8, 32))
        case .q6_k: codes = try quantizedQ6K(wide.reshape(-1, 16, 16))
        }
        try self.init(
            name, target.format, shape: weight.shape, codes: codes.reshape(rows, -1),
            scales: scales)
    }
}

/// Zeros replaced by ones, where something is divided by them.
private func divisor(_ x: Tensor) throws -> Tensor {
    try x.filled(1, where: x.equal(0))
}

/// What is nearest to x among whole multiples of a scale, in units of it.
private func rounded(_ x: Tensor, by scale: Tensor, _ range: ClosedRange<Double>) throws -> Tensor {
    try (x / divisor(scale)).round().clamp(min: range.lowerBound, max: range.upperBound)
}

private func quantizedFP8(_ groups: Tensor) throws -> (Tensor, Tensor) {
    // 448 is the largest number of e4m3.
    let scale = try groups.abs().max([-1], keepAxes: true) / 448
    return (try (groups / divisor(scale)).to(.float8e4m3), try scale.squeeze(-1))
}

private func quantizedInt8(_ groups: Tensor) throws -> (Tensor, Tensor) {
    let scale = try groups.abs().max([-1], keepAxes: true) / 127
    return (try rounded(groups, by: scale, -127...127).to(.int8), try scale.squeeze(-1))
}

private func quantizedInt4(_ groups: Tensor) throws -> (Tensor, Tensor) {
    let largest = try groups.abs().max([-1], keepAxes: true) / 7
    // A negative scale gives the code -8 to a positive number.
    let factors = (0...20).map { 0.5 + 0.03 * Double($0) }
    let scale = try best(factors.flatMap { [$0, -$0] }.map { ($0, 0) }) { factor, _ in
        // As it will be stored.
        let scale = try (largest * factor).to(.bfloat16).to(.float32)
        let error = try rounded(groups, by: scale, -8...7) * scale - groups
        return (error, [scale])
    }[0]
    let codes = try rounded(groups, by: scale, -8...7) + 8
    let pairs = try codes.to(.uint8).unflatten(-1, [-1, 2])
    let bytes = try joined([(pairs.select(-1, 0), 0), (pairs.select(-1, 1), 4)])
    return (bytes, try scale.squeeze(-1).to(.bfloat16))
}

/// Of some ways to choose a group's numbers those with the smallest error, group by group.
///
/// - Parameter attempt: The errors `(…, group, columns)` of a way, and its numbers `(…, group, 1)`.
private func best(
    _ ways: [(Double, Double)],
    _ attempt: (Double, Double) throws -> (error: Tensor, numbers: [Tensor])
) throws -> [Tensor] {
    var (least, chosen): (Tensor?, [Tensor]) = (nil, [])
    for way in ways {
        let (difference, numbers) = try attempt(way.0, way.1)
        let error = try difference.square().sum([-1], keepAxes: true)
        guard let known = least else {
            (least, chosen) = (error, numbers)
            continue
        }
        let isBetter = try error.less(known)
        for index in chosen.indices {
            chosen[index] = try isBetter.select(numbers[index], else: chosen[index])
        }
        least = try known.minimum(error)
    }
    return chosen
}

/// Codes put side by side in bytes, each from some bit on.
private func joined(_ parts: [(codes: Tensor, bit: Int)]) throws -> Tensor {
    let moved = try parts.map { try $0.bit == 0 ? $0.codes : $0.codes.shifted(up: $0.bit) }
    return try moved.dropFirst().reduce(moved[0]) { try $0 + $1 }
}

/// Numbers of half precision as bytes, `(n)` as `(n, 2)`.
private func halfBytes(_ x: Tensor) throws -> Tensor {
    try x.reshape(-1, 1).to(.float16).bitCast(.uint8)
}

/// What half precision makes of a number.
private func half(_ x: Tensor) throws -> Tensor { try x.to(.float16).to(.float32) }

private func quantizedQ8(_ blocks: Tensor) throws -> Tensor {
    let scale = try blocks.abs().max([-1], keepAxes: true) / 127
    let codes = try rounded(blocks, by: scale, -127...127).to(.int8).bitCast(.uint8)
    return try .cat([halfBytes(scale), codes], axis: 1)
}

private func quantizedQ4K(_ blocks: Tensor) throws -> Tensor {
    // value = d · scale · code - least · minimum, with codes from 0 to 15 and six bits for both.
    let low = try blocks.min([-1], keepAxes: true).clamp(max: 0)
    let high = try blocks.max([-1], keepAxes: true).clamp(min: 0)
    let factors = (0...6).map { 1 - 0.05 * Double($0) }
    let ways = factors.flatMap { upper in factors.map { lower in (upper, lower) } }
    let chosen = try best(ways) { upper, lower in
        let start = try low * lower
        let step = try (high * upper - start) / 15
        let codes = try rounded(blocks - start, by: step, 0...15)
        let error = try codes * step + start - blocks
        return (error, [step, start])
    }
    let (steps, starts) = (chosen[0], try -chosen[1])  // (n, 8, 1)
    let d = try half(steps.max([1], keepAxes: true) / 63)
    let least = try half(starts.max([1], keepAxes: true) / 63)
    let scales = try rounded(steps, by: d, 0...63)
    let minima = try rounded(starts, by: least, 0...63)
    let codes = try rounded(blocks + least * minima, by: d * scales, 0...15).to(.uint8)
    let pairs = try codes.unflatten(1, [4, 2])  // (n, 4, 2, 32)
    let bytes = try joined([(pairs.select(2, 0), 0), (pairs.select(2, 1), 4)]).flatten(1)
    let (s, m) = (try scales.squeeze(-1).to(.uint8), try minima.squeeze(-1).to(.uint8))
    let (s1, s2) = (try s.narrow(1, 0, 4), try s.narrow(1, 4, 4))
    let (m1, m2) = (try m.narrow(1, 0, 4), try m.narrow(1, 4, 4))
    let first = try joined([(s1, 0), (s2.bits(4..<6), 6)])
    let second = try joined([(m1, 0), (m2.bits(4..<6), 6)])
    let third = try joined([(s2.bits(0..<4), 0), (m2.bits(0..<4), 4)])
    return try Tensor.cat(
        [halfBytes(d), halfBytes(least), first, second, third, bytes], axis: 1)
}

private func quantizedQ6K(_ blocks: Tensor) throws -> Tensor {
    let high = try blocks.max([-1], keepAxes: true)
    let low = try blocks.min([-1], keepAxes: true)
    // The number that lies furthest from zero gets the code -32.
    let furthest = try (-low).less(high).select(high, else: low)
    let steps = try furthest / -32
    let d = try half(steps.abs().max([1], keepAxes: true) / 127)
    let scales = try rounded(steps, by: d, -127...127)
    let codes = try (rounded(blocks, by: d * scales, -32...31) + 32).to(.uint8)
    let parts = try codes.reshape(-1, 2, 4, 32)
    let lower = try parts.bits(0..<4).reshape(-1, 2, 2, 64)
    let fours = try joined([(lower.select(2, 0), 0), (lower.select(2, 1), 4)])
    let upper = try parts.bits(4..<6)
    let twos = try joined((0..<4).map { (try upper.select(2, $0), 2 * $0) })
    let scaleBytes = try scales.squeeze(-1).to(.int8).bitCast(.uint8)
    return try Tensor.cat(
        [fours.flatten(1), twos.flatten(1), scaleBytes, halfBytes(d)], axis: 1)
}
