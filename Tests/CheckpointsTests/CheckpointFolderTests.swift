import Checkpoints
import Foundation
import TestSupport
import Testing
import Torch
import TorchNN

@Suite("Folders of weights")
struct CheckpointFolderTests {
    static func write(_ names: [String], _ file: String, in folder: URL) throws {
        var tensors: [String: Tensor] = [:]
        for (index, name) in names.enumerated() {
            tensors[name] = try Tensor([Float(index), 1, 2, 3], [2, 2])
        }
        try writeSafetensors(tensors, to: folder.appendingPathComponent(file))
    }

    static func writeIndex(_ map: [String: String], in folder: URL) throws {
        let data = try JSONEncoder().encode(["weight_map": map])
        try data.write(to: folder.appendingPathComponent("model.safetensors.index.json"))
    }

    static func message(_ folder: URL) -> String {
        SafetensorsFiles.message { _ = try CheckpointFolder(folder) }
    }

    static let first = "model-00001-of-00002.safetensors"
    static let second = "model-00002-of-00002.safetensors"

    @Test("Shards are read as one folder")
    func shards() throws {
        try withTemporaryFolder { folder in
            try Self.write(["a", "b"], Self.first, in: folder)
            try Self.write(["c"], Self.second, in: folder)
            try Self.writeIndex(["a": Self.first, "b": Self.first, "c": Self.second], in: folder)
            let opened = try CheckpointFolder(folder)
            #expect(opened.entries.keys.sorted() == ["a", "b", "c"])
            #expect(opened.file(of: "c")?.url.lastPathComponent == Self.second)
            #expect(opened.file(of: "d") == nil)
        }
    }

    @Test("A missing shard is named")
    func missingShard() throws {
        try withTemporaryFolder { folder in
            try Self.write(["a"], Self.first, in: folder)
            try Self.writeIndex(["a": Self.first, "c": Self.second], in: folder)
            let message = Self.message(folder)
            #expect(message.contains("lacks \(Self.second)"), "\(message)")
        }
    }

    @Test("A tensor that stands in two shards is named")
    func duplicate() throws {
        try withTemporaryFolder { folder in
            try Self.write(["a", "b"], Self.first, in: folder)
            try Self.write(["b"], Self.second, in: folder)
            try Self.writeIndex(["a": Self.first, "b": Self.second], in: folder)
            let message = Self.message(folder)
            #expect(message.contains("b stands in both"), "\(message)")
        }
    }

    @Test("An index that points to the wrong shard names the tensor")
    func wrongShard() throws {
        try withTemporaryFolder { folder in
            try Self.write(["a"], Self.first, in: folder)
            try Self.write(["b"], Self.second, in: folder)
            try Self.writeIndex(["a": Self.second, "b": Self.second, "x": Self.first], in: folder)
            #expect(Self.message(folder).contains("the index places"))
        }
    }

    @Test(
        "An index that points outside the folder is refused",
        arguments: ["../model.safetensors", "/etc/passwd", "sub/model.safetensors", ".."])
    func outside(_ path: String) throws {
        try withTemporaryFolder { folder in
            try Self.writeIndex(["a": path], in: folder)
            let message = Self.message(folder)
            #expect(
                message.contains("points outside its folder") || message.contains("not a file"),
                "\(message)")
        }
    }

    @Test("A folder without weights, and a broken index, are errors")
    func nothing() throws {
        try withTemporaryFolder { folder in
            #expect(Self.message(folder).contains("has no weights"))
            let index = folder.appendingPathComponent("model.safetensors.index.json")
            try Data("{".utf8).write(to: index)
            #expect(Self.message(folder).contains("not valid JSON"))
            try Data("{}".utf8).write(to: index)
            #expect(Self.message(folder).contains("\"weight_map\" is missing"))
        }
    }

    @Test("A truncated file is an error, wherever it is cut")
    func truncated() throws {
        try withTemporaryFolder { folder in
            try Self.write(["a", "b"], "model.safetensors", in: folder)
            let url = folder.appendingPathComponent("model.safetensors")
            let whole = try Data(contentsOf: url)
            for count in 0..<whole.count {
                try whole.prefix(count).write(to: url)
                #expect(Self.message(folder) != "", "\(count) of \(whole.count) bytes")
            }
        }
    }

    @Test("A configuration that is missing or wrong is named with its key")
    func configuration() throws {
        struct Config: Decodable {
            struct Inner: Decodable { let size: Int }
            let inner: Inner
        }
        try withTemporaryFolder { folder in
            func message() -> String {
                SafetensorsFiles.message {
                    _ = try CheckpointFolder.json(Config.self, in: folder)
                }
            }
            #expect(message().contains("config.json is missing"))
            let cases = [
                ("{", "not valid JSON"), ("{}", "\"inner\" is missing"),
                ("{\"inner\": {}}", "\"inner.size\" is missing"),
                ("{\"inner\": {\"size\": \"x\"}}", "\"inner.size\" should be a Int"),
            ]
            for (json, part) in cases {
                try Data(json.utf8).write(to: folder.appendingPathComponent("config.json"))
                #expect(message().contains(part), "\(message())")
            }
        }
    }

    @Test("Weights missing, misshapen or left over are named; prefixes come off")
    func weights() throws {
        try withTemporaryFolder { folder in
            try Self.write(["p.a", "p.b", "p.extra"], "model.safetensors", in: folder)
            let opened = try CheckpointFolder(folder)
            let source = CheckpointWeights(opened, dtype: .float64, prefixes: ["q.", "p."])
            #expect(source.contains("a") && !source.contains("p.a"))
            let weights = Weights(source)
            let a = try weights.parameter("a", [2, 2], .zeros)
            #expect(a.value.dtype == .float64)
            #expect(try a.value.array(Double.self) == [0, 1, 2, 3])
            let shape = SafetensorsFiles.message {
                _ = try weights.parameter("b", [4], .zeros)
            }
            #expect(shape.contains("p.b has the shape [2, 2]") && shape.contains("[4]"))
            let missing = SafetensorsFiles.message {
                _ = try weights["c"].parameter("weight", [1], .zeros)
            }
            #expect(missing.contains("lacks the tensor p.c.weight"), "\(missing)")
            _ = try weights.parameter("b", [2, 2], .zeros)
            let extra = SafetensorsFiles.message { try source.checkAllUsed() }
            #expect(extra.contains("holds the tensor p.extra,"), "\(extra)")
            let tolerant = CheckpointWeights(opened, ignoring: { $0.hasPrefix("p.") })
            try tolerant.checkAllUsed()
        }
    }
}
