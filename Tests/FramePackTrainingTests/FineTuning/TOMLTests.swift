import Foundation
import FramePackTraining
import TestSupport
import Testing

@Suite struct TOMLTests {
    /// A file with every form, against what Python's own reader made of it.
    @Test func everyFormIsReadAsPythonReadsIt() throws {
        let text = try String(contentsOf: Fixtures.url("toml/everything.toml"), encoding: .utf8)
        let wanted = try JSONSerialization.jsonObject(
            with: Data(contentsOf: Fixtures.url("toml/everything.json")))
        let actual = try TOMLParser.parse(text)
        #expect(try Self.text(Self.json(Self.withoutDates(actual))) == Self.text(wanted))
    }

    /// The value as what `JSONSerialization` writes; numbers that JSON lacks become texts.
    private static func json(_ value: TOMLValue) -> Any {
        switch value.content {
        case .string(let text), .date(let text): text
        case .integer(let number): number
        case .float(let number): number.isFinite ? number : "\(number)"
        case .boolean(let flag): flag
        case .array(let elements): elements.map(json)
        case .table(let table): table.mapValues(json)
        }
    }

    /// Dates stand as a word in the wanted file, since JSON has none.
    private static func withoutDates(_ value: TOMLValue) -> TOMLValue {
        let content: TOMLValue.Content =
            switch value.content {
            case .date: .string("date")
            case .array(let elements): .array(elements.map(withoutDates))
            case .table(let table): .table(table.mapValues(withoutDates))
            default: value.content
            }
        return TOMLValue(content: content, line: value.line)
    }

    /// JSON in one form, whatever it was made from.
    private static func text(_ value: Any) throws -> String {
        let once = try JSONSerialization.data(withJSONObject: value)
        let again = try JSONSerialization.data(
            withJSONObject: JSONSerialization.jsonObject(with: once),
            options: [.sortedKeys, .prettyPrinted])
        return String(decoding: again, as: UTF8.self)
    }

    @Test(arguments: [
        ("a = 1\nb 2\n", 2, "\"=\" is missing"),
        ("a = 1\na = 2\n", 2, "a is set a second time"),
        ("[t]\nx = 1\n[t]\n", 3, "t is set a second time"),
        ("t = 1\n[t]\n", 2, "t is set a second time"),
        ("[[t]]\n[t]\n", 2, "t is set a second time"),
        ("a = { b = 1 }\na.c = 2\n", 2, "a.c is set a second time"),
        ("a = hello\n", 1, "hello is no number"),
        ("a = \"open\nb = 1\n", 1, "not closed"),
        ("a = \"\"\"open\n\n", 1, "not closed by \"\"\""),
        ("a = \"\\q\"\n", 1, "\\q means nothing"),
        ("a = [1, 2\nb = 3\n", 2, "\",\" is missing"),
        ("a = 1 b = 2\n", 1, "the line goes on"),
        ("a = 012\n", 1, "012 is no number"),
        ("a = 1__0\n", 1, "1__0 is no number"),
        ("a = 1.\n", 1, "1. is no number"),
        ("a =\n", 1, "a value is missing"),
        ("\n\n= 1\n", 3, "a key is missing"),
        ("[t\nx = 1\n", 1, "\"]\" is missing"),
        ("a = 1\nb = 99999999999999999999\n", 2, "b is 99999999999999999999"),
        ("a = { b = -9999999999999999999 }\n", 1, "b is -9999999999999999999"),
    ])
    func whatIsWrongIsNamedWithItsLine(_ text: String, line: Int, part: String) {
        do {
            _ = try TOMLParser.parse(text)
            Issue.record("\(text) was read")
        } catch {
            #expect(error.line == line, "\(text): \(error)")
            #expect(error.reason.contains(part), "\(text): \(error)")
        }
    }

    /// Whatever the nesting, the reader ends in an error and not in a crash.
    @Test(arguments: [
        ("a = ", "[", 100_000, ""), ("a = ", "[", 20_000, "]"), ("a = ", "{ b = ", 20_000, "1 }"),
        ("a", ".b", 100_000, " = 1"), ("[a", ".b", 100_000, "]"), ("a = ", "{ b.c = ", 51, "1 }"),
    ])
    func nestingHasAnEnd(_ start: String, _ level: String, _ count: Int, _ end: String) {
        let line = start + String(repeating: level, count: count) + end
        let error = #expect(throws: TOMLError.self) { _ = try TOMLParser.parse("x = 1\n\(line)\n") }
        #expect(error?.line == 2)
        #expect(error?.reason.contains("within more than 100 tables and arrays") == true)
    }

    @Test func aHundredLevelsAreRead() throws {
        let deep = String(repeating: "[", count: 99) + String(repeating: "]", count: 99)
        _ = try TOMLParser.parse("a = \(deep)\n")
    }
}
