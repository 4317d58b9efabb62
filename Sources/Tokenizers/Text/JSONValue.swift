/// A JSON document, with keys in the order of the file and numbers as they were written.
///
/// Foundation's parser keeps neither the order of keys nor keys that are canonically
/// equivalent, and a vocabulary may hold such keys.
enum JSONValue {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([(key: String, value: JSONValue)])

    /// What an error message calls this value.
    var name: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let text): text
        case .string(let text): "\"\(text.prefix(40))\""
        case .array: "a list"
        case .object: "an object"
        }
    }
}

// MARK: - Writing

extension JSONValue {
    static func integer(_ value: Int) -> JSONValue { .number(String(value)) }

    /// The document as text, one entry a line, indented by one space a level.
    var text: String {
        var output = ""
        write(to: &output, indent: "\n")
        return output + "\n"
    }

    private func write(to output: inout String, indent: String) {
        switch self {
        case .null: output += "null"
        case .bool(let value): output += value ? "true" : "false"
        case .number(let text): output += text
        case .string(let text): Self.quote(text, to: &output)
        case .array(let values):
            Self.list(values, "[", "]", to: &output, indent: indent) { value, inner, output in
                value.write(to: &output, indent: inner)
            }
        case .object(let entries):
            Self.list(entries, "{", "}", to: &output, indent: indent) { entry, inner, output in
                Self.quote(entry.key, to: &output)
                output += ": "
                entry.value.write(to: &output, indent: inner)
            }
        }
    }

    private static func list<Element>(
        _ elements: [Element], _ open: String, _ close: String, to output: inout String,
        indent: String, write: (Element, String, inout String) -> Void
    ) {
        output += open
        let inner = indent + " "
        for (index, element) in elements.enumerated() {
            output += (index == 0 ? "" : ",") + inner
            write(element, inner, &output)
        }
        output += (elements.isEmpty ? "" : indent) + close
    }

    private static func quote(_ text: String, to output: inout String) {
        output += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: output.unicodeScalars.append(scalar)
            }
        }
        output += "\""
    }
}
