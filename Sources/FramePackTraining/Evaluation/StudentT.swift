import Foundation

/// Student's t: how far the mean of a few values lies from the true one, in standard errors.
struct StudentT {
    /// Degrees of freedom, one less than there are values; 1 or more.
    let freedom: Int

    /// The half-width of the interval around 0 that holds a share of the distribution.
    ///
    /// - Parameter share: Between 0 and 1.
    func halfWidth(holding share: Double) -> Double {
        var (low, high) = (0.0, 1.0)
        while self.share(within: high) < share { high *= 2 }
        // Each step halves what is not known; sixty leave less than a double tells apart.
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if self.share(within: middle) < share { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// The share of the distribution between -t and t.
    ///
    /// Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    func share(within t: Double) -> Double {
        let angle = atan(t / Double(freedom).squareRoot())
        let (sine, square) = (sin(angle), cos(angle) * cos(angle))
        let isOdd = freedom % 2 == 1
        var (sum, term) = (0.0, isOdd ? cos(angle) : 1)
        for power in stride(from: isOdd ? 1 : 0, through: freedom - 2, by: 2) {
            sum += term
            term *= square * Double(power + 1) / Double(power + 2)
        }
        return isOdd ? 2 / .pi * (angle + sine * sum) : sine * sum
    }
}
