/// Measures of single frames and of pairs of them.
///
/// Levels are 0 to 255.
public enum FrameMeasures {
    /// The variance of the Laplacian (the four neighbours less four times the pixel), in levels².
    ///
    /// Beyond the edge the picture is mirrored about its outermost pixels. The measure grows with
    /// contrast, and falls as a picture is blurred or enlarged, so it compares videos of one size.
    ///
    /// Source: Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy, ICPR 2000;
    /// OpenCV's `Laplacian` with an aperture of 1.
    public static func sharpness(_ luma: Plane) -> Double {
        let (width, height) = (luma.width, luma.height)
        var laplacian = Plane(width: width, height: height)
        luma.values.withUnsafeBufferPointer { values in
            for y in 0..<height {
                let above = width * mirrored(y - 1, height)
                let below = width * mirrored(y + 1, height)
                for x in 0..<width {
                    let sides =
                        values[y * width + mirrored(x - 1, width)]
                        + values[y * width + mirrored(x + 1, width)]
                    laplacian.values[y * width + x] =
                        values[above + x] + values[below + x] + sides - 4 * values[y * width + x]
                }
            }
        }
        return laplacian.variance
    }

    /// An index beyond the edge, mirrored about the outermost pixel.
    private static func mirrored(_ at: Int, _ count: Int) -> Int {
        if count == 1 { return 0 }
        return at < 0 ? -at : at >= count ? 2 * count - 2 - at : at
    }

    /// The mean of HSV's saturation, 0 to 1: (max − min) / max of each pixel's channels.
    public static func saturation(_ frame: Frame) -> Double {
        var sum = 0.0
        for at in stride(from: 0, to: frame.pixels.count, by: 3) {
            let (red, green, blue) = (
                frame.pixels[at], frame.pixels[at + 1], frame.pixels[at + 2]
            )
            let (most, least) = (max(red, green, blue), min(red, green, blue))
            if most > 0 { sum += Double(most - least) / Double(most) }
        }
        return sum / Double(frame.width * frame.height)
    }

    /// How far levels have to be moved to turn one frame's histograms into the other's, in levels.
    ///
    /// The mean over red, green and blue of the earth mover's distance. Where things are does not
    /// matter; a picture that is brighter by k levels everywhere is k away.
    public static func histogramDistance(_ a: Histograms, _ b: Histograms) -> Double {
        zip(a.cumulative, b.cumulative).reduce(0.0) { $0 + abs($1.0 - $1.1) } / 3
    }

    /// The mean absolute difference of two frames' levels.
    ///
    /// Source: VBench's temporal flickering is 1 − this / 255.
    public static func change(_ a: Frame, _ b: Frame) -> Double {
        let sum = zip(a.pixels, b.pixels).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
        return Double(sum) / Double(a.pixels.count)
    }

    /// How far places jump in brightness and back over three frames, in levels:
    /// mean of |Y₀ − 2 Y₁ + Y₂| / 2 over the cells of a grid.
    ///
    /// Brightness that alternates by k levels gives k; a steady fade gives 0, and so does motion
    /// that is slow beside a cell.
    ///
    /// - Parameter cells: The mean luma of each cell (``cells(_:)``) in three frames.
    public static func flicker(_ cells: (Plane, Plane, Plane)) -> Double {
        let count = cells.1.values.count
        return (0..<count).reduce(0.0) {
            $0 + Double(abs(cells.0.values[$1] - 2 * cells.1.values[$1] + cells.2.values[$1])) / 2
        } / Double(count)
    }

    /// The mean luma of the cells of a grid, eight along the shorter side.
    public static func cells(_ luma: Plane) -> Plane {
        luma.reduced(by: max(min(luma.width, luma.height) / 8, 1))
    }
}

/// How often each level occurs in a frame's red, green and blue.
public struct Histograms: Sendable, Equatable {
    /// For each channel and level the share of pixels that have it or a lower one, `[3 * 256]`.
    public let cumulative: [Double]
    /// The mean red, green and blue, 0 to 255.
    public let means: [Double]

    /// Counts the levels of a frame.
    public init(_ frame: Frame) {
        var counts = [Int](repeating: 0, count: 3 * 256)
        frame.pixels.withUnsafeBufferPointer { pixels in
            for at in stride(from: 0, to: pixels.count, by: 3) {
                counts[Int(pixels[at])] += 1
                counts[256 + Int(pixels[at + 1])] += 1
                counts[512 + Int(pixels[at + 2])] += 1
            }
        }
        let total = Double(frame.width * frame.height)
        var cumulative = [Double](repeating: 0, count: counts.count)
        var means = [0.0, 0.0, 0.0]
        for channel in 0..<3 {
            var sum = 0
            for level in 0..<256 {
                let count = counts[256 * channel + level]
                sum += count
                means[channel] += Double(level * count) / total
                cumulative[256 * channel + level] = Double(sum) / total
            }
        }
        (self.cumulative, self.means) = (cumulative, means)
    }
}
