import Torch

/// Cosines and sines by which pairs of neighbouring channels turn, `(B, L, 1, D/2, 2)` in float32.
///
/// A pair is a complex number, and a turn multiplies it by cosine + i · sine.
struct VideoPhases {
    /// The cosine, then the sine of each pair.
    let phases: Tensor

    private init(_ phases: Tensor) { self.phases = phases }

    /// From one value for each pair, `(B, L, 1, D/2)`.
    init(cosines: Tensor, sines: Tensor) throws {
        self.init(try Tensor.stack([cosines, sines], axis: -1))
    }

    /// How many tokens have phases.
    var count: Int { phases.dim(1) }

    /// Turns neighbouring channels of the first L tokens of `(B, N, H, D)`; the rest stay.
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        let total = x.dim(1)
        guard count < total else { return try turn(x) }
        return try .cat([turn(x.narrow(1, 0, count)), x.narrow(1, count, total - count)], axis: 1)
    }

    private func turn(_ x: Tensor) throws -> Tensor {
        let pairs = try x.to(.float32).unflatten(-1, [-1, 2])
        return try pairs.complexProduct(phases).flatten(-2).to(x.dtype)
    }

    /// Phases of token runs, one after the other.
    static func joined(_ parts: [VideoPhases]) throws -> VideoPhases {
        guard parts.count > 1 else { return parts[0] }
        return VideoPhases(try .cat(parts.map(\.phases), axis: 1))
    }

    /// The phases of the last tokens alone.
    func suffix(_ length: Int) throws -> VideoPhases {
        VideoPhases(try phases.narrow(1, count - length, length))
    }

    /// The phases of one sample for each of `batch`; those of a whole batch stay.
    func repeated(_ batch: Int) throws -> VideoPhases {
        guard phases.dim(0) < batch else { return self }
        return VideoPhases(try phases.expand([batch, -1, -1, -1, -1]))
    }

    /// Cosines and sines of each channel, `(B, L, 2·D)`.
    func rows() throws -> Tensor {
        let parts = try [0, 1].map { try phases.select(-1, $0).repeatInterleaved(2, axis: -1) }
        return try Tensor.cat(parts, axis: -1).squeeze(2)
    }
}

/// Rotary positions of video tokens along time, height and width.
///
/// Time is the frame's index in the video, so that skipped frames keep their place; height and
/// width count patches from 0. Source: RoFormer (arXiv:2104.09864), in three axes; for compressed
/// history, FramePack (arXiv:2504.12626), section 3.2, and the official repository.
struct RotaryEmbedding {
    let axes: [Int]
    let base: Double

    init(_ config: TransformerConfig) { (axes, base) = (config.rotaryAxes, config.rotaryBase) }

    /// What one token stands for, in frames and patches.
    struct Box {
        let frames, rows, columns: Int
        /// Whether it ends where the frames do; otherwise they are filled up with their edges.
        var isCut = false

        /// One patch.
        static let patch = Box(frames: 1, rows: 1, columns: 1)
        /// All patches of all frames.
        static let everything = Box(frames: .max, rows: .max, columns: .max, isCut: true)

        /// Its sides over a volume of frames and patches.
        func sides(in volume: [Int]) -> [Int] {
            let sides = [frames, rows, columns]
            return isCut ? zip(sides, volume).map { min($0, $1) } : sides
        }
    }

    /// Phases of the patches of whole frames.
    ///
    /// - Parameters:
    ///   - indices: The frames' indices, `(B, F)` in float32.
    ///   - grid: Patches along height and width.
    ///   - box: What one token stands for. Cosines and sines are averaged over each box, the last
    ///     box filled up with its edge.
    func callAsFunction(_ indices: Tensor, grid: (height: Int, width: Int), box: Box) throws
        -> VideoPhases
    {
        let device = indices.device
        let rows = try Tensor.arange(0, Double(grid.height), device: device)
        let columns = try Tensor.arange(0, Double(grid.width), device: device)
        let angles = [
            try angle(indices, axes[0]).unsqueeze(2).unsqueeze(2),
            try angle(rows.unsqueeze(0), axes[1]).unsqueeze(1).unsqueeze(3),
            try angle(columns.unsqueeze(0), axes[2]).unsqueeze(1).unsqueeze(1),
        ]
        let volume = [indices.dim(0), indices.dim(1), grid.height, grid.width, -1]
        func tokens(_ wave: (Tensor) throws -> Tensor) throws -> Tensor {
            let whole = try Tensor.cat(angles.map { try wave($0).expand(volume) }, axis: -1)
            return try pooled(whole, box).flatten(1, 3).unsqueeze(2)
        }
        return try VideoPhases(
            cosines: tokens { try $0.cos() }, sines: tokens { try $0.sin() })
    }

    /// Angles of positions `(B, n)`, one for each pair of channels: `(B, n, channels/2)`.
    private func angle(_ positions: Tensor, _ channels: Int) throws -> Tensor {
        let exponents =
            try Tensor.arange(0, Double(channels), step: 2, device: positions.device)
            / Double(channels)
        let rates = try Tensor.pow(base, exponents).reciprocal()
        return try positions.unsqueeze(-1) * rates
    }

    /// Means over boxes of `(B, F, h, w, C)`.
    private func pooled(_ volume: Tensor, _ box: Box) throws -> Tensor {
        let sides = box.sides(in: Array(volume.shape[1...3]))
        guard sides != [1, 1, 1] else { return volume }
        return try volume.permute(0, 4, 1, 2, 3).boxMeans(sides).permute(0, 2, 3, 4, 1)
    }
}

extension Tensor {
    /// Means over boxes of `(B, C, F, h, w)`, the last ones filled up with their far edges.
    func boxMeans(_ box: [Int]) throws -> Tensor {
        try paddedToMultiples(box).averagePool3d(box)
    }

    /// Fills `(B, C, F, h, w)` up with its far edges until each box fits a whole number of times.
    func paddedToMultiples(_ box: [Int]) throws -> Tensor {
        let missing = zip(shape.suffix(3), box).map { ($1 - $0 % $1) % $1 }
        guard missing.contains(where: { $0 > 0 }) else { return self }
        return try pad([0, missing[2], 0, missing[1], 0, missing[0]], .replicate)
    }
}
