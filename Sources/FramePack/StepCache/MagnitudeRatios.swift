/// How long what the blocks add is in each step, in units of the step before: what MagCache knows of
/// a model.
///
/// In JSON it is a list of numbers.
public struct MagnitudeRatios: Codable, Equatable, Sendable {
    /// One ratio a step, above 0; the first step's, which has none before it, is 1.
    public let values: [Double]

    /// Takes measured ratios: one a step, at least one.
    public init(_ values: [Double]) {
        self.values = values
    }

    /// Reads a list of numbers.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        values = try container.decode([Double].self)
    }

    /// Writes a list of numbers.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(values)
    }

    /// The ratios at another number of steps: those of the nearest steps, as the authors take them.
    ///
    /// Source: `nearest_interp` in `MagCache4FramePack`; a step half between two goes to the even one.
    public func resampled(_ stepCount: Int) -> MagnitudeRatios {
        guard stepCount != values.count else { return self }
        guard stepCount > 1 else { return MagnitudeRatios(Array(values.suffix(1))) }
        let spacing = Double(values.count - 1) / Double(stepCount - 1)
        return MagnitudeRatios(
            (0..<stepCount).map {
                values[Int((Double($0) * spacing).rounded(.toNearestOrEven))]
            })
    }

    /// The values with five digits after the point, which is more than they are known to.
    public func rounded() -> MagnitudeRatios {
        MagnitudeRatios(values.map { ($0 * 1e5).rounded() / 1e5 })
    }

    /// The means, step by step, of measurements with one number of steps.
    public static func mean(of measured: [MagnitudeRatios]) -> MagnitudeRatios {
        let steps = measured.map(\.values.count).min() ?? 0
        return MagnitudeRatios(
            (0..<steps).map { step in
                measured.reduce(0) { $0 + $1.values[step] } / Double(measured.count)
            })
    }

    /// What is wrong with the values, as the end of a sentence; nil where nothing is.
    var problem: String? {
        guard GenerationRequest.Limits.steps.contains(values.count) else {
            return "has \(values.count) numbers; it must have one for each of 1 to 100 steps"
        }
        guard let bad = values.first(where: { !($0.isFinite && $0 > 0) }) else { return nil }
        return "has the number \(plainText(bad)); all must be above 0"
    }
}

extension MagnitudeRatios {
    /// Those of the released model for the inverted order, at 25 steps.
    ///
    /// Source: arXiv 2506.09045; `MagCache4FramePack/magcache_demo_gradio.py`.
    public static let released = MagnitudeRatios([
        1, 1.26562, 1.23438, 1.03125, 1.02344, 1.03906, 1.01562, 1.03906, 1.05469, 1.02344,
        1.03906, 0.99609, 1.03125, 1.02344, 1.01562, 1.02344, 1.00781, 1.04688, 0.98828, 1,
        1.00781, 0.98828, 0.94141, 0.94141, 0.78906,
    ])
    /// Those of the released F1 model, at 25 steps.
    ///
    /// Source: arXiv 2506.09045; `MagCache4FramePack/magcache_demo_gradio_f1.py`.
    public static let releasedF1 = MagnitudeRatios([
        1, 1.25781, 1.08594, 1.02344, 1.00781, 1.02344, 1.00781, 1.02344, 1.05469, 0.99609,
        1.03906, 1.00781, 1.01562, 1.00781, 1.02344, 1.01562, 0.98047, 1.05469, 0.98047, 0.96875,
        1.03125, 0.97266, 0.9375, 0.96484, 0.78516,
    ])
}
