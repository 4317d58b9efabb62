/// How a figure changes from section to section: a straight line by least squares.
public struct Trend: Codable, Equatable, Sendable {
    /// The mean of the figures.
    public let mean: Double
    /// Change from one figure to the next.
    public let slope: Double
    /// Standard error of the slope.
    ///
    /// Neighbours meet the same machine, so that it is widened by the correlation of each residual
    /// with the next one, where that is positive.
    public let error: Double
    /// From the first figure to the last, in figures.
    public let span: Int

    /// Fits figures of sections, or of as many sections each, one after the other; nil for fewer than
    /// three.
    package init?(_ values: [Double]) {
        guard values.count >= 3 else { return nil }
        let count = Double(values.count)
        let middle = (count - 1) / 2
        let mean = values.reduce(0, +) / count
        var (products, squares) = (0.0, 0.0)
        for (index, value) in values.enumerated() {
            let x = Double(index) - middle
            products += x * (value - mean)
            squares += x * x
        }
        let slope = products / squares
        let residuals = values.enumerated().map { $1 - mean - slope * (Double($0) - middle) }
        let power = residuals.reduce(0) { $0 + $1 * $1 }
        let joint = zip(residuals, residuals.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
        let correlation = power > 0 ? min(max(joint / power, 0), 0.99) : 0
        let variance = power / (count - 2) / squares
        (self.mean, self.slope) = (mean, slope)
        error = (variance * (1 + correlation) / (1 - correlation)).squareRoot()
        span = values.count - 1
    }

    /// Change from the first figure to the last, as a part of the mean.
    public var growth: Double { mean == 0 ? 0 : slope * Double(span) / mean }

    /// Half of the interval in which the growth lies with 95 %, as a part of the mean.
    public var uncertainty: Double {
        mean == 0 ? 0 : abs(1.96 * error * Double(span) / mean)
    }
}
