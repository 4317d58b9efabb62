import Torch
import ToyWorld

/// A picture full of shapes in all colours, on which a VAE soon learns what colours are.
enum Collage {
    private static let count = 8

    /// `(1, 3, 1, S, S)` in [−1, 1]; none of it counts as an object.
    static func picture(side: Int, _ random: inout SplitMix64) throws -> Tensor {
        var pixels = [Float](repeating: 0, count: 3 * side * side)
        func fill(_ colour: [Float], where isInside: (Double, Double) -> Bool) {
            for row in 0..<side {
                for column in 0..<side
                where isInside(Double(column) / Double(side), Double(row) / Double(side)) {
                    for channel in 0..<3 {
                        pixels[(channel * side + row) * side + column] = colour[channel]
                    }
                }
            }
        }
        func colour() -> [Float] { (0..<3).map { _ in Float.random(in: -1...1, using: &random) } }
        fill(colour()) { _, _ in true }
        for _ in 0..<count {
            let radius = Double.random(in: 0.1...0.3, using: &random)
            let x = Double.random(in: 0...1, using: &random)
            let y = Double.random(in: 0...1, using: &random)
            let isRound = Bool.random(using: &random)
            fill(colour()) {
                isRound
                    ? ($0 - x) * ($0 - x) + ($1 - y) * ($1 - y) < radius * radius
                    : abs($0 - x) < radius && abs($1 - y) < radius
            }
        }
        return try Tensor(pixels, [1, 3, 1, side, side])
    }
}
