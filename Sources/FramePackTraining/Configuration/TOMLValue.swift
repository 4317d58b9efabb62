/// A value of a TOML file, with the line that it stands in.
package struct TOMLValue: Equatable {
    /// What a value can be; dates and times are read and kept as their text.
    package indirect enum Content: Equatable {
        case string(String)
        case integer(Int)
        case float(Double)
        case boolean(Bool)
        case date(String)
        case array([TOMLValue])
        case table([String: TOMLValue])
    }

    /// The value.
    package let content: Content
    /// The line of its key, from 1.
    package let line: Int

    /// Makes a value.
    package init(content: Content, line: Int) { (self.content, self.line) = (content, line) }

    /// The table, where it is one.
    var table: [String: TOMLValue]? {
        if case .table(let table) = content { table } else { nil }
    }

    /// The elements, where it is an array.
    var array: [TOMLValue]? {
        if case .array(let array) = content { array } else { nil }
    }

    /// The value at the end of a path of keys and of numbers of elements.
    ///
    /// - Returns: The deepest value that is there.
    func nearest(_ path: some Sequence<String>) -> TOMLValue {
        var value = self
        for key in path {
            if let next = value.table?[key] {
                value = next
            } else if let array = value.array, let index = Int(key), array.indices.contains(index) {
                value = array[index]
            } else {
                break
            }
        }
        return value
    }
}

/// Why a text is no TOML.
package struct TOMLError: Error, Equatable {
    /// The line, from 1.
    package let line: Int
    /// What is wrong, without a full stop.
    package let reason: String
}
