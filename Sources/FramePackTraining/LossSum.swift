/// The losses of a step's parts, added up to that of the step.
struct LossSum {
    /// The weighted mean of the parts so far.
    private(set) var loss = 0.0
    /// The sum of their weights.
    private(set) var weight = 0.0
    private var figures: [String: (mean: Double, samples: Double)] = [:]

    /// The figures of the parts, as means over the samples of those that have them.
    var metrics: [String: Double] { figures.mapValues(\.mean) }

    /// Takes a part in.
    ///
    /// The first part's numbers stay as they are, to the last bit.
    mutating func add(
        _ partLoss: Double, weight partWeight: Double, metrics: [String: Double], samples: Int
    ) {
        weight += partWeight
        loss += (partLoss - loss) * (partWeight / weight)
        for (name, value) in metrics {
            let before = figures[name] ?? (0, 0)
            let count = before.samples + Double(samples)
            figures[name] = (before.mean + (value - before.mean) * (Double(samples) / count), count)
        }
    }
}
