import Checkpoints
import Foundation
import FramePackTraining
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct WriteNetworkTests {
    private struct Stopped: Error {}
    private struct Sizes: Encodable { let width = 4 }

    private struct Filled: WeightSource {
        let value: Double

        func tensor(_ name: String, shape: [Int], initialization: Initialization) throws -> Tensor {
            try .full(shape, value)
        }

        func contains(_ name: String) -> Bool { true }
    }

    /// Weights of 8, 40, 8 and 8 elements, all of one value.
    private func store(_ value: Double) throws -> ParameterStore {
        let weights = Weights(Filled(value: value))
        for (name, count) in [("a", 8), ("b", 40), ("c", 8), ("d", 8)] {
            _ = try weights.parameter(name, [count], .ones)
        }
        return weights.store
    }

    private func write(
        _ value: Double, to folder: URL, limit: Int = 32, further: (URL) throws -> Void = { _ in }
    ) throws {
        try writeNetwork(
            store(value), stem: "model", config: Sizes(), to: folder, limit: limit,
            further: further)
    }

    private func values(_ folder: URL) throws -> [String: Set<Float>] {
        let checkpoint = try CheckpointFolder(folder)
        return try checkpoint.entries.keys.reduce(into: [:]) { all, name in
            let tensor = try #require(checkpoint.file(of: name)).tensor(name)
            #expect(tensor.dtype == .bfloat16)
            all[name] = Set(try tensor.to(.float32).array(Float.self))
        }
    }

    private func names(_ folder: URL) throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: folder.path))
    }

    @Test func weightsAreCutIntoFilesBelowTheLimit() throws {
        try withTemporaryFolder { folder in
            let target = folder.appendingPathComponent("transformer")
            try write(1.5, to: target)
            // 16, 80, and twice 16 bytes: what is larger than a file may be has one of its own.
            let files = (1...3).map { "model-0000\($0)-of-00003.safetensors" }
            #expect(
                try names(target) == Set(files + ["model.safetensors.index.json", "config.json"]))
            #expect(try values(target) == ["a": [1.5], "b": [1.5], "c": [1.5], "d": [1.5]])
            try write(2, to: target, limit: 1000)
            #expect(try names(target) == ["model.safetensors", "config.json"])
        }
    }

    /// Whoever looks, or whenever the process dies, there is a whole network: the old or the new one.
    @Test func theOldNetworkStandsUntilTheNewOneIsWhole() throws {
        try withTemporaryFolder { folder in
            let target = folder.appendingPathComponent("transformer")
            try write(1, to: target)
            try Data("a note".utf8).write(to: target.appendingPathComponent("note.txt"))
            #expect(throws: Stopped.self) {
                try write(2, to: target) { new in
                    #expect(try values(new)["a"] == [2])
                    #expect(try values(target)["a"] == [1])
                    throw Stopped()
                }
            }
            #expect(try values(target) == ["a": [1], "b": [1], "c": [1], "d": [1]])
            // What a killed process left is no obstacle.
            let left = folder.appendingPathComponent(".transformer.part")
            try FileManager.default.createDirectory(at: left, withIntermediateDirectories: true)
            try Data("half".utf8).write(to: left.appendingPathComponent("half.safetensors"))
            try write(3, to: target) { new in
                try Data("more".utf8).write(to: new.appendingPathComponent("more.safetensors"))
            }
            #expect(try values(target) == ["a": [3], "b": [3], "c": [3], "d": [3]])
            #expect(try names(target).isSuperset(of: ["note.txt", "more.safetensors"]))
            #expect(try !names(target).contains("half.safetensors"))
            #expect(try names(folder) == ["transformer"])
        }
    }
}
