/// Decodes a type from a value of a TOML file; what is wrong has the path of its key.
///
/// A way through JSON would lose that path for numbers that are too large or no whole ones.
struct TOMLDecoder: Decoder, SingleValueDecodingContainer {
    private let value: TOMLValue
    let codingPath: [any CodingKey]
    let userInfo: [CodingUserInfoKey: Any] = [:]

    /// Prepares the decoding of a value.
    init(_ value: TOMLValue) { self.init(value, at: []) }

    fileprivate init(_ value: TOMLValue, at path: [any CodingKey]) {
        (self.value, codingPath) = (value, path)
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard let table = value.table else { throw mismatch([String: TOMLValue].self) }
        return KeyedDecodingContainer(TOMLTableContainer(table, at: codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard let elements = value.array else { throw mismatch([TOMLValue].self) }
        return TOMLArrayContainer(elements, at: codingPath)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

    /// False: TOML has no null.
    func decodeNil() -> Bool { false }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let found: Any? =
            switch type {
            case is String.Type: value.text
            case is Bool.Type: value.flag
            case is Double.Type: try number()
            case let whole as any FixedWidthInteger.Type: try integer(whole)
            default: try type.init(from: self)
            }
        guard let result = found as? Value else { throw mismatch(type) }
        return result
    }

    private func number() throws -> Double? {
        guard let number = value.number else { return nil }
        guard number.isFinite else { throw problem("\(number); it must be a finite number") }
        return number
    }

    private func integer<Whole: FixedWidthInteger>(_ type: Whole.Type) throws -> Whole? {
        guard let number = value.number else { return nil }
        if case .integer(let whole) = value.content, let exact = Whole(exactly: whole) {
            return exact
        }
        guard let whole = Whole(exactly: number) else {
            let isWhole = number == number.rounded()
            throw problem(
                "\(number); it must be a whole number"
                    + (isWhole ? " from \(Whole.min) to \(Whole.max)" : ""))
        }
        return whole
    }

    private func problem(_ reason: String) -> SettingProblem {
        SettingProblem(path: codingPath.map(\.stringValue), reason: reason)
    }

    private func mismatch(_ type: any Any.Type) -> DecodingError {
        .typeMismatch(type, .init(codingPath: codingPath, debugDescription: "it is something else"))
    }
}

extension TOMLValue {
    fileprivate var text: String? {
        switch content {
        case .string(let text), .date(let text): text
        default: nil
        }
    }

    fileprivate var flag: Bool? { if case .boolean(let flag) = content { flag } else { nil } }

    fileprivate var number: Double? {
        switch content {
        case .integer(let number): Double(number)
        case .float(let number): number
        default: nil
        }
    }
}

/// A key of a table, or the place of an element, from 0.
private struct TOMLKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(stringValue: String) { (self.stringValue, intValue) = (stringValue, nil) }
    init(intValue: Int) { (stringValue, self.intValue) = ("\(intValue)", intValue) }
}

private struct TOMLTableContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let table: [String: TOMLValue]
    let codingPath: [any CodingKey]

    init(_ table: [String: TOMLValue], at path: [any CodingKey]) {
        (self.table, codingPath) = (table, path)
    }

    var allKeys: [Key] { table.keys.compactMap(Key.init) }

    func contains(_ key: Key) -> Bool { table[key.stringValue] != nil }

    func decodeNil(forKey key: Key) throws -> Bool { !contains(key) }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try decoder(key).decode(type)
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws
        -> KeyedDecodingContainer<Nested>
    { try decoder(key).container(keyedBy: type) }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try decoder(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { try decoder(TOMLKey(stringValue: "super")) }

    func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key) }

    private func decoder(_ key: some CodingKey) throws -> TOMLDecoder {
        guard let value = table[key.stringValue] else {
            throw DecodingError.keyNotFound(
                key, .init(codingPath: codingPath, debugDescription: "there is no such key"))
        }
        return TOMLDecoder(value, at: codingPath + [key])
    }
}

private struct TOMLArrayContainer: UnkeyedDecodingContainer {
    private let elements: [TOMLValue]
    let codingPath: [any CodingKey]
    private(set) var currentIndex = 0

    init(_ elements: [TOMLValue], at path: [any CodingKey]) {
        (self.elements, codingPath) = (elements, path)
    }

    var count: Int? { elements.count }
    var isAtEnd: Bool { currentIndex == elements.count }

    func decodeNil() -> Bool { false }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try next(type).decode(type)
    }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws
        -> KeyedDecodingContainer<Nested>
    { try next(type).container(keyedBy: type) }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try next([TOMLValue].self).unkeyedContainer()
    }

    mutating func superDecoder() throws -> any Decoder { try next(TOMLValue.self) }

    private mutating func next(_ type: any Any.Type) throws -> TOMLDecoder {
        let path = codingPath + [TOMLKey(intValue: currentIndex)]
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(
                type, .init(codingPath: path, debugDescription: "the array is shorter"))
        }
        defer { currentIndex += 1 }
        return TOMLDecoder(elements[currentIndex], at: path)
    }
}
