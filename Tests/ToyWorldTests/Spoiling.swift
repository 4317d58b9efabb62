import Foundation
import ToyWorld

/// A video blurred by a Gaussian of one pixel, with noise of a standard deviation of 4.
func spoilt(_ video: [UInt8], side: Int, seed: UInt64) -> [UInt8] {
    let weights = [0.0545, 0.2442, 0.4026, 0.2442, 0.0545]
    var random = SplitMix64(seed: seed)
    let frameBytes = 3 * side * side
    var result = video
    var rows = [Double](repeating: 0, count: frameBytes)
    for start in stride(from: 0, to: video.count, by: frameBytes) {
        for index in 0..<frameBytes {
            rows[index] = blurred(index, side: side, alongRows: true, weights) {
                Double(video[start + $0])
            }
        }
        for index in 0..<frameBytes {
            let soft = blurred(index, side: side, alongRows: false, weights) { rows[$0] }
            result[start + index] = UInt8(min(max(soft + 4 * noise(&random) + 0.5, 0), 255))
        }
    }
    return result
}

private func blurred(
    _ index: Int, side: Int, alongRows: Bool, _ weights: [Double], _ value: (Int) -> Double
) -> Double {
    let channel = index % 3
    let column = index / 3 % side
    let row = index / 3 / side
    var sum = 0.0
    for (tap, weight) in weights.enumerated() {
        let nearRow = alongRows ? row : min(max(row + tap - 2, 0), side - 1)
        let nearColumn = alongRows ? min(max(column + tap - 2, 0), side - 1) : column
        sum += weight * value((nearRow * side + nearColumn) * 3 + channel)
    }
    return sum
}

/// About normally distributed: the sum of four uniform numbers, scaled to a deviation of one.
private func noise(_ random: inout SplitMix64) -> Double {
    (0..<4).reduce(0.0) { sum, _ in sum + Double(random.next() >> 11) * 0x1p-53 - 0.5 }
        * 3.0
        .squareRoot()
}
