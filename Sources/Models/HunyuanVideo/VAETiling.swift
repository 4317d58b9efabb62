import Torch

/// Into which tiles a VAE cuts its input, and how they overlap.
///
/// Tiles are blended linearly where they overlap. Each tile is encoded or decoded alone, so the
/// result depends on the plan: the reference's numbers need the reference's plan.
/// Source: diffusers `AutoencoderKLHunyuanVideo`, tiled and temporally tiled forms.
public struct VAETiling: Sendable, Equatable, Codable {
    /// The length of tiles along one axis and the distance between their beginnings.
    public struct Axis: Sendable, Equatable, Codable {
        /// Length, in pixels or frames.
        public var size: Int
        /// Distance, in pixels or frames; at most the length.
        public var stride: Int

        /// Makes an axis's plan.
        public init(size: Int, stride: Int) { (self.size, self.stride) = (size, stride) }

        func divided(by factor: Int) -> Axis { Axis(size: size / factor, stride: stride / factor) }
    }

    /// Temporal tiles, in frames; nil for none.
    ///
    /// A tile has one frame more than its size.
    public var frames: Axis?
    /// Tiles along the height, in pixels; nil for no spatial tiles.
    public var height: Axis?
    /// Tiles along the width, in pixels; nil for no spatial tiles.
    public var width: Axis?

    /// Makes a plan.
    public init(frames: Axis? = nil, height: Axis? = nil, width: Axis? = nil) {
        (self.frames, self.height, self.width) = (frames, height, width)
    }

    /// What the reference does on every machine: windows of 16 frames every 12.
    public static let reference = VAETiling(frames: Axis(size: 16, stride: 12))
    /// What the reference does on small cards too: tiles of 256 pixels every 192.
    public static let referenceSpatial = VAETiling(
        frames: Axis(size: 16, stride: 12), height: Axis(size: 256, stride: 192),
        width: Axis(size: 256, stride: 192))
    /// One piece.
    public static let none = VAETiling()

    /// Calls `run` on tiles of a video `(B, 3, N, H, W)` and joins the results.
    func encode(_ video: Tensor, _ config: VAEConfig, _ run: (Tensor) throws -> Tensor) throws
        -> Tensor
    {
        let space = config.spatialCompressionRatio
        let time = config.temporalCompressionRatio
        func encodePiece(_ piece: Tensor) throws -> Tensor {
            try inSpace(piece, input: 1, output: space, run)
        }
        guard let frames, video.dim(2) > frames.size else { return try encodePiece(video) }
        return try inTime(
            video, input: frames, output: frames.divided(by: time),
            total: config.latentFrames(video.dim(2))
        ) { piece, _ in try encodePiece(piece) }
    }

    /// Calls `run` on tiles of latents `(B, C, F, h, w)` and joins the results.
    func decode(
        _ latents: Tensor, _ config: VAEConfig,
        _ window: ((Range<Int>, () throws -> Tensor) throws -> Tensor)?,
        _ run: (Tensor) throws -> Tensor
    ) throws -> Tensor {
        let space = config.spatialCompressionRatio
        let time = config.temporalCompressionRatio
        func decodePiece(_ piece: Tensor, _ range: Range<Int>) throws -> Tensor {
            func decoded() throws -> Tensor {
                try inSpace(piece, input: space, output: 1, run)
            }
            return try window?(range, decoded) ?? decoded()
        }
        guard let frames, latents.dim(2) > frames.size / time else {
            return try decodePiece(latents, 0..<latents.dim(2))
        }
        return try inTime(
            latents, input: frames.divided(by: time), output: frames,
            total: config.frames(latents: latents.dim(2)), decodePiece)
    }

    /// The ranges of latents that are decoded as one piece each.
    ///
    /// - Parameter latentCount: Latents of what is decoded.
    public func windows(latentCount: Int, _ config: VAEConfig) -> [Range<Int>] {
        guard let axis = frames?.divided(by: config.temporalCompressionRatio),
            latentCount > axis.size
        else { return [0..<latentCount] }
        return stride(from: 0, to: latentCount, by: axis.stride).map {
            $0..<min($0 + axis.size + 1, latentCount)
        }
    }

    /// Windows in time: each has one frame more than its size, and all but the first drop it.
    private func inTime(
        _ x: Tensor, input: Axis, output: Axis, total: Int,
        _ run: (Tensor, Range<Int>) throws -> Tensor
    ) throws -> Tensor {
        var parts: [Tensor] = []
        var before: Tensor?
        for start in Swift.stride(from: 0, to: x.dim(2), by: input.stride) {
            let end = min(start + input.size + 1, x.dim(2))
            var part = try run(x.narrow(2, start, end - start), start..<end)
            if let before {
                part = try part.narrow(2, 1, part.dim(2) - 1)
                part = try part.blended(after: before, axis: 2, output.size - output.stride)
            }
            let kept = min(output.stride + (before == nil ? 1 : 0), part.dim(2))
            parts.append(try part.narrow(2, 0, kept))
            before = part
        }
        let whole = try Tensor.cat(parts, axis: 2)
        return try whole.narrow(2, 0, min(total, whole.dim(2)))
    }

    /// Tiles in space; `input` and `output` say how many pixels one element stands for.
    private func inSpace(
        _ x: Tensor, input: Int, output: Int, _ run: (Tensor) throws -> Tensor
    ) throws -> Tensor {
        guard let down = height?.divided(by: input), let across = width?.divided(by: input),
            x.dim(3) > down.size || x.dim(4) > across.size
        else { return try run(x) }
        let outDown = (height ?? down).divided(by: output)
        let outAcross = (width ?? across).divided(by: output)
        var rows: [Tensor] = []
        var above: [Tensor] = []
        for top in Swift.stride(from: 0, to: x.dim(3), by: down.stride) {
            let band = try x.narrow(3, top, min(down.size, x.dim(3) - top))
            var row: [Tensor] = []
            for left in Swift.stride(from: 0, to: x.dim(4), by: across.stride) {
                var tile = try run(band.narrow(4, left, min(across.size, x.dim(4) - left)))
                if row.count < above.count {
                    tile = try tile.blended(
                        after: above[row.count], axis: 3, outDown.size - outDown.stride)
                }
                if let beside = row.last {
                    tile = try tile.blended(
                        after: beside, axis: 4, outAcross.size - outAcross.stride)
                }
                row.append(tile)
            }
            rows.append(
                try .cat(
                    row.map { tile in
                        try tile.narrow(3, 0, min(outDown.stride, tile.dim(3)))
                            .narrow(4, 0, min(outAcross.stride, tile.dim(4)))
                    }, axis: 4))
            above = row
        }
        let whole = try Tensor.cat(rows, axis: 3)
        return try whole.narrow(3, 0, min(x.dim(3) * input / output, whole.dim(3)))
            .narrow(4, 0, min(x.dim(4) * input / output, whole.dim(4)))
    }
}

extension Tensor {
    /// This tile with its first slices faded in over the last slices of the tile before it.
    fileprivate func blended(after before: Tensor, axis: Int, _ extent: Int) throws -> Tensor {
        let extent = Swift.min(extent, before.dim(axis), dim(axis))
        guard extent > 0 else { return self }
        var shape = [Int](repeating: 1, count: rank)
        shape[axis] = extent
        let weight = try (Tensor.arange(0, Double(extent), device: device) / Double(extent))
            .reshape(shape).to(dtype)
        let old = try before.narrow(axis, before.dim(axis) - extent, extent)
        let new = try narrow(axis, 0, extent)
        let faded = try old * (1 - weight) + new * weight
        return try .cat([faded, narrow(axis, extent, dim(axis) - extent)], axis: axis)
    }
}
