import Checkpoints
import Foundation
import FramePack
import FramePackTraining
import Models
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct PackedStartTests {
    /// The tiny model without what FramePack added: a plain HunyuanVideo model.
    private func writeBase(to folder: URL) throws {
        let source = TinyFineTuning.model
        for part in ModelPart.allCases where part != .transformer {
            try FileManager.default.createSymbolicLink(
                at: folder.appendingPathComponent(part.rawValue),
                withDestinationURL: source.appendingPathComponent(part.rawValue))
        }
        let target = folder.appendingPathComponent("transformer")
        try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
        let whole = try SafetensorsFile(
            source.appendingPathComponent(
                "transformer/diffusion_pytorch_model.safetensors")
        ).tensors()
        try writeSafetensors(
            whole.filter { !$0.key.hasPrefix("clean_x") && !$0.key.hasPrefix("image_proj") },
            to: target.appendingPathComponent("diffusion_pytorch_model.safetensors"))
        let file = source.appendingPathComponent("transformer/config.json")
        var config = try #require(
            JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        config["_class_name"] = "HunyuanVideoTransformer3DModel"
        for key in ["has_clean_x_embedder", "has_image_proj", "image_proj_dim"] {
            config[key] = nil
        }
        try JSONSerialization.data(withJSONObject: config).write(
            to: target.appendingPathComponent("config.json"))
    }

    @Test func kernelsBeginAsTheBaseKernelOfAMean() throws {
        try withTemporaryFolder { folder in
            let base = folder.appendingPathComponent("base")
            try FileManager.default.createDirectory(at: base, withIntermediateDirectories: true)
            try writeBase(to: base)
            let text = """
                {"order": "f1", "steps": 7, "resolution": 64, "magnitudeRatios": [1, 0.9]}
                """
            try Data(text.utf8).write(to: base.appendingPathComponent("framepack.json"))
            let output = folder.appendingPathComponent("start")
            let start = try PackedStart(
                base: base, to: output, kernels: [PatchKernel(rate: 8)])
            #expect(start.size > 0)
            let named = try ModelFolder(output.appendingPathComponent("model.json"))
            try named.check(Packing(name: "td_f16k16f8k8f4k4f2k2f1k1_g9"))
            let model = try ModelFolder(output.appendingPathComponent("model.json"))
            try model.requireAll()
            var settings = try ModelFolder(base).settings
            // They were measured of a model without the new kernels.
            settings.magnitudeRatios = nil
            #expect(model.settings == settings && model.settings.steps == 7)
            let transformer = try Transformer(
                folder: model.folder(of: .transformer), dtype: .float32)
            #expect(transformer.config.imageSize == 36 && transformer.config.hasPackedContext)
            let weights = Dictionary(
                uniqueKeysWithValues: transformer.parameters.map { ($0.name, $0.value) })
            func weight(_ name: String) throws -> Tensor { try #require(weights[name]) }
            let patch = try weight("x_embedder.proj.weight")
            try check(weight("clean_x_embedder.proj.weight"), patch, rate: 1)
            try check(weight("clean_x_embedder.proj_2x.weight"), patch, rate: 2)
            try check(weight("clean_x_embedder.proj_4x.weight"), patch, rate: 4)
            try check(weight("clean_x_embedder.proj_8x.weight"), patch, rate: 8)
            let bias = try weight("x_embedder.proj.bias").array(Float.self)
            for name in ["proj", "proj_2x", "proj_4x", "proj_8x"] {
                #expect(try weight("clean_x_embedder.\(name).bias").array(Float.self) == bias)
            }
            #expect(try weight("image_projection.down.weight").abs().max().item() == 0)
            #expect(try weight("image_projection.up.weight").abs().max().item() > 0)
            // What was there is as it was, in bf16.
            let before = try SafetensorsFile(
                base.appendingPathComponent("transformer/diffusion_pytorch_model.safetensors"))
            for name in before.names {
                let old = try before.tensor(name).to(.bfloat16).to(.float32)
                #expect(try weight(name).array(Float.self) == old.array(Float.self), "\(name)")
            }
            #expect(throws: TrainingError.self) {
                _ = try PackedStart(base: base, to: output)
            }
        }
    }

    /// Each element is that of the base patch where it lies, over the number of repetitions.
    private func check(_ kernel: Tensor, _ patch: Tensor, rate: Int) throws {
        let (outputs, inputs) = (patch.dim(0), patch.dim(1))
        #expect(kernel.shape == [outputs, inputs, rate, 2 * rate, 2 * rate])
        let old = try patch.array(Float.self)
        let new = try kernel.array(Float.self)
        var largest: Float = 0
        for index in new.indices {
            let column = index % (2 * rate) / rate
            let row = index / (2 * rate) % (2 * rate) / rate
            let channel = index / (4 * rate * rate * rate)
            let wanted = old[(channel * 2 + row) * 2 + column] / Float(rate * rate * rate)
            largest = max(largest, abs(new[index] - wanted))
        }
        // Powers of two lose nothing.
        #expect(largest == 0, "rate \(rate)")
    }

    @Test func aFramePackModelGetsFurtherKernels() throws {
        try withTemporaryFolder { folder in
            // k8 and k16 are the same kernel.
            _ = try PackedStart(
                base: TinyFineTuning.model, to: folder,
                kernels: [PatchKernel(rate: 8), PatchKernel(rate: 8)])
            let model = try ModelFolder(folder.appendingPathComponent("model.json"))
            let base = try ModelFolder(TinyFineTuning.model)
            #expect(model.defaultOrder == base.defaultOrder)
            var settings = base.settings
            settings.order = base.defaultOrder
            #expect(model.settings == settings)
            let new = try Transformer(folder: model.folder(of: .transformer))
            let old = try Transformer(
                folder: TinyFineTuning.model.appendingPathComponent("transformer"))
            #expect(new.parameters.count == old.parameters.count + 2)
            let weights = Dictionary(
                uniqueKeysWithValues: new.parameters.map { ($0.name, $0.value) })
            for parameter in old.parameters {
                let kept = try #require(weights[parameter.name]).to(.float32).array(Float.self)
                let wanted = try parameter.value.to(.bfloat16).to(.float32).array(Float.self)
                #expect(kept == wanted, "\(parameter.name)")
            }
        }
    }

    @Test func whatIsNoPlainModelIsRefused() throws {
        try withTemporaryFolder { folder in
            let error = #expect(throws: TrainingError.self) {
                _ = try PackedStart(
                    base: TinyFineTuning.model, to: folder.appendingPathComponent("out"))
            }
            #expect(error?.description.contains("FramePack transformer already") == true)
            let missing = #expect(throws: TrainingError.self) {
                _ = try PackedStart(
                    base: TinyFineTuning.model, vision: folder,
                    to: folder.appendingPathComponent("out"))
            }
            #expect(missing?.description.contains("image_encoder") == true)
        }
    }

    @Test func aPlainModelIsNotTrainedAsItIs() throws {
        try withTemporaryFolder { folder in
            let base = folder.appendingPathComponent("base")
            try FileManager.default.createDirectory(at: base, withIntermediateDirectories: true)
            try writeBase(to: base)
            try Data("[[datasets]]\nvideo_directory = \"v\"\n".utf8).write(
                to: folder.appendingPathComponent("data.toml"))
            var config = FineTuningConfig(
                model: base.path, dataset: folder.appendingPathComponent("data.toml").path,
                output: folder.path, guidance: 1)
            config.steps = 1
            let error = #expect(throws: TrainingError.self) {
                _ = try FineTuningRun(config, device: .cpu)
            }
            #expect(error?.description.contains("framepack train init") == true)
        }
    }
}
