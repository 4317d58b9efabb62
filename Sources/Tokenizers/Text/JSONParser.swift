/// Reads a JSON document from bytes.
///
/// Source: RFC 8259.
struct JSONParser {
    private let bytes: [UInt8]
    private let file: String
    private var position = 0
    private var depth = 0

    /// The deepest nesting that is read; more can only be an attack on the stack.
    private static let deepest = 100

    static func parse(_ bytes: [UInt8], file: String) throws(TokenizerError) -> JSONValue {
        var parser = JSONParser(bytes: bytes, file: file)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { parser.position = 3 }
        let value = try parser.value()
        parser.skipSpace()
        guard parser.position == bytes.count else {
            throw parser.broken("there is more after the end of the document")
        }
        return value
    }

    private init(bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
    }

    private func broken(_ reason: String) -> TokenizerError {
        let before = bytes[..<min(position, bytes.count)]
        let line = before.count { $0 == 0x0A } + 1
        let column = before.count - (before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0) + 1
        return .brokenJSON(file: file, line: line, column: column, reason: reason)
    }

    private func expected(_ what: String) -> TokenizerError {
        broken(position < bytes.count ? "\(what) was expected" : "the file ends too early")
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            position += 1
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    private mutating func value() throws(TokenizerError) -> JSONValue {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"):
            return try nested { parser throws(TokenizerError) in
                .object(try parser.object())
            }
        case UInt8(ascii: "["):
            return try nested { parser throws(TokenizerError) in
                .array(try parser.array())
            }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case .some(let byte) where byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte):
            return try number()
        default: throw expected("a value")
        }
    }

    private mutating func nested(
        _ read: (inout JSONParser) throws(TokenizerError) -> JSONValue
    ) throws(TokenizerError) -> JSONValue {
        position += 1
        depth += 1
        guard depth <= Self.deepest else { throw broken("lists and objects are nested too deep") }
        let value = try read(&self)
        depth -= 1
        return value
    }

    private mutating func object() throws(TokenizerError) -> [(key: String, value: JSONValue)] {
        var entries: [(key: String, value: JSONValue)] = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return entries }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw expected("a key") }
            let key = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw expected("a colon") }
            entries.append((key, try value()))
            skipSpace()
            if take(UInt8(ascii: "}")) { return entries }
            guard take(UInt8(ascii: ",")) else { throw expected("a comma or }") }
        }
    }

    private mutating func array() throws(TokenizerError) -> [JSONValue] {
        var values: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return values }
        while true {
            values.append(try value())
            skipSpace()
            if take(UInt8(ascii: "]")) { return values }
            guard take(UInt8(ascii: ",")) else { throw expected("a comma or ]") }
        }
    }

    private mutating func word(
        _ word: StaticString, _ value: JSONValue
    ) throws(TokenizerError) -> JSONValue {
        let letters = Array("\(word)".utf8)
        guard bytes[position...].starts(with: letters) else {
            throw broken("a value was expected")
        }
        position += letters.count
        return value
    }

    private mutating func number() throws(TokenizerError) -> JSONValue {
        let start = position
        while let byte = next,
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "+-.eE".utf8.contains(byte)
        {
            position += 1
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard Double(text) != nil else { throw broken("\(text) is not a number") }
        return .number(text)
    }
}

// MARK: - Strings

extension JSONParser {
    private mutating func string() throws(TokenizerError) -> String {
        position += 1
        var content: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: content, as: UTF8.self) else {
                    throw broken("a string is not valid UTF-8")
                }
                return text
            case UInt8(ascii: "\\"): try escape(into: &content)
            case 0..<0x20: throw broken("a control character stands in a string")
            default: content.append(byte)
            }
        }
        throw broken("a string does not end")
    }

    private mutating func escape(into content: inout [UInt8]) throws(TokenizerError) {
        guard let byte = next else { throw broken("a string does not end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0C)
        case UInt8(ascii: "u"): content.append(contentsOf: String(try scalar()).utf8)
        default: throw broken("a string has an unknown escape")
        }
    }

    private mutating func scalar() throws(TokenizerError) -> Character {
        var value = try unit()
        if (0xD800..<0xDC00).contains(value), next == UInt8(ascii: "\\") {
            position += 1
            guard take(UInt8(ascii: "u")) else { throw broken("half a surrogate pair") }
            let low = try unit()
            guard (0xDC00..<0xE000).contains(low) else { throw broken("half a surrogate pair") }
            value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(value) else { throw broken("half a surrogate pair") }
        return Character(scalar)
    }

    private mutating func unit() throws(TokenizerError) -> UInt32 {
        guard position + 4 <= bytes.count,
            let value = UInt32(
                String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw broken("\\u needs four hexadecimal digits") }
        position += 4
        return value
    }
}
