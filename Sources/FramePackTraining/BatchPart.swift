package import Torch

/// Which samples of a step are computed together: a micro-batch of one process.
///
/// Everything random is drawn for the whole step and then cut, so that a sample is the same
/// whichever others it is computed with.
package struct BatchPart {
    /// The samples' indices in the step.
    package let rows: Range<Int>
    /// The number of samples of the whole step.
    package let count: Int

    /// Names some of a step's samples.
    package init(rows: Range<Int>, count: Int) { (self.rows, self.count) = (rows, count) }

    /// The part's rows of what was made for the whole step: `(count, ...)` to `(rows, ...)`.
    package func rows(of whole: Tensor) throws -> Tensor {
        rows == 0..<count ? whole : try whole.narrow(0, rows.lowerBound, rows.count)
    }

    /// Gaussian noise for the part's samples, in the shape of `values` `(rows, ...)`.
    ///
    /// Drawn on the CPU, so that every device sees the same.
    package func noise(like values: Tensor, generator: Generator) throws -> Tensor {
        try rows(of: .randn([count] + values.shape.dropFirst(), generator: generator))
    }

    /// The parts of a step's samples, in order, as equal as can be.
    ///
    /// - Returns: `parts` ranges whose lengths differ by one sample at most.
    /// - Throws: `TrainingError` if there are fewer samples than parts.
    package static func split(_ count: Int, into parts: Int) throws -> [Range<Int>] {
        guard count >= parts else {
            throw TrainingError(
                """
                a step of \(count) samples can't be divided into \(parts) parts (processes times \
                micro-batches); use a batch of at least \(parts)
                """)
        }
        return (0..<parts).map { count * $0 / parts..<count * ($0 + 1) / parts }
    }
}
