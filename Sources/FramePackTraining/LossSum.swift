import Torch
import TorchDistributed

/// The losses of a step's parts, added up to that of the step.
struct LossSum {
    /// The weighted mean of the parts so far.
    private(set) var loss = 0.0
    /// The sum of their weights.
    private(set) var weight = 0.0
    private var figures: [String: (mean: Double, samples: Double)] = [:]

    /// The figures of the parts, as means over the samples of those that have them.
    var metrics: [String: Double] { figures.mapValues(\.mean) }

    /// Becomes the sum of all processes'.
    ///
    /// - Parameter metricNames: All figures that any process may have.
    mutating func combine(_ group: ProcessGroup, metricNames: [String]) throws {
        var values = [loss * weight, weight]
        for name in metricNames {
            let (mean, samples) = figures[name] ?? (0, 0)
            values += [mean * samples, samples]
        }
        let sums = try Tensor(values)
        try group.allReduce(sums)
        values = try sums.array(Double.self)
        (weight, loss) = (values[1], values[0] / values[1])
        figures = [:]
        for (index, name) in metricNames.enumerated() where values[2 * index + 3] > 0 {
            let samples = values[2 * index + 3]
            figures[name] = (values[2 * index + 2] / samples, samples)
        }
    }

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
