import Foundation

/// A curve drawn with letters, for terminals.
public struct LinePlot {
    /// What stands above it.
    public var title: String
    /// The points, in the order of x.
    public var points: [(x: Double, y: Double)]
    /// Columns and lines of the whole drawing, the axes included.
    public var size = (columns: 80, lines: 16)
    /// Whether the vertical axis shows powers of ten; only where all values are positive.
    public var isLogarithmic = false

    /// Makes a plot of points.
    public init(title: String, points: [(x: Double, y: Double)]) {
        (self.title, self.points) = (title, points)
    }

    private static let labelWidth = 9

    /// The lines of the drawing, none longer than its columns.
    ///
    /// Each column shows the mean of its points with `*` and their range with `:`.
    public func lines() -> [String] {
        let width = size.columns - Self.labelWidth - 2
        let height = size.lines - 3
        // A log that two runs wrote may go back and forth.
        let points = points.sorted { $0.x < $1.x }
        guard let first = points.first, let last = points.last, width > 10, height > 2 else {
            return ["\(title): nothing to draw yet"]
        }
        let scale = isLogarithmic && points.allSatisfy { $0.y > 0 }
        let span = last.x - first.x
        var columns = [[Double]](repeating: [], count: width)
        for point in points {
            let place = span > 0 ? (point.x - first.x) / span * Double(width - 1) : 0
            columns[Int(place.rounded())].append(scale ? log10(point.y) : point.y)
        }
        let all = columns.joined()
        var (low, high) = (all.min() ?? 0, all.max() ?? 1)
        if low == high { (low, high) = (low - 0.5, high + 0.5) }
        func row(_ y: Double) -> Int {
            Int(((high - y) / (high - low) * Double(height - 1)).rounded())
        }
        var cells = [[Character]](
            repeating: [Character](repeating: " ", count: width), count: height)
        for (column, values) in columns.enumerated() {
            guard let least = values.min(), let most = values.max() else { continue }
            for line in row(most)...row(least) { cells[line][column] = ":" }
            cells[row(values.reduce(0, +) / Double(values.count))][column] = "*"
        }
        let body = cells.enumerated().map { index, line in
            let y = high - (high - low) * Double(index) / Double(height - 1)
            let label = index % 4 == 0 || index == height - 1 ? number(scale ? pow(10, y) : y) : ""
            return "\(padded(label)) |\(String(line))"
        }
        let axis =
            String(repeating: " ", count: Self.labelWidth + 1) + "+"
            + String(repeating: "-", count: width)
        let (left, right) = (number(first.x), number(last.x))
        let gap = String(repeating: " ", count: max(1, width - left.count - right.count))
        let feet = String(repeating: " ", count: Self.labelWidth + 2) + left + gap + right
        return ([title] + body + [axis, feet]).map { Self.trimmed($0, size.columns) }
    }

    private func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e7
            ? "\(Int(value))" : String(format: "%.4g", value)
    }

    private func padded(_ label: String) -> String {
        String(repeating: " ", count: max(0, Self.labelWidth - label.count)) + label
    }

    private static func trimmed(_ line: String, _ width: Int) -> String {
        var line = line.prefix(width)
        while line.last == " " { line.removeLast() }
        return String(line)
    }
}
