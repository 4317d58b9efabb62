/// The middle of some measurements and how far they lie apart.
public struct Spread: Codable, Equatable, Sendable {
    /// Half of the measurements are below.
    public let median: Double
    /// A quarter of the measurements is below.
    public let lowerQuartile: Double
    /// A quarter of the measurements is above.
    public let upperQuartile: Double
    /// The smallest.
    public let least: Double

    /// Quartiles by linear interpolation between the sorted values; nil without any.
    package init?(_ values: [Double]) {
        guard let least = values.min() else { return nil }
        let sorted = values.sorted()
        func quantile(_ part: Double) -> Double {
            let place = part * Double(sorted.count - 1)
            let below = Int(place)
            let above = min(below + 1, sorted.count - 1)
            return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
        }
        self.least = least
        (median, lowerQuartile, upperQuartile) = (quantile(0.5), quantile(0.25), quantile(0.75))
    }
}
