/// The 255 colours that stand for all colours of some pictures.
///
/// Boxes of colours are split, the one with the largest squared error first, at the mean of its
/// widest channel. Source: after X. Wu, "Color quantization by dynamic programming and principal
/// analysis", ACM Transactions on Graphics 11(4), 1992, in the simpler form of median cut.
public struct Palette: Sendable {
    /// How many colours it has at most; GIF keeps one of its 256 for what did not change.
    static let size = 255
    /// Bits of each channel that the histogram tells apart.
    private static let bits = 5

    /// Red, green and blue of each colour, `size * 3` bytes; unused ones are black.
    let bytes: [UInt8]
    private let colors: [SIMD3<Int32>]
    /// Root mean square distance between a pixel and its colour, in levels of a channel.
    private let error: Double

    /// The palette of all frames that `next` gives until it returns nil.
    public init<Failure: Error>(of next: () throws(Failure) -> Picture?) throws(Failure) {
        var bins = [Bin](repeating: Bin(), count: 1 << (3 * Self.bits))
        while let picture = try next() { Self.count(picture, in: &bins) }
        let (colors, error) = Self.split(bins.filter { $0.count > 0 })
        self.colors = colors
        self.error = error
        var bytes = colors.flatMap { color in (0..<3).map { UInt8(clamping: color[$0]) } }
        bytes += [UInt8](repeating: 0, count: Self.size * 3 - bytes.count)
        self.bytes = bytes
    }

    /// One cell of the histogram: its pixels' number and sums.
    private struct Bin {
        var count = 0.0
        var sum = SIMD3<Double>()
        var squares = 0.0
        var mean: SIMD3<Double> { sum / count }
    }

    private struct Box {
        let bins: ArraySlice<Bin>
        let total: Bin
        let variance: SIMD3<Double>
        /// Summed squared distance between the bins and the box's mean.
        var error: Double { bins.count < 2 ? 0 : variance.sum() }

        init(_ bins: ArraySlice<Bin>) {
            self.bins = bins
            var total = Bin()
            for bin in bins {
                total.count += bin.count
                total.sum += bin.sum
                total.squares += bin.squares
            }
            let mean = total.mean
            var variance = SIMD3<Double>()
            for bin in bins {
                let distance = bin.mean - mean
                variance += distance * distance * bin.count
            }
            self.total = total
            self.variance = variance
        }
    }

    private static func count(_ picture: Picture, in bins: inout [Bin]) {
        picture.pixels.withUnsafeBufferPointer { pixels in
            for at in stride(from: 0, to: pixels.count, by: 3) {
                let shift = 8 - bits
                let r = Int(pixels[at]) >> shift
                let g = Int(pixels[at + 1]) >> shift
                let b = Int(pixels[at + 2]) >> shift
                let color = SIMD3(
                    Double(pixels[at]), Double(pixels[at + 1]), Double(pixels[at + 2]))
                let index = r << (2 * bits) | g << bits | b
                bins[index].count += 1
                bins[index].sum += color
                bins[index].squares += (color * color).sum()
            }
        }
    }

    private static func split(_ bins: [Bin]) -> (colors: [SIMD3<Int32>], error: Double) {
        guard !bins.isEmpty else { return ([SIMD3()], 0) }
        var boxes = [Box(bins[...])]
        while boxes.count < size {
            guard let worst = boxes.indices.max(by: { boxes[$0].error < boxes[$1].error }),
                boxes[worst].error > 0
            else { break }
            let box = boxes[worst]
            let channel = (0..<3).max { box.variance[$0] < box.variance[$1] } ?? 0
            let middle = box.total.mean[channel]
            let low = box.bins.filter { $0.mean[channel] <= middle }
            let high = box.bins.filter { $0.mean[channel] > middle }
            guard !low.isEmpty, !high.isEmpty else { break }
            boxes[worst] = Box(low[...])
            boxes.append(Box(high[...]))
        }
        let pixels = boxes.reduce(0) { $0 + $1.total.count }
        let squares = boxes.reduce(0) { sum, box in
            let mean = box.total.mean
            return sum + box.total.squares - (mean * mean).sum() * box.total.count
        }
        let colors = boxes.map { box in
            let mean = box.total.mean
            return SIMD3<Int32>(
                Int32(mean.x.rounded()), Int32(mean.y.rounded()), Int32(mean.z.rounded()))
        }
        return (colors, max(0, squares / pixels / 3).squareRoot())
    }

    /// Turns pictures into indices, with an ordered dither that stands still in a video.
    struct Lookup {
        private let palette: Palette
        /// The nearest colour of each cell of 4 levels a channel; -1 when not looked for yet.
        private var nearest = [Int16](repeating: -1, count: 1 << 18)
        private let offsets: [Int32]

        init(_ palette: Palette) {
            self.palette = palette
            // As strong as the palette is coarse: flat colours that it holds stay flat.
            offsets = (0..<64).map { cell in
                let level = (Double(Self.bayer(cell % 8, cell / 8)) + 0.5) / 64 - 0.5
                return Int32((level * 2 * palette.error).rounded())
            }
        }

        mutating func indices(of picture: Picture) -> [UInt8] {
            var indices: [UInt8] = []
            indices.reserveCapacity(picture.width * picture.height)
            for y in 0..<picture.height {
                for x in 0..<picture.width {
                    let at = (y * picture.width + x) * 3
                    let offset = offsets[y % 8 * 8 + x % 8]
                    let color = SIMD3<Int32>(
                        Int32(picture.pixels[at]), Int32(picture.pixels[at + 1]),
                        Int32(picture.pixels[at + 2]))
                    indices.append(index(of: color &+ SIMD3(repeating: offset)))
                }
            }
            return indices
        }

        private mutating func index(of color: SIMD3<Int32>) -> UInt8 {
            let color = color.clamped(
                lowerBound: SIMD3(repeating: 0), upperBound: SIMD3(repeating: 255))
            let cell = Int(color.x >> 2) << 12 | Int(color.y >> 2) << 6 | Int(color.z >> 2)
            if nearest[cell] < 0 { nearest[cell] = Int16(search(color)) }
            return UInt8(truncatingIfNeeded: nearest[cell])
        }

        private func search(_ color: SIMD3<Int32>) -> Int {
            var best = 0
            var smallest = Int32.max
            for (index, candidate) in palette.colors.enumerated() {
                let difference = candidate &- color
                let distance = (difference &* difference).wrappedSum()
                if distance < smallest {
                    smallest = distance
                    best = index
                }
            }
            return best
        }

        /// The 8 by 8 threshold matrix of Bayer, 0 to 63.
        private static func bayer(_ x: Int, _ y: Int) -> Int {
            var value = 0
            for bit in 0..<3 {
                let a = x >> bit & 1
                let b = y >> bit & 1
                value = value << 2 | (a ^ b) << 1 | b
            }
            return value
        }
    }
}
