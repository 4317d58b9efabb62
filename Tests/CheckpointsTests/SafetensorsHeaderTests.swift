import Checkpoints
import Foundation
import TestSupport
import Testing
import Torch

@Suite("Safetensors files that lie")
struct SafetensorsHeaderTests {
    struct Lie: Sendable, CustomTestStringConvertible {
        let header: String
        let data: Int
        var length: UInt64?
        let part: String
        var testDescription: String { "\(header.prefix(70)) \(data) \(length ?? 0)" }
    }

    static func entry(
        _ type: String, _ shape: String, _ start: Int, _ end: Int, name: String = "a"
    ) -> String { SafetensorsFiles.entry(name, type, shape, start, end) }

    static let lies = [
        Lie(header: "{}", data: 0, length: 1, part: "is no safetensors file"),
        Lie(header: "{}", data: 0, length: 3, part: "claims 3 bytes"),
        Lie(header: "{}", data: 0, length: .max, part: "is no safetensors file"),
        Lie(header: "{}", data: 0, length: 1 << 63, part: "is no safetensors file"),
        Lie(header: "[]", data: 0, part: "is no safetensors file"),
        Lie(header: "{\"a\": ", data: 0, part: "not a JSON object"),
        Lie(
            header: "{\"a\": " + String(repeating: "[", count: 5000), data: 0,
            part: "not a JSON object"),
        Lie(
            header: "{\(entry("F32", "[1]", 0, 4)), \(entry("F32", "[2]", 0, 8))}", data: 8,
            part: "a stands twice in the header"),
        Lie(
            header: "{\(entry("F32", "[1]", 0, 4, name: "\\\"{:"))"
                + ",\(entry("F32", "[1]", 4, 8)),\(entry("F32", "[1]", 8, 12))}", data: 12,
            part: "a stands twice in the header"),
        Lie(header: "{\"a\": 3}", data: 4, part: "entry of a"),
        Lie(header: "{\"a\": {\"dtype\": \"F32\"}}", data: 4, part: "entry of a"),
        Lie(header: "{\(entry("F31", "[1]", 0, 4))}", data: 4, part: "type F31"),
        Lie(header: "{\(entry("F32", "[1]", 0, 8))}", data: 8, part: "needs 4 bytes"),
        Lie(header: "{\(entry("F32", "[2]", 0, 4))}", data: 4, part: "needs 8 bytes"),
        Lie(header: "{\(entry("F32", "[-1]", 0, 4))}", data: 4, part: "entry of a"),
        Lie(header: "{\(entry("F32", "[1.5]", 0, 4))}", data: 4, part: "entry of a"),
        Lie(header: "{\(entry("F32", "[1e300]", 0, 4))}", data: 4, part: "entry of a"),
        Lie(
            header: "{\(entry("F32", "[99999999999999999999]", 0, 4))}", data: 4,
            part: "entry of a"),
        Lie(header: "{\(entry("F32", "\"x\"", 0, 4))}", data: 4, part: "entry of a"),
        Lie(
            header: "{\(entry("F32", "[4294967296, 4294967296]", 0, 4))}", data: 4,
            part: "impossible shape"),
        Lie(header: "{\(entry("F32", "[1]", 4, 0))}", data: 4, part: "bytes 4 to 0"),
        Lie(header: "{\(entry("F32", "[1]", -4, 0))}", data: 4, part: "bytes -4 to 0"),
        Lie(header: "{\(entry("F32", "[2]", 0, 8))}", data: 7, part: "truncated"),
        Lie(
            header: "{\(entry("F32", "[1]", 9223372036854775800, 9223372036854775804))}",
            data: 4, part: "truncated"),
        Lie(
            header: "{\(entry("F32", "[2]", 0, 8)), \(entry("F32", "[2]", 4, 12, name: "b"))}",
            data: 12, part: "a and b lie on the same bytes"),
    ]

    @Test("A lying header is an error that says what is wrong", arguments: lies)
    func lie(_ lie: Lie) throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("model.safetensors")
            try SafetensorsFiles.bytes(header: lie.header, data: lie.data, length: lie.length)
                .write(to: url)
            let message = SafetensorsFiles.message { _ = try SafetensorsFile(url) }
            #expect(message.contains(lie.part), "\(message)")
            #expect(message.contains("model.safetensors"), "\(message)")
        }
    }

    @Test("No file, no bytes, too few bytes and a folder are errors", arguments: [0, 1, 7])
    func noFile(_ count: Int) throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("model.safetensors")
            #expect(SafetensorsFiles.message { _ = try SafetensorsFile(url) }.contains("opened"))
            try Data(repeating: 1, count: count).write(to: url)
            let message = SafetensorsFiles.message { _ = try SafetensorsFile(url) }
            #expect(message.contains(count == 0 ? "is empty" : "too few"), "\(message)")
            let directory = SafetensorsFiles.message { _ = try SafetensorsFile(folder) }
            #expect(directory.contains("is not a file"), "\(directory)")
        }
    }

    @Test("A pipe is an error and is not waited for")
    func pipe() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("model.safetensors")
            #expect(mkfifo(url.path, 0o600) == 0)
            let message = SafetensorsFiles.message { _ = try SafetensorsFile(url) }
            #expect(message.contains("is not a file"), "\(message)")
        }
    }

    @Test("A tensor that is not aligned is read all the same")
    func misaligned() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("model.safetensors")
            for padding in 0..<8 {
                let entries = [
                    Self.entry("U8", "[3]", 0, 3), Self.entry("I32", "[2]", 3, 11, name: "b"),
                ]
                let header =
                    "{\(entries.joined(separator: ", "))}"
                    + String(repeating: " ", count: padding)
                try SafetensorsFiles.bytes(header: header, data: 11).write(to: url)
                let file = try SafetensorsFile(url)
                #expect(try file.tensor("a").array(UInt8.self) == [1, 2, 3])
                #expect(try file.tensor("b").array(Int32.self) == [0x0706_0504, 0x0b0a_0908])
            }
        }
    }

    @Test("Tensors outlive the file object, and writing to them leaves the file alone")
    func lifetime() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("model.safetensors")
            try writeSafetensors(["a": Tensor([1, 2, 3] as [Float])], to: url)
            let tensor = try SafetensorsFile(url).tensor("a")
            try tensor.multiplyInPlace(10)
            #expect(try tensor.array(Float.self) == [10, 20, 30])
            #expect(try SafetensorsFile(url).tensor("a").array(Float.self) == [1, 2, 3])
            let message = SafetensorsFiles.message { _ = try SafetensorsFile(url).tensor("b") }
            #expect(message.contains("no tensor b"), "\(message)")
        }
    }
}
