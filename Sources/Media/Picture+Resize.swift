import Foundation

/// How pixels are weighted when a picture changes its size.
///
/// Source: Pillow 11.1.0, `Image.resize`, whose 8-bit results these filters repeat to the bit.
public enum ResizeFilter: String, CaseIterable, Sendable {
    /// Each pixel counts by its area; the nearest one when a picture grows.
    case box
    /// A triangle, 1 pixel wide each way.
    case bilinear
    /// Keys' cubic with a = -0.5, 2 pixels wide each way.
    case bicubic
    /// A windowed sinc, 3 pixels wide each way.
    case lanczos

    /// Width each way, in pixels of the smaller of the two pictures.
    var support: Double {
        switch self {
        case .box: 0.5
        case .bilinear: 1
        case .bicubic: 2
        case .lanczos: 3
        }
    }

    /// The weight at distance `x` from the centre.
    func weight(_ x: Double) -> Double {
        switch self {
        case .box: return x > -0.5 && x <= 0.5 ? 1 : 0
        case .bilinear: return max(0, 1 - abs(x))
        case .bicubic:
            let a = -0.5
            let x = abs(x)
            if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
            return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
        case .lanczos: return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0
        }
    }

    private func sinc(_ x: Double) -> Double {
        if x == 0 { return 1 }
        return sin(x * .pi) / (x * .pi)
    }
}

extension Picture {
    /// The picture with another size, with the very bytes that Pillow gives.
    ///
    /// A horizontal and then a vertical pass, each left out at equal size and each rounded to
    /// 8 bits.
    ///
    /// - Parameters:
    ///   - newWidth: Pixels in a row, at least 1.
    ///   - newHeight: Rows, at least 1.
    ///   - filter: The weighting.
    ///
    /// Source: Pillow 11.1.0, `ImagingResample` of 8 bits a channel.
    public func resized(width newWidth: Int, height newHeight: Int, filter: ResizeFilter)
        -> Picture
    {
        precondition(newWidth > 0 && newHeight > 0, "a picture needs at least one pixel")
        var result = self
        if newWidth != width {
            result = result.resizedHorizontally(Taps(from: width, to: newWidth, filter: filter))
        }
        if newHeight != height {
            result = result.resizedVertically(Taps(from: height, to: newHeight, filter: filter))
        }
        return result
    }

    /// The picture enlarged or reduced until it covers the wanted size, then cut to its centre.
    ///
    /// The larger of the two ratios, Lanczos, sizes and edges rounded half to even; a picture that
    /// has the wanted size stays as it is.
    ///
    /// Source: FramePack, `resize_and_center_crop`.
    public func resizedAndCentreCropped(width newWidth: Int, height newHeight: Int) -> Picture {
        if newWidth == width && newHeight == height { return self }
        let ratio = max(
            Double(newWidth) / Double(width), Double(newHeight) / Double(height))
        let coverWidth = Int((Double(width) * ratio).rounded(.toNearestOrEven))
        let coverHeight = Int((Double(height) * ratio).rounded(.toNearestOrEven))
        let cover = resized(width: coverWidth, height: coverHeight, filter: .lanczos)
        let left = (Double(coverWidth - newWidth) / 2).rounded(.toNearestOrEven)
        let top = (Double(coverHeight - newHeight) / 2).rounded(.toNearestOrEven)
        return cover.cropped(
            x: min(Int(left), coverWidth - newWidth), y: min(Int(top), coverHeight - newHeight),
            width: newWidth, height: newHeight)
    }

    private func resizedHorizontally(_ taps: Taps) -> Picture {
        let newWidth = taps.ranges.count
        let count = newWidth * height * 3
        let resized = [UInt8](unsafeUninitializedCapacity: count) { out, initialized in
            pixels.withUnsafeBufferPointer { source in
                taps.weights.withUnsafeBufferPointer { weights in
                    for row in 0..<height {
                        let line = row * width * 3
                        var to = row * newWidth * 3
                        for (x, range) in taps.ranges.enumerated() {
                            var sum = (Taps.half, Taps.half, Taps.half)
                            var at = line + range.lowerBound * 3
                            let first = x * taps.stride
                            for tap in 0..<range.count {
                                let weight = weights[first + tap]
                                sum.0 &+= Int32(source[at]) &* weight
                                sum.1 &+= Int32(source[at + 1]) &* weight
                                sum.2 &+= Int32(source[at + 2]) &* weight
                                at += 3
                            }
                            out[to] = Taps.byte(sum.0)
                            out[to + 1] = Taps.byte(sum.1)
                            out[to + 2] = Taps.byte(sum.2)
                            to += 3
                        }
                    }
                }
            }
            initialized = count
        }
        return Picture(width: newWidth, height: height, pixels: resized)
    }

    private func resizedVertically(_ taps: Taps) -> Picture {
        let rowBytes = width * 3
        let count = taps.ranges.count * rowBytes
        var sums = [Int32](repeating: 0, count: rowBytes)
        let resized = [UInt8](unsafeUninitializedCapacity: count) { out, initialized in
            pixels.withUnsafeBufferPointer { source in
                sums.withUnsafeMutableBufferPointer { sums in
                    for (y, range) in taps.ranges.enumerated() {
                        sums.update(repeating: Taps.half)
                        for (tap, row) in range.enumerated() {
                            let weight = taps.weights[y * taps.stride + tap]
                            let line = row * rowBytes
                            for x in 0..<rowBytes {
                                sums[x] &+= Int32(source[line + x]) &* weight
                            }
                        }
                        for x in 0..<rowBytes { out[y * rowBytes + x] = Taps.byte(sums[x]) }
                    }
                }
            }
            initialized = count
        }
        return Picture(width: width, height: taps.ranges.count, pixels: resized)
    }
}

/// Which pixels make up each pixel of a resized row or column, and with what weights.
private struct Taps {
    /// Fixed point with 22 binary places: 8 bits of pixel and two of overshoot fit above it.
    static let places = 22
    static let half = Int32(1) << Int32(places - 1)

    /// For each new pixel, the old ones that count.
    var ranges: [Range<Int>] = []
    /// `stride` weights a new pixel.
    var weights: [Int32] = []
    let stride: Int

    init(from old: Int, to new: Int, filter: ResizeFilter) {
        let scale = Double(old) / Double(new)
        let widening = max(scale, 1)
        let support = filter.support * widening
        stride = Int(support.rounded(.up)) * 2 + 1
        ranges.reserveCapacity(new)
        weights.reserveCapacity(new * stride)
        for position in 0..<new {
            let centre = (Double(position) + 0.5) * scale
            let first = max(0, Int(centre - support + 0.5))
            let end = min(old, Int(centre + support + 0.5))
            let inverse = 1 / widening
            let exact = (first..<end).map {
                filter.weight((Double($0) - centre + 0.5) * inverse)
            }
            ranges.append(first..<end)
            append(exact)
        }
    }

    private mutating func append(_ exact: [Double]) {
        let sum = exact.reduce(0, +)
        for weight in exact {
            let scaled = (sum == 0 ? weight : weight / sum) * Double(1 << Taps.places)
            weights.append(Int32(scaled < 0 ? scaled - 0.5 : scaled + 0.5))
        }
        weights.append(contentsOf: repeatElement(0, count: stride - exact.count))
    }

    static func byte(_ sum: Int32) -> UInt8 {
        UInt8(clamping: sum >> Int32(places))
    }
}
