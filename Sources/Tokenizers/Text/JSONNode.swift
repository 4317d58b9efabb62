import Foundation

/// A value of a JSON file together with where it stands, so that errors can say it.
struct JSONNode {
    let value: JSONValue
    let file: String
    let key: String

    init(_ value: JSONValue, file: String, key: String) {
        self.value = value
        self.file = file
        self.key = key
    }

    /// Reads a whole file.
    init(file url: URL, advice: String) throws(TokenizerError) {
        guard let data = try? Data(contentsOf: url) else {
            throw .unreadableFile(path: url.path, advice: advice)
        }
        self.init(
            try JSONParser.parse(Array(data), file: url.lastPathComponent),
            file: url.lastPathComponent, key: "the document")
    }

    func wrong(_ wanted: String) -> TokenizerError {
        .wrongValue(file: file, key: key, found: value.name, wanted: wanted)
    }

    /// The value of a key, nil where it is absent or null.
    subscript(name: String) -> JSONNode? {
        guard case .object(let entries) = value,
            let entry = entries.last(where: { $0.key == name })
        else { return nil }
        if case .null = entry.value { return nil }
        let path = key == "the document" ? name : "\(key).\(name)"
        return JSONNode(entry.value, file: file, key: path)
    }

    func require(_ name: String) throws(TokenizerError) -> JSONNode {
        _ = try entries
        guard let node = self[name] else {
            let path = key == "the document" ? name : "\(key).\(name)"
            throw .wrongValue(file: file, key: path, found: "missing", wanted: "there")
        }
        return node
    }

    var string: String {
        get throws(TokenizerError) {
            guard case .string(let text) = value else { throw wrong("a string") }
            return text
        }
    }

    var integer: Int {
        get throws(TokenizerError) {
            guard case .number(let text) = value, let number = Int(text), number >= 0,
                number < 1 << 31
            else { throw wrong("a whole number of 0 or more") }
            return number
        }
    }

    var bool: Bool {
        get throws(TokenizerError) {
            guard case .bool(let value) = value else { throw wrong("true or false") }
            return value
        }
    }

    var elements: [JSONNode] {
        get throws(TokenizerError) {
            guard case .array(let values) = value else { throw wrong("a list") }
            return values.enumerated().map {
                JSONNode($0.element, file: file, key: "\(key)[\($0.offset)]")
            }
        }
    }

    var entries: [(key: String, value: JSONValue)] {
        get throws(TokenizerError) {
            guard case .object(let entries) = value else { throw wrong("an object") }
            return entries
        }
    }

    func bool(_ name: String, default value: Bool) throws(TokenizerError) -> Bool {
        guard let node = self[name] else { return value }
        return try node.bool
    }
}
