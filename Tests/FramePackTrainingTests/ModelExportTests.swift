import Checkpoints
import Foundation
import FramePack
import FramePackTraining
import Media
import Models
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct ModelExportTests {
    @Test func exportedFolderIsAWholeModel() throws {
        try withTemporaryFolder { folder in
            let training = try TinyTraining(in: folder.appendingPathComponent("run"))
            var options = ModelExportOptions()
            (options.samplePictures, options.steps) = (3, 2)
            let url = folder.appendingPathComponent("tiny")
            let export = try ModelExport(training.run, to: url, options: options)
            #expect(export.size < 30_000_000)
            #expect(export.largestFile < 15_000_000)

            let model = try ModelFolder(url)
            try model.requireAll()
            #expect(model.name == "tiny")
            #expect(model.settings.resolution == 64)
            #expect(model.settings.plainColour == [0, 0, 0])
            #expect(model.settings.guidance == 1)
            #expect(model.size != nil)
            #expect(model.settings.warning(prompt: "a red circle moves slowly left") == nil)
            #expect(model.settings.warning(prompt: "a red dog moves slowly left") != nil)
            #expect(model.settings.warning(prompt: "a red circle vanishes") != nil)
            #expect(model.settings.warning(prompt: "soldiers storm an ancient castle") != nil)

            // Each of these checks that no key is missing, left over or misshapen.
            _ = try Transformer(folder: model.folder(of: .transformer))
            _ = try VAE(folder: model.folder(of: .vae))
            _ = try LlamaTextEncoder(folder: model.folder(of: .textEncoder))
            _ = try CLIPTextEncoder(folder: model.folder(of: .textEncoder2))
            _ = try SigLIPVisionEncoder(folder: model.folder(of: .imageEncoder))
            try expectPublishedKeys(model, training.sizes)
            try expectAveragedWeights(model, training)
        }
    }

    /// The encoders' files have all that other libraries expect.
    private func expectPublishedKeys(_ model: ModelFolder, _ sizes: SmallModelSizes) throws {
        func shapes(_ part: ModelPart) throws -> [String: [Int]] {
            try CheckpointFolder(model.folder(of: part)).entries.mapValues(\.shape)
        }
        let llama = try CheckpointFolder.json(
            LlamaConfig.self, in: model.folder(of: .textEncoder))
        #expect(try shapes(.textEncoder) == LlamaTextEncoder.publishedShapes(llama))
        let clip = try CheckpointFolder.json(
            CLIPTextConfig.self, in: model.folder(of: .textEncoder2))
        #expect(try shapes(.textEncoder2) == CLIPTextEncoder.publishedShapes(clip))
        #expect(
            try shapes(.imageEncoder) == SigLIPVisionEncoder.publishedShapes(sizes.siglip))
    }

    private func expectAveragedWeights(_ model: ModelFolder, _ training: TinyTraining) throws {
        let averages = try AveragedWeights(training.run.transformerState)
        let llama = "layers.0.mlp.up_proj.weight"
        let pairs = [
            (ModelPart.transformer, "proj_out.weight", "transformer.proj_out.weight"),
            (.textEncoder, llama, "text_encoder.\(llama)"),
        ]
        for (part, name, stored) in pairs {
            let source = CheckpointWeights(
                try CheckpointFolder(model.folder(of: part)), dtype: .float32)
            let shape = try #require(averages.shape(stored))
            try expectClose(
                source.tensor(name, shape: shape, initialization: .zeros),
                averages.tensor(stored, shape: shape, initialization: .zeros), relative: 0.005,
                name)
        }
    }

    @Test func exportTakesTheDistilledTransformer() throws {
        try withTemporaryFolder { folder in
            let training = try TinyTraining(in: folder.appendingPathComponent("run"))
            let task = try training.distillation(steps: 2)
            try training.loop(task, in: training.run.guidanceState).run { _ in }
            var options = ModelExportOptions()
            options.samplePictures = 1
            let url = folder.appendingPathComponent("tiny")
            _ = try ModelExport(training.run, to: url, options: options)
            let model = try ModelFolder(url)
            #expect(model.settings.guidance == 2.5)
            let name = "proj_out.weight"
            let averages = try AveragedWeights(training.run.guidanceState)
            let shape = try #require(averages.shape("transformer.\(name)"))
            try expectClose(
                CheckpointWeights(CheckpointFolder(model.folder(of: .transformer)), dtype: .float32)
                    .tensor(name, shape: shape, initialization: .zeros),
                averages.tensor("transformer.\(name)", shape: shape, initialization: .zeros),
                relative: 0.005, name)

            // A transformer that was trained further has no student yet.
            let state = training.run.transformerState.appendingPathComponent("state.safetensors")
            let file = try SafetensorsFile(state)
            var metadata = file.metadata
            metadata["step"] = "77"
            try writeSafetensors(file.tensors(), metadata: metadata, to: state)
            #expect {
                _ = try ModelExport(training.run, to: url, options: options)
            } throws: { "\($0)".contains("step 77") }
            // What was there is untouched.
            #expect(try ModelFolder(url).settings.guidance == 2.5)
        }
    }

    @Test func unknownPicturesAreTold() throws {
        let config = VAEConfig(blockOutChannels: [8, 8, 8, 8], layersPerBlock: 1, normNumGroups: 4)
        let vae = try VAE(config, Weights(RandomWeights(seed: 3)))
        let picture = Picture(width: 32, height: 32, red: 200, green: 20, blue: 90)
        let quality = try vae.pictureQuality(picture)
        var settings = ModelSettings()
        #expect(try settings.warning(picture: picture, vae: vae) == nil)
        settings.world = ModelSettings.World(description: "dots", words: [], advice: "Get more.")
        #expect(try settings.warning(picture: picture, vae: vae) == nil)
        settings.world?.leastPictureQuality = quality - 0.1
        #expect(try settings.warning(picture: picture, vae: vae) == nil)
        settings.world?.colours = [[250, 40, 60]]
        settings.world?.backgroundChroma = 36
        #expect(try settings.warning(picture: picture, vae: vae) != nil)
        settings.world?.colours = [[210, 30, 60]]
        #expect(try settings.warning(picture: picture, vae: vae) == nil)
        settings.world?.leastPictureQuality = quality + 0.1
        #expect(try settings.warning(picture: picture, vae: vae)?.hasSuffix("Get more.") == true)
    }
}
