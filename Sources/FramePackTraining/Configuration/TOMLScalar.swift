/// Values without quotation marks and brackets: numbers, true and false, dates.
enum TOMLScalar {
    /// Reads a value.
    ///
    /// - Parameter name: Whose value it is, for errors.
    static func read(_ text: inout TOMLText, _ name: String) throws(TOMLError) -> TOMLValue.Content
    {
        let line = text.line
        var word = text.take { !" \t\n,]}#=".contains($0) }
        // A date and its time may have a space between them.
        if isDate(word), text.peek == " " {
            var ahead = text
            ahead.advance()
            let time = ahead.take { $0.isNumber || ":.+-Z".contains($0) }
            if time.contains(":") {
                text = ahead
                word += " \(time)"
            }
        }
        guard !word.isEmpty else { throw text.error("a value is missing before \(text.shown)") }
        guard let content = content(word) else {
            if isLargeNumber(word) {
                throw TOMLError(
                    line: line,
                    reason: "\(name) is \(word); a whole number goes from \(Int.min) to \(Int.max)")
            }
            throw TOMLError(
                line: line,
                reason: "\(word) is no number, true or false; write texts in quotation marks")
        }
        return content
    }

    private static func content(_ word: String) -> TOMLValue.Content? {
        switch word {
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        case "inf", "+inf": return .float(.infinity)
        case "-inf": return .float(-.infinity)
        case "nan", "+nan", "-nan": return .float(.nan)
        default: break
        }
        if isDate(word) || isTime(word) { return .date(word) }
        return integer(word).map { .integer($0) } ?? float(word).map { .float($0) }
    }

    private static func integer(_ word: String) -> Int? {
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where word.hasPrefix(prefix) {
            let digits = String(word.dropFirst(2))
            return digits.first == "+" || digits.first == "-"
                ? nil : plain(digits).flatMap { Int($0, radix: radix) }
        }
        guard let digits = plain(word) else { return nil }
        let bare = digits.drop { $0 == "+" || $0 == "-" }
        guard bare.count == 1 || bare.first != "0" else { return nil }
        return Int(digits)
    }

    /// Whether a word is a whole number that has too many digits.
    private static func isLargeNumber(_ word: String) -> Bool {
        let digits = plain(word)?.drop { $0 == "+" || $0 == "-" } ?? ""
        return digits.count > 18 && digits.first != "0"
            && digits.allSatisfy { $0.isASCII && $0.isNumber }
    }

    private static func float(_ word: String) -> Double? {
        guard let digits = plain(word), digits.contains(where: { ".eE".contains($0) }),
            digits.allSatisfy({ $0.isNumber || "+-.eE".contains($0) })
        else { return nil }
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        // A point has digits on both sides.
        guard parts.count <= 2,
            parts.count == 1
                || (parts[0].last?.isNumber == true && parts[1].first?.isNumber == true)
        else { return nil }
        return Double(digits)
    }

    /// The digits without the marks that make them readable, which stand between digits alone.
    private static func plain(_ word: String) -> String? {
        let characters = Array(word)
        for (index, character) in characters.enumerated() where character == "_" {
            guard index > 0, index + 1 < characters.count, characters[index - 1].isHexDigit,
                characters[index + 1].isHexDigit
            else { return nil }
        }
        return word.replacing("_", with: "")
    }

    private static func isDate(_ word: String) -> Bool {
        let start = Array(word.prefix(10))
        return start.count == 10 && start[4] == "-" && start[7] == "-"
            && start.enumerated().allSatisfy { $0 == 4 || $0 == 7 || $1.isNumber }
    }

    private static func isTime(_ word: String) -> Bool {
        let start = Array(word.prefix(5))
        return start.count == 5 && start[2] == ":"
            && start.enumerated().allSatisfy { $0 == 2 || $1.isNumber }
    }
}
