import Checkpoints
public import Foundation
public import FramePack
import Models
import Torch
import TorchNN
import TorchOptim

extension FineTuningRun {
    /// The folder of results: `lora` or `model`.
    public var resultFolder: URL {
        folder.appendingPathComponent(config.method.kind == .lora ? "lora" : "model")
    }

    /// The folder of sample videos.
    public var sampleFolder: URL { folder.appendingPathComponent("samples") }

    /// Writes what was trained as others read it, averaged where the run averages.
    ///
    /// Where processes divide the weights, those of the state that was stored last are written.
    ///
    /// - Parameter step: The steps that are done, for the names of adapters' files.
    /// - Returns: The files, or the model's JSON file.
    public func writeResults(of loop: TrainingLoop, step: Int) throws -> [URL] {
        guard let task = loop.task as? FineTuning else { return [] }
        if loop.isDivided {
            return try writeModel(loop.storedWeights(averaged: config.optimizer.averaging > 0))
        }
        return try withAverages(loop) {
            config.method.kind == .lora ? try writeAdapters(step: step) : try writeModel(task.store)
        }
    }

    private func withAverages<R>(_ loop: TrainingLoop, _ body: () throws -> R) throws -> R {
        config.optimizer.averaging > 0 ? try loop.averages.applied(body) : try body()
    }

    private func writeModel(_ store: ParameterStore) throws -> [URL] {
        let target = resultFolder.appendingPathComponent(ModelPart.transformer.rawValue)
        let sizes = try TransformerConfig(folder: model.folder(of: .transformer))
        try writeNetwork(
            store, stem: "diffusion_pytorch_model", config: sizes, to: target,
            limit: 5_000_000_000
        ) { folder in
            if let codebook = try storedCodebook() { try codebook.write(to: folder) }
        }
        var parts = try Dictionary(
            uniqueKeysWithValues: ModelPart.allCases.map { ($0, try model.folder(of: $0)) })
        parts[.transformer] = target
        let file = resultFolder.appendingPathComponent("model.json")
        try writeParts(parts, to: file)
        var settings = model.settings
        settings.order = settings.order ?? model.defaultOrder
        // They were measured of the weights that it began with.
        settings.magnitudeRatios = nil
        try writeJSON(settings, to: resultFolder.appendingPathComponent("framepack.json"))
        return [file]
    }

    /// What makes the sample videos.
    ///
    /// - Parameter onProgress: Called as the VAE is read; what it throws ends that.
    package func sampleRenderer(onProgress: @escaping () throws -> Void = {}) throws
        -> SampleRenderer
    {
        try SampleRenderer(
            config, library(onProgress: onProgress), cache: ConditionCache(folder: cacheFolder),
            codebook: codebook)
    }

    /// Makes the sample videos of the configuration.
    ///
    /// - Parameters:
    ///   - step: The steps that are done, for the files' names.
    ///   - cancellation: Ends the work from another thread.
    /// - Returns: `step-N-K.mp4` for each sample K, and a strip of its frames.
    public func writeSamples(
        of loop: TrainingLoop, step: Int, cancellation: CancellationToken
    ) throws -> [SampleVideo] {
        guard let task = loop.task as? FineTuning, !config.samples.isEmpty else { return [] }
        try makeFolder(sampleFolder)
        let renderer = try sampleRenderer { try cancellation.check() }
        return try withAverages(loop) {
            try renderer.write(task.transformer, cancellation: cancellation) {
                sampleFolder.appendingPathComponent("step-\(step)-\($0).mp4")
            }.enumerated().map { try SampleVideo(name: "\($0 + 1)", video: $1) }
        }
    }
}

extension FineTuningRun {
    /// Writes the adapters in the forms of musubi-tuner and of diffusers.
    private func writeAdapters(step: Int) throws -> [URL] {
        guard let adapters else { return [] }
        try makeFolder(resultFolder)
        return try AdapterForm.allCases.map { form in
            let file = resultFolder.appendingPathComponent(
                "step-\(step)-\(form.rawValue).safetensors")
            var metadata = try adapters.metadata(in: form)
            metadata["framepack.guidance"] = "\(config.guidance)"
            metadata["framepack.steps"] = "\(step)"
            // With the factor in B, diffusers' form has numbers too small for half precision.
            let dtype = form == .musubi ? DType.float16 : .float32
            try writeSafetensors(
                adapters.tensors(in: form, dtype: dtype), metadata: metadata, to: file)
            return file
        }
    }
}
