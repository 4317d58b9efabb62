import Checkpoints
import Foundation
import FramePack
import FramePackTraining
import Models
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct AdoptedModelTests {
    /// A finished model's folder, and the training that it came from.
    private func exported(in folder: URL) throws -> (ModelFolder, TinyTraining) {
        let training = try TinyTraining(in: folder.appendingPathComponent("first"))
        var options = ModelExportOptions()
        options.samplePictures = 1
        let url = folder.appendingPathComponent("tiny")
        _ = try ModelExport(training.run, to: url, options: options)
        return (try ModelFolder(url), training)
    }

    @Test func trainingBeginsWithAnExportedModelsWeights() throws {
        try withTemporaryFolder { folder in
            let (model, training) = try exported(in: folder)
            let run = TrainingRun(folder: folder.appendingPathComponent("second"))
            try run.adopt(model)
            let adopted = try SmallModel(
                run.sizes(), folder: run.model, source: run.startWeights(seed: 1))
            let averages = try AveragedWeights(training.run.transformerState)
            #expect(!adopted.store.parameters.isEmpty)
            for parameter in adopted.store.parameters {
                let shape = parameter.value.shape
                try expectClose(
                    parameter.value,
                    averages.tensor(parameter.name, shape: shape, initialization: .zeros),
                    relative: 0.005, parameter.name)
            }
            // What the later commands need beside weights.
            _ = try run.finishedVAE()
            #expect(try run.sizes().transformer.headSize == training.sizes.transformer.headSize)
            _ = try CheckpointFolder.json(LatentPreview.Map.self, "colours.json", in: run.folder)
        }
    }

    @Test func freshEncodersBeginAnew() throws {
        try withTemporaryFolder { folder in
            let (model, training) = try exported(in: folder)
            let run = TrainingRun(folder: folder.appendingPathComponent("second"))
            try run.adopt(model, fresh: [.textEncoder])
            let adopted = try SmallModel(
                run.sizes(), folder: run.model, source: run.startWeights(seed: 1))
            let averages = try AveragedWeights(training.run.transformerState)
            func isAdopted(_ name: String) throws -> Bool {
                let value = try #require(adopted.store[name]).value
                let stored = try averages.tensor(
                    name, shape: value.shape, initialization: .zeros)
                return try (value - stored).abs().max().item() < 0.01
            }
            #expect(try !isAdopted("text_encoder.embed_tokens.weight"))
            #expect(try !isAdopted("transformer.context_embedder.proj_in.weight"))
            #expect(try isAdopted("transformer.proj_out.weight"))
            #expect(try isAdopted("text_encoder_2.embeddings.token_embedding.weight"))
        }
    }

    @Test func ownVAEStaysAndTrainedRunsAreLeftAlone() throws {
        try withTemporaryFolder { folder in
            let (model, training) = try exported(in: folder)
            let run = TrainingRun(folder: folder.appendingPathComponent("second"))
            let own = run.model.appendingPathComponent("vae")
            try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
            try Data("own".utf8).write(to: own.appendingPathComponent("config.json"))
            try run.adopt(model)
            #expect(
                try Data(contentsOf: own.appendingPathComponent("config.json")) == Data("own".utf8))
            let error = #expect(throws: TrainingError.self) { try training.run.adopt(model) }
            #expect(error?.description.contains("has a transformer already") == true)
        }
    }
}
