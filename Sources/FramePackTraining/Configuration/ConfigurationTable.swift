import Foundation
import FramePack

/// A table of a configuration: every key is optional, and a key that nothing reads is an error.
protocol ConfigurationTable<Key>: Codable, Sendable, Equatable {
    associatedtype Key: CodingKey & CaseIterable & RawRepresentable<String>
}

/// Reads the keys of a table over its defaults.
struct ConfigurationReader<Key: CodingKey & CaseIterable & RawRepresentable<String>> {
    private let fields: KeyedDecodingContainer<Key>

    /// Opens a table.
    ///
    /// - Throws: `DecodingError` at the first key, by name, that the table does not have.
    init(_ decoder: any Decoder, as table: some ConfigurationTable<Key>) throws {
        let known = Key.allCases.map(\.rawValue)
        let found = try decoder.container(keyedBy: AnyKey.self)
        for key in found.allKeys.sorted(by: { $0.stringValue < $1.stringValue })
        where !known.contains(key.stringValue) {
            let nearest =
                KnownKeys.nearest(to: key.stringValue, among: known)
                .map { "the nearest is \"\($0)\"" } ?? "it has \(known.joined(separator: ", "))"
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath + [key],
                    debugDescription: "there is no such setting; \(nearest)"))
        }
        fields = try decoder.container(keyedBy: Key.self)
    }

    /// Replaces a default where the file has a value.
    func read<Value: Decodable>(_ key: Key, _ value: inout Value) throws {
        value = try fields.decodeIfPresent(Value.self, forKey: key) ?? value
    }

    /// Replaces a default where the file has one of the words that there are for it.
    func read<Value: RawRepresentable<String> & CaseIterable & Decodable>(
        _ key: Key, _ value: inout Value
    ) throws {
        value = try fields.decodeIfPresent(Choice<Value>.self, forKey: key)?.value ?? value
    }

    /// Replaces nil where the file has a value.
    func read<Value: Decodable>(_ key: Key, _ value: inout Value?) throws {
        value = try fields.decodeIfPresent(Value.self, forKey: key) ?? value
    }
}

/// One of several words; any other is an error that lists them.
struct Choice<Value: RawRepresentable<String> & CaseIterable>: Decodable {
    let value: Value

    init(from decoder: any Decoder) throws {
        let word = try decoder.singleValueContainer().decode(String.self)
        guard let value = Value(rawValue: word) else {
            let known = Value.allCases.map(\.rawValue).joined(separator: ", ")
            throw SettingProblem(
                path: decoder.codingPath.map(\.stringValue),
                reason: "\"\(word)\"; it must be among \(known)")
        }
        self.value = value
    }
}

/// A key of any name.
struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

/// A setting whose value cannot be, by the path of its key.
struct SettingProblem: Error, Equatable {
    let path: [String]
    /// What is wrong, beginning with what was found.
    let reason: String
}

/// Checks values of a table, so that what is wrong is named by its key.
struct SettingChecker {
    private let table: [String]

    /// Checks the settings of a table; nil stands for the file's own.
    init(_ table: String?) { self.table = table.map { [$0] } ?? [] }

    /// Throws unless a number lies in its range.
    func check<Number: Comparable>(
        _ key: String, _ value: Number?, in range: ClosedRange<Number>
    ) throws(SettingProblem) {
        guard let value, !range.contains(value) else { return }
        throw SettingProblem(
            path: table + [key],
            reason: "\(value); it must be from \(range.lowerBound) to \(range.upperBound)")
    }

    /// Throws a problem of a key unless a condition holds.
    func require(_ isFine: Bool, _ key: String, _ reason: @autoclosure () -> String)
        throws(SettingProblem)
    {
        if !isFine { throw SettingProblem(path: table + [key], reason: reason()) }
    }
}

/// Reads a TOML file as a value, with the file and the line in front of whatever is wrong with it.
struct ConfigurationFile {
    /// Where the file lies.
    let url: URL
    /// The whole of it.
    let root: TOMLValue

    /// Reads a file.
    ///
    /// - Throws: `TrainingError` for a file that is missing or no TOML.
    init(_ url: URL) throws {
        self.url = url
        guard let data = try? Data(contentsOf: url) else {
            throw TrainingError("there is no file \(url.path), or it cannot be read")
        }
        guard let text = String(bytes: data, encoding: .utf8) else {
            throw TrainingError("\(url.path) is not UTF-8 text")
        }
        do { root = try TOMLParser.parse(text) } catch {
            throw TrainingError("\(url.path), line \(error.line): \(error.reason)")
        }
    }

    /// Decodes a value of the file and checks it.
    ///
    /// - Parameters:
    ///   - value: The part of the file that holds it.
    ///   - path: Where in the file that part is.
    /// - Throws: `TrainingError` that names file, line and setting.
    func decode<Value: Decodable>(
        _ type: Value.Type, from value: TOMLValue? = nil, at path: [String] = [],
        check: (Value) throws -> Void = { _ in }
    ) throws -> Value {
        do {
            let result = try type.init(from: TOMLDecoder(value ?? root))
            try check(result)
            return result
        } catch let error as SettingProblem {
            throw problem(path + error.path, "is \(error.reason)")
        } catch let error as DecodingError {
            let (place, reason) = Self.described(error)
            throw problem(path + place, reason)
        }
    }

    /// An error about a setting.
    func problem(_ path: [String], _ reason: String) -> TrainingError {
        let line = root.nearest(path).line
        return TrainingError("\(url.path), line \(line): \(Self.name(path)) \(reason)")
    }

    /// A path as people write it: `optimizer.learning_rate`.
    private static func name(_ path: [String]) -> String {
        path.reduce("") { name, key in
            if let index = Int(key) { return "\(name)[\(index + 1)]" }
            return name.isEmpty ? key : "\(name).\(key)"
        }
    }

    private static func described(_ error: DecodingError) -> ([String], String) {
        func path(_ context: DecodingError.Context) -> [String] {
            context.codingPath.map(\.stringValue)
        }
        switch error {
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            return (path(context), "must be \(word(type))")
        case .keyNotFound(let key, let context):
            return (path(context) + [key.stringValue], "is missing")
        case .dataCorrupted(let context):
            return (path(context), "cannot be used: \(context.debugDescription)")
        @unknown default: return ([], "cannot be used: \(error)")
        }
    }

    private static func word(_ type: Any.Type) -> String {
        switch type {
        case is String.Type: "a text in quotation marks"
        case is Int.Type: "a whole number"
        case is Double.Type: "a number"
        case is Bool.Type: "true or false"
        default: "\(type)".hasPrefix("Array") ? "an array" : "a table"
        }
    }
}
