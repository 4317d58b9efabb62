import Checkpoints
package import Foundation
import Torch

/// How far results lie from others that are held to be right.
package struct OutputDistance: Equatable {
    /// The largest |x - y| / |y| of the tensors, with Euclidean norms.
    package let error: Double
    /// Peak signal-to-noise ratio in dB; nil where no range was given.
    package let psnr: Double?

    /// Compares two safetensors files with the same names and shapes.
    ///
    /// - Parameters:
    ///   - range: The distance between the lowest and the highest value, of pictures.
    /// - Throws: `BenchmarkError` where they do not hold the same tensors.
    package init(_ file: URL, from reference: URL, range: Double? = nil) throws {
        let (found, wanted) = (
            try SafetensorsFile(file).tensors(), try SafetensorsFile(reference).tensors()
        )
        guard found.mapValues(\.shape) == wanted.mapValues(\.shape), !wanted.isEmpty else {
            throw BenchmarkError(
                """
                Results differ in names or shapes: \(Self.list(found)) here and \
                \(Self.list(wanted)) in float32.
                """)
        }
        var (error, worstMean) = (0.0, 0.0)
        for (name, tensor) in wanted {
            guard let other = found[name] else { continue }
            let y = try tensor.to(.cpu, .float64)
            let difference = try (other.to(.cpu, .float64) - y).square()
            let (squares, magnitude) = (
                try difference.sum().item(), try y.square().sum().item()
            )
            error = max(error, (squares / max(magnitude, 1e-300)).squareRoot())
            worstMean = max(worstMean, squares / Double(y.count))
        }
        self.error = error
        psnr = range.map { 10 * log10($0 * $0 / max(worstMean, 1e-300)) }
    }

    private static func list(_ tensors: [String: Tensor]) -> String {
        tensors.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.shape)" }
            .joined(separator: ", ")
    }
}
