/// The characters of a TOML file and the place in them.
struct TOMLText {
    private let characters: [Character]
    private var position = 0
    /// The line of the place, from 1.
    private(set) var line = 1

    init(_ source: String) {
        // A line break of Windows is one character in Swift.
        characters = Array(source.replacing("\r\n", with: "\n"))
    }

    /// The next character; nil at the end.
    var peek: Character? { position < characters.count ? characters[position] : nil }

    /// The next character as errors show it.
    var shown: String {
        switch peek {
        case nil: "the end of the file"
        case "\n": "the end of the line"
        case .some(let character): "\"\(character)\""
        }
    }

    func error(_ reason: String) -> TOMLError { TOMLError(line: line, reason: reason) }

    mutating func advance(_ count: Int = 1) {
        for _ in 0..<count where position < characters.count {
            if characters[position] == "\n" { line += 1 }
            position += 1
        }
    }

    /// Takes the longest run of characters.
    mutating func take(while isWanted: (Character) -> Bool) -> String {
        var word = ""
        while let next = peek, isWanted(next) {
            word.append(next)
            advance()
        }
        return word
    }

    mutating func skipSpaces() { _ = take { $0 == " " || $0 == "\t" } }

    private mutating func skipComment() {
        if peek == "#" { _ = take { $0 != "\n" } }
    }

    /// Skips spaces, comments and line breaks.
    mutating func skipBlankLines() {
        while let next = peek, " \t\n#".contains(next) {
            skipSpaces()
            skipComment()
            if peek == "\n" { advance() }
        }
    }

    /// Takes one character after spaces.
    mutating func expect(_ character: Character) throws(TOMLError) {
        skipSpaces()
        guard peek == character else { throw error("\"\(character)\" is missing before \(shown)") }
        advance()
    }

    /// Takes spaces and a comment up to the end of the line.
    mutating func endLine() throws(TOMLError) {
        skipSpaces()
        skipComment()
        guard peek == nil || peek == "\n" else {
            throw error("the line goes on with \(shown) where it should end")
        }
        advance()
    }

    private func starts(with text: String) -> Bool {
        characters[position...].starts(with: text)
    }

    /// A text in quotes, of one line or of several.
    mutating func string() throws(TOMLError) -> String {
        for quote in ["\"\"\"", "'''"] where starts(with: quote) {
            return try longString(quote)
        }
        return try quoted()
    }

    /// A text in single or double quotes, in one line.
    mutating func quoted() throws(TOMLError) -> String {
        let quote = peek
        advance()
        var result = ""
        while let next = peek, next != "\n" {
            advance()
            if next == quote { return result }
            result += next == "\\" && quote == "\"" ? try escaped() : String(next)
        }
        throw error("a text is not closed by its quotation mark")
    }

    private mutating func longString(_ quote: String) throws(TOMLError) -> String {
        let start = line
        advance(3)
        if peek == "\n" { advance() }
        var result = ""
        while let next = peek {
            if starts(with: quote) {
                advance(3)
                // Up to two more marks belong to the text.
                while peek == quote.first {
                    result.append(quote.first ?? " ")
                    advance()
                }
                return result
            }
            advance()
            guard next == "\\", quote == "\"\"\"" else {
                result.append(next)
                continue
            }
            if let after = peek, " \t\n".contains(after) {
                _ = take { $0 == " " || $0 == "\t" || $0 == "\n" }
            } else {
                result += try escaped()
            }
        }
        throw TOMLError(line: start, reason: "a text is not closed by \(quote)")
    }

    /// What stands behind a backslash.
    private mutating func escaped() throws(TOMLError) -> String {
        guard let mark = peek else { throw error("a text is not closed by its quotation mark") }
        advance()
        let plain: [Character: String] = [
            "b": "\u{8}", "t": "\t", "n": "\n", "f": "\u{C}", "r": "\r", "\"": "\"", "\\": "\\",
        ]
        if let text = plain[mark] { return text }
        let lengths: [Character: Int] = ["u": 4, "U": 8]
        if let length = lengths[mark] {
            var digits = ""
            while digits.count < length, let next = peek, next.isHexDigit {
                digits.append(next)
                advance()
            }
            if digits.count == length, let code = UInt32(digits, radix: 16),
                let scalar = Unicode.Scalar(code)
            {
                return String(Character(scalar))
            }
        }
        throw error(
            "\\\(mark) means nothing in a text; write a backslash as \\\\, or the text in single "
                + "quotation marks")
    }
}
