package import Torch

/// A picture cut into patches at three sizes, with the place and the size of each.
///
/// Source: pyiqa `get_multiscale_patches`; arXiv 2108.05997, section 3.2. Differs: patches that
/// would only pad a row of the batch are left out, since no token looks at them.
package struct MUSIQPatches {
    /// `(B · N, 3, P, P)`, in [-1, 1].
    package let pixels: Tensor
    /// The number of each patch's place in the grid of positions, N.
    package let positions: [Int64]
    /// The number of its size: 0 for the smallest; N.
    package let scales: [Int64]

    /// Cuts pictures `(B, 3, H, W)` in [0, 1].
    package init(_ pictures: Tensor, _ config: MUSIQConfig) throws {
        let input = try (pictures - 0.5) * 2
        let longer = Double(max(input.dim(2), input.dim(3)))
        let resized = try config.longerSides.sorted().map { side in
            let sides = [2, 3].map { axis in
                let ratio = Double(side) / longer
                return max(Int((Double(input.dim(axis)) * ratio).rounded(.toNearestOrEven)), 1)
            }
            return try input.resized(sides, .bicubic)
        }
        var (parts, positions, scales) = ([Tensor](), [Int64](), [Int64]())
        for (scale, picture) in (resized + [input]).enumerated() {
            let (patches, rows, columns) = try Self.cut(picture, side: config.patchSize)
            parts.append(patches)
            let down = Self.hashed(rows, grid: config.gridSize)
            let across = Self.hashed(columns, grid: config.gridSize)
            positions += down.flatMap { row in across.map { row * Int64(config.gridSize) + $0 } }
            scales += [Int64](repeating: Int64(scale), count: rows * columns)
        }
        pixels = try Tensor.cat(parts, axis: 1).flatten(0, 1).contiguous()
        (self.positions, self.scales) = (positions, scales)
    }

    /// Patches `(B, rows · columns, 3, P, P)`, with zeros around so that all are whole.
    private static func cut(_ picture: Tensor, side: Int) throws -> (
        Tensor, rows: Int, columns: Int
    ) {
        let (height, width) = (picture.dim(2), picture.dim(3))
        let (rows, columns) = ((height + side - 1) / side, (width + side - 1) / side)
        let (down, across) = (rows * side - height, columns * side - width)
        let padded = try picture.pad(
            [across / 2, across - across / 2, down / 2, down - down / 2], .constant(0))
        let patches = try padded.reshape(picture.dim(0), 3, rows, side, columns, side)
            .permute(0, 2, 4, 1, 3, 5).reshape(picture.dim(0), rows * columns, 3, side, side)
        return (patches, rows, columns)
    }

    /// Where each of `count` patches in a line falls on the grid: the nearest of its cells.
    static func hashed(_ count: Int, grid: Int) -> [Int64] {
        // In float32, as the reference's interpolation counts.
        let scale = Float(grid) / Float(count)
        return (0..<count).map { min(Int64((Float($0) * scale).rounded(.down)), Int64(grid - 1)) }
    }
}
