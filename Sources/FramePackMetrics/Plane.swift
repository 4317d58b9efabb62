/// One number for each pixel of a picture.
public struct Plane: Sendable, Equatable {
    /// Numbers in a row.
    public let width: Int
    /// Rows.
    public let height: Int
    /// The numbers, row by row from the top: `width * height`.
    public var values: [Float]

    /// A plane of given numbers.
    public init(width: Int, height: Int, values: [Float]) {
        precondition(
            width > 0 && height > 0 && values.count == width * height,
            "\(values.count) numbers are not \(width) by \(height)")
        (self.width, self.height, self.values) = (width, height, values)
    }

    /// A plane of one number.
    init(width: Int, height: Int, _ value: Float = 0) {
        self.init(
            width: width, height: height, values: [Float](repeating: value, count: width * height))
    }

    /// The mean of all numbers.
    public var mean: Double { values.reduce(0.0) { $0 + Double($1) } / Double(values.count) }

    /// The mean squared distance from the mean.
    public var variance: Double {
        let mean = mean
        return values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
            / Double(values.count)
    }

    /// The means of squares of `side` pixels; what fills none at the right and below is left out.
    func reduced(by side: Int) -> Plane {
        guard side > 1 else { return self }
        var small = Plane(width: max(width / side, 1), height: max(height / side, 1))
        for row in 0..<small.height {
            for column in 0..<small.width {
                var (sum, count) = (Float(0), Float(0))
                for y in row * side..<min((row + 1) * side, height) {
                    for x in column * side..<min((column + 1) * side, width) {
                        sum += values[y * width + x]
                        count += 1
                    }
                }
                small.values[row * small.width + column] = sum / count
            }
        }
        return small
    }

    /// The mean of each pixel's neighbourhood of `2 * radius + 1` pixels each way, inside the plane.
    func boxBlurred(_ radius: Int) -> Plane {
        var (rows, result) = (self, self)
        values.withUnsafeBufferPointer { source in
            for y in 0..<height {
                blurLine(source, &rows.values, start: y * width, step: 1, count: width, radius)
            }
        }
        rows.values.withUnsafeBufferPointer { source in
            for x in 0..<width {
                blurLine(source, &result.values, start: x, step: width, count: height, radius)
            }
        }
        return result
    }

    /// A running mean along one line.
    private func blurLine(
        _ source: UnsafeBufferPointer<Float>, _ result: inout [Float], start: Int, step: Int,
        count: Int, _ radius: Int
    ) {
        var sum = Double(0)
        for at in 0..<min(radius, count) { sum += Double(source[start + at * step]) }
        for at in 0..<count {
            if at + radius < count { sum += Double(source[start + (at + radius) * step]) }
            if at - radius > 0 { sum -= Double(source[start + (at - radius - 1) * step]) }
            let inside = min(at + radius, count - 1) - max(at - radius, 0) + 1
            result[start + at * step] = Float(sum / Double(inside))
        }
    }

    /// The number between pixels, by the four around; outside the nearest edge's counts.
    func sample(x: Float, y: Float) -> Float {
        let (x, y) = (min(max(x, 0), Float(width - 1)), min(max(y, 0), Float(height - 1)))
        let (left, top) = (Int(x), Int(y))
        let (right, bottom) = (min(left + 1, width - 1), min(top + 1, height - 1))
        let (shareX, shareY) = (x - Float(left), y - Float(top))
        let upper =
            values[top * width + left] * (1 - shareX) + values[top * width + right] * shareX
        let lower =
            values[bottom * width + left] * (1 - shareX) + values[bottom * width + right] * shareX
        return upper * (1 - shareY) + lower * shareY
    }
}
