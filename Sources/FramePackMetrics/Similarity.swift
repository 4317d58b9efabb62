import Foundation

/// How alike two frames of one size are.
public enum Similarity {
    /// The peak signal-to-noise ratio in dB, 100 at most: 10 log₁₀(255² / mean squared error).
    public static func psnr(_ a: Frame, _ b: Frame) -> Double {
        let sum = zip(a.pixels, b.pixels).reduce(0) {
            let difference = Int($1.0) - Int($1.1)
            return $0 + difference * difference
        }
        guard sum > 0 else { return 100 }
        return min(10 * log10(255 * 255 * Double(a.pixels.count) / Double(sum)), 100)
    }

    /// The structural similarity of two lumas, -1 to 1: the mean over all places at which a
    /// Gaussian window of 11 by 11 pixels fits, or over one window of the picture's size where
    /// that is smaller.
    ///
    /// Source: Wang et al., Image quality assessment: from error visibility to structural
    /// similarity, 2004; deviation 1.5, K₁ = 0.01, K₂ = 0.03, levels to 255.
    public static func ssim(_ a: Plane, _ b: Plane) -> Double {
        precondition(
            a.width == b.width && a.height == b.height, "only planes of one size are compared")
        func filtered(_ product: (Float, Float) -> Float) -> [Double] {
            let values = zip(a.values, b.values).map { product($0.0, $0.1) }
            return Self.filtered(Plane(width: a.width, height: a.height, values: values))
        }
        let maps = [
            filtered { a, _ in a }, filtered { _, b in b }, filtered { a, _ in a * a },
            filtered { _, b in b * b }, filtered { a, b in a * b },
        ]
        let c1 = (0.01 * 255) * (0.01 * 255)
        let c2 = (0.03 * 255) * (0.03 * 255)
        let count = maps[0].count
        let sum = (0..<count).reduce(0.0) { sum, at in
            let (meanA, meanB) = (maps[0][at], maps[1][at])
            let varianceA = maps[2][at] - meanA * meanA
            let varianceB = maps[3][at] - meanB * meanB
            let covariance = maps[4][at] - meanA * meanB
            let likeness = (2 * meanA * meanB + c1) * (2 * covariance + c2)
            let scale = (meanA * meanA + meanB * meanB + c1) * (varianceA + varianceB + c2)
            return sum + likeness / scale
        }
        return sum / Double(count)
    }

    /// The Gaussian mean of every window that fits.
    private static func filtered(_ plane: Plane) -> [Double] {
        let (across, down) = (window(plane.width), window(plane.height))
        let (width, height) = (plane.width - across.count + 1, plane.height - down.count + 1)
        var rows = [Double](repeating: 0, count: width * plane.height)
        for y in 0..<plane.height {
            for x in 0..<width {
                rows[y * width + x] = across.indices.reduce(0.0) {
                    $0 + across[$1] * Double(plane.values[y * plane.width + x + $1])
                }
            }
        }
        return (0..<width * height).map { at in
            down.indices.reduce(0.0) { $0 + down[$1] * rows[at + $1 * width] }
        }
    }

    /// The window's weights along one side, which sum to 1.
    private static func window(_ side: Int) -> [Double] {
        let count = min(side, 11)
        let centre = Double(count - 1) / 2
        let weights = (0..<count).map { exp(-pow(Double($0) - centre, 2) / (2 * 1.5 * 1.5)) }
        let sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }
}
