/// Reads TOML 1.0: a strict reader, which names the line of whatever it does not understand.
///
/// Source: toml.io/en/v1.0.0.
package struct TOMLParser {
    /// How many tables and arrays a value may lie within: more than any configuration needs, and few
    /// enough for all that goes through values from level to level.
    package static let deepest = 100

    private var text: TOMLText
    private var root = TOMLTable()
    /// Where keys go that no header precedes; changed by each `[header]`.
    private var place: [String] = []
    /// The key whose value is read, for errors.
    private var name = ""

    /// Reads a whole file.
    ///
    /// - Throws: `TOMLError` with the first line that is wrong.
    package static func parse(_ source: String) throws(TOMLError) -> TOMLValue {
        var parser = TOMLParser(text: TOMLText(source))
        return try parser.document()
    }

    private init(text: TOMLText) { self.text = text }

    private mutating func document() throws(TOMLError) -> TOMLValue {
        while true {
            text.skipBlankLines()
            guard let next = text.peek else { return root.value(line: 1) }
            if next == "[" { try header() } else { try assignment() }
            try text.endLine()
        }
    }

    private mutating func header() throws(TOMLError) {
        let line = text.line
        text.advance()
        let isElement = text.peek == "["
        if isElement { text.advance() }
        let path = try key(within: 0)
        try text.expect("]")
        if isElement { try text.expect("]") }
        try root.open(path[...], isElement: isElement, line: line)
        place = path
    }

    private mutating func assignment() throws(TOMLError) {
        let line = text.line
        let path = try key(within: place.count)
        name = path.joined(separator: ".")
        try text.expect("=")
        text.skipSpaces()
        let value = try value(within: place.count + path.count)
        try root.assign(place[...], path[...], value, line: line)
    }

    /// A key with its dots, of a table that lies within so many others.
    private mutating func key(within levels: Int) throws(TOMLError) -> [String] {
        var path: [String] = []
        repeat {
            try checkDepth(levels + path.count)
            if !path.isEmpty { text.advance() }
            text.skipSpaces()
            path.append(try simpleKey())
            text.skipSpaces()
        } while text.peek == "."
        return path
    }

    private mutating func simpleKey() throws(TOMLError) -> String {
        if text.peek == "\"" || text.peek == "'" { return try text.quoted() }
        let word = text.take { $0.isTOMLBareKey }
        guard !word.isEmpty else { throw text.error("a key is missing before \(text.shown)") }
        return word
    }

    private func checkDepth(_ levels: Int) throws(TOMLError) {
        guard levels < Self.deepest else {
            throw text.error(
                "the value lies within more than \(Self.deepest) tables and arrays; no setting needs "
                    + "so many, so look for brackets or dots that are too many")
        }
    }

    /// A value that lies within so many tables and arrays.
    private mutating func value(within levels: Int) throws(TOMLError) -> TOMLValue {
        let line = text.line
        switch text.peek {
        case "\"", "'":
            return TOMLValue(content: .string(try text.string()), line: line)
        case "[": return TOMLValue(content: .array(try array(within: levels)), line: line)
        case "{": return try inlineTable(within: levels)
        default: return TOMLValue(content: try TOMLScalar.read(&text, name), line: line)
        }
    }

    private mutating func array(within levels: Int) throws(TOMLError) -> [TOMLValue] {
        try checkDepth(levels)
        text.advance()
        var elements: [TOMLValue] = []
        while true {
            text.skipBlankLines()
            if text.peek == "]" { break }
            elements.append(try value(within: levels + 1))
            text.skipBlankLines()
            if text.peek != "]" { try text.expect(",") }
        }
        text.advance()
        return elements
    }

    private mutating func inlineTable(within levels: Int) throws(TOMLError) -> TOMLValue {
        let line = text.line
        text.advance()
        let table = TOMLTable()
        text.skipSpaces()
        while text.peek != "}" {
            let (here, path) = (text.line, try key(within: levels))
            name = path.joined(separator: ".")
            try text.expect("=")
            text.skipSpaces()
            try table.assign([], path[...], try value(within: levels + path.count), line: here)
            text.skipSpaces()
            if text.peek != "}" { try text.expect(",") }
        }
        text.advance()
        return table.value(line: line)
    }
}

/// A table while it is read: what may still be added to it follows from how it came about.
private struct TOMLTable {
    private final class Node {
        enum Kind { case implied, header, dotted, elements, value }
        var kind: Kind
        var line: Int
        var value: TOMLValue?
        var children: [String: Node] = [:]
        var elements: [Node] = []

        init(_ kind: Kind, line: Int) { (self.kind, self.line) = (kind, line) }

        /// The table that keys go to: of an array of tables the last.
        var table: Node { kind == .elements ? elements[elements.count - 1].table : self }

        func value(line: Int? = nil) -> TOMLValue {
            if let value { return TOMLValue(content: value.content, line: self.line) }
            if kind == .elements {
                return TOMLValue(content: .array(elements.map { $0.value() }), line: self.line)
            }
            return TOMLValue(
                content: .table(children.mapValues { $0.value() }), line: line ?? self.line)
        }
    }

    private let node = Node(.implied, line: 1)

    func value(line: Int) -> TOMLValue { node.value(line: line) }

    /// Begins the table of a `[header]`, or the next element of a `[[header]]`.
    func open(_ path: ArraySlice<String>, isElement: Bool, line: Int) throws(TOMLError) {
        var here = node
        for name in path.dropLast() { here = try child(name, of: here, line: line) }
        guard let name = path.last else { return }
        let known = here.children[name]
        if isElement {
            let list = known ?? Node(.elements, line: line)
            guard list.kind == .elements else { throw twice(path, line: line) }
            list.elements.append(Node(.header, line: line))
            here.children[name] = list
        } else if let known {
            guard known.kind == .implied else { throw twice(path, line: line) }
            (known.kind, known.line) = (.header, line)
        } else {
            here.children[name] = Node(.header, line: line)
        }
    }

    /// Puts a value below a table that is open.
    func assign(
        _ place: ArraySlice<String>, _ path: ArraySlice<String>, _ value: TOMLValue, line: Int
    ) throws(TOMLError) {
        var here = node
        for name in place { here = (here.children[name] ?? here).table }
        for name in path.dropLast() {
            let next = here.children[name] ?? Node(.dotted, line: line)
            guard next.kind == .dotted else { throw twice(path, line: line) }
            here.children[name] = next
            here = next
        }
        guard let name = path.last else { return }
        guard here.children[name] == nil else { throw twice(path, line: line) }
        let leaf = Node(.value, line: line)
        leaf.value = value
        here.children[name] = leaf
    }

    private func child(_ name: String, of node: Node, line: Int) throws(TOMLError) -> Node {
        let next = node.children[name] ?? Node(.implied, line: line)
        guard next.kind != .value else { throw twice([name], line: line) }
        node.children[name] = next
        return next.table
    }

    private func twice(_ path: ArraySlice<String>, line: Int) -> TOMLError {
        TOMLError(line: line, reason: "\(path.joined(separator: ".")) is set a second time")
    }
}

extension Character {
    fileprivate var isTOMLBareKey: Bool {
        isASCII && (isLetter || isNumber || self == "_" || self == "-")
    }
}
