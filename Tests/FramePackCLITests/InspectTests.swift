import Checkpoints
import Foundation
import TestSupport
import Testing
import Torch

@Suite struct InspectTests {
    private func json(_ arguments: [String], status: Int32 = 0) throws -> [String: Any] {
        let run = try Program.run(["inspect"] + arguments)
        try #require(run.status == status, "\(run.errors)")
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
        return try #require(object as? [String: Any])
    }

    @Test(arguments: ["transformer", "vae", "text_encoder", "text_encoder_2", "image_encoder"])
    func expectedNamesEveryTensorOfTheReleasedModels(_ part: String) throws {
        let folder = Fixtures.url("released/\(part)")
        let found = try json([folder.path, "--expected"])
        let data = try Data(contentsOf: folder.appendingPathComponent("expected.json"))
        let wanted = try JSONDecoder().decode([String: [Int]].self, from: data)
        #expect(found.count == wanted.count)
        for (name, shape) in wanted {
            #expect(found[name] as? [Int] == shape, "\(name)")
        }
    }

    @Test(arguments: [
        "goldens/transformer/model", "goldens/vae/model", "goldens/text/llama",
        "goldens/text/clip", "goldens/siglip/image_encoder", "transformer/model_sharded_bf16",
        "siglip/prefixed_f16/image_encoder", "text/llama_causal_bf16",
    ])
    func aWholeCheckpointLacksNothing(_ path: String) throws {
        let report = try json([Fixtures.url(path).path, "--json"])
        #expect((report["missing"] as? [String]) == [], "\(path)")
        #expect((report["unexpected"] as? [String]) == [], "\(path)")
        #expect((report["misshapen"] as? [Any])?.count == 0, "\(path)")
        #expect(try #require(report["parameters"] as? Int) > 0)
    }

    @Test func missingUnexpectedAndMisshapenTensorsAreNamed() throws {
        try withTemporaryFolder { folder in
            let source = Fixtures.url("goldens/vae/model")
            var tensors = try SafetensorsFile(
                source.appendingPathComponent("diffusion_pytorch_model.safetensors")
            ).tensors()
            tensors["quant_conv.bias"] = nil
            tensors["strange"] = try .zeros([2])
            tensors["post_quant_conv.bias"] = try .zeros([3])
            try writeSafetensors(
                tensors, to: folder.appendingPathComponent("diffusion_pytorch_model.safetensors"))
            try FileManager.default.copyItem(
                at: source.appendingPathComponent("config.json"),
                to: folder.appendingPathComponent("config.json"))
            let report = try json([folder.path, "--json"], status: 1)
            #expect(report["missing"] as? [String] == ["quant_conv.bias"])
            #expect(report["unexpected"] as? [String] == ["strange"])
            let misshapen = try #require(report["misshapen"] as? [[String: Any]])
            #expect(misshapen.map { $0["name"] as? String } == ["post_quant_conv.bias"])
        }
    }

    @Test func aModelWithoutAPartIsNotWhole() throws {
        try withTemporaryFolder { folder in
            let model = folder.appendingPathComponent("model")
            let source = Fixtures.url("goldens/pipeline/model")
            let files = FileManager.default
            try files.createDirectory(at: model, withIntermediateDirectories: false)
            for part in try files.contentsOfDirectory(atPath: source.path) {
                try files.createSymbolicLink(
                    at: model.appendingPathComponent(part),
                    withDestinationURL: source.appendingPathComponent(part))
            }
            #expect(try Program.run(["inspect", model.path]).status == 0)
            try files.removeItem(at: model.appendingPathComponent("tokenizer"))
            let run = try Program.run(["inspect", model.path])
            #expect(run.status == 1 && run.errors.contains("tokenizer"), "\(run.errors)")
        }
    }

    @Test func aSafetensorsFileIsDescribed() throws {
        let report = try json([Fixtures.url("vae/f1.safetensors").path, "--json"])
        #expect(report["format"] as? String == "safetensors")
    }

    @Test(arguments: ["x.pth", "video.mp4", "passwd"])
    func whatIsNoCheckpointIsSaidToBeNone(_ name: String) throws {
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent(name)
            for text in ["PK", "root:x:0:0:root:/root:/bin/bash\n"] {
                try Data(text.utf8).write(to: file)
                let run = try Program.run(["inspect", file.path])
                #expect(run.status == 1 && run.errorLines.count == 1)
                #expect(run.errors.contains("\(name) is no checkpoint"), "\(run.errors)")
                #expect(run.errors.contains("safetensors or GGUF file"))
            }
        }
    }

    @Test func aNumberOutOfItsRangeIsNamedWithItsFile() throws {
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("config.json")
            let data = try Data(contentsOf: Fixtures.url("goldens/transformer/model/config.json"))
            for (value, part) in [("1000001", "num_layers is 1000001"), ("1e300", "too large")] {
                var root = try #require(
                    JSONSerialization.jsonObject(with: data) as? [String: Any])
                root["num_layers"] = "VALUE"
                let text = String(
                    decoding: try JSONSerialization.data(withJSONObject: root), as: UTF8.self)
                try Data(text.replacing("\"VALUE\"", with: value).utf8).write(to: file)
                let run = try Program.run(["inspect", folder.path, "--expected"])
                #expect(run.status == 1 && run.errors.contains(file.path), "\(run.errors)")
                #expect(run.errors.contains(part), "\(run.errors)")
            }
        }
    }

    @Test func aGGUFFileIsDescribed() throws {
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("model.gguf")
            try gguf.write(to: file)
            let report = try json([file.path, "--json"])
            #expect(report["format"] as? String == "gguf 3")
            #expect(report["className"] as? String == "hyvid")
            #expect(report["parameters"] as? Int == 64 * 3)
            for length in [3, 10, 30, gguf.count - 5] {
                try gguf.prefix(length).write(to: file)
                let run = try Program.run(["inspect", file.path])
                #expect(run.status == 1 && run.errorLines.count == 1, "\(length): \(run.errors)")
            }
        }
    }

    @Test func aConfigurationThatCannotBeIsAnError() throws {
        for change in [
            ["norm_num_groups": 0], ["layers_per_block": -1], ["spatial_compression_ratio": 0],
            ["temporal_compression_ratio": 3], ["block_out_channels": []],
        ] as [[String: Any]] {
            try withTemporaryFolder { folder in
                let data = try Data(
                    contentsOf: Fixtures.url("goldens/vae/model/config.json"))
                var root = try #require(
                    JSONSerialization.jsonObject(with: data) as? [String: Any])
                for (key, value) in change { root[key] = value }
                try JSONSerialization.data(withJSONObject: root).write(
                    to: folder.appendingPathComponent("config.json"))
                let run = try Program.run(["inspect", folder.path, "--expected"])
                #expect(run.status == 1 && run.errorLines.count == 1, "\(change): \(run.errors)")
                #expect(run.errors.contains(change.keys.first ?? ""), "\(run.errors)")
            }
        }
    }

    /// A GGUF file of one tensor, 3 by 64 numbers of Q8_0.
    private var gguf: Data {
        var data = Data("GGUF".utf8)
        func add<Value: FixedWidthInteger>(_ value: Value) {
            withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
        }
        func add(_ text: String) {
            add(UInt64(text.utf8.count))
            data.append(Data(text.utf8))
        }
        add(UInt32(3))
        add(UInt64(1))
        add(UInt64(1))
        add("general.architecture")
        add(UInt32(8))
        add("hyvid")
        add("blk.0.weight")
        add(UInt32(2))
        add(UInt64(64))
        add(UInt64(3))
        add(UInt32(8))
        add(UInt64(0))
        data.append(Data(count: (32 - data.count % 32) % 32 + 3 * 2 * 34))
        return data
    }
}
