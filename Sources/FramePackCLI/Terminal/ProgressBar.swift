import Foundation

/// One line of a progress display, drawn as text.
struct ProgressBar {
    /// The most columns that a line takes.
    static let columns = 79

    /// What stands before the bar.
    var label: String
    /// How much is done, 0 to 1.
    var fraction: Double
    /// What stands behind the bar.
    var detail: String

    /// The line in a terminal of a width, at most 79 columns.
    func line(width: Int, usesBlocks: Bool) -> String {
        let columns = max(20, min(width - 1, Self.columns))
        let done = min(max(fraction, 0), 1)
        let percent = String(format: "%3d %%", Int((done * 100).rounded(.down)))
        let head = label.padding(toLength: 16, withPad: " ", startingAt: 0)
        let tail = "  \(percent)  \(detail)"
        // The detail has room that does not change, so that the bar does not tremble.
        let length = columns - head.count - 2 - max(tail.count, 28)
        guard length >= 5 else { return String((head + tail).prefix(columns)) }
        let full = Int((done * Double(length)).rounded(.down))
        let (on, off) = usesBlocks ? ("\u{2588}", "\u{2591}") : ("#", "-")
        let bar = String(repeating: on, count: full) + String(repeating: off, count: length - full)
        return String("\(head) \(bar)\(tail)".prefix(columns))
    }

    /// Seconds as people say them: 42 s, 3:05 min, 2:10 h.
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0, seconds < 1e8 else { return "?" }
        let whole = Int(seconds.rounded())
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return "\(whole / 60):\(twoDigits(whole % 60)) min" }
        return "\(whole / 3600):\(twoDigits(whole / 60 % 60)) h"
    }

    private static func twoDigits(_ number: Int) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}
