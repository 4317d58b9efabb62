/// The mean error at low, middle and high noise: below 0.5, below 0.85, and above.
///
/// - Parameters:
///   - errors: An error for each sample.
///   - levels: The samples' noise levels, in [0, 1].
/// - Returns: `low`, `middle` and `high`, as far as there are samples.
func errorsByNoise(_ errors: [Double], levels: [Double]) -> [String: Double] {
    let bands = [("low", 0.0..<0.5), ("middle", 0.5..<0.85), ("high", 0.85..<1.01)]
    var means: [String: Double] = [:]
    for (name, band) in bands {
        let part = zip(errors, levels).filter { band.contains($1) }.map(\.0)
        if !part.isEmpty { means[name] = part.reduce(0, +) / Double(part.count) }
    }
    return means
}
