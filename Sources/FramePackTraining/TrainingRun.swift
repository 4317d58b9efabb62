import Checkpoints
public import Foundation
import FramePack
public import Models
public import Torch
import TorchNN

/// The folder of a small model's training: runs, clips, and the model as it stands.
public struct TrainingRun: Sendable {
    /// Where everything lies.
    public let folder: URL

    /// Names a run; the folder is made when something is written.
    public init(folder: URL) { self.folder = folder }

    /// Names a run by its path.
    public init(path: String) { self.init(folder: URL(fileURLWithPath: path)) }

    /// The encoded clips: of the same scenes in every run, for each step of it.
    public func clipCache(side: Int) -> ClipCache {
        ClipCache(folder: clips, clips: WorldClips(side: side, seed: 11))
    }

    /// The VAE's training state.
    public var vaeState: URL { folder.appendingPathComponent("vae-run") }
    /// The transformer's training state.
    public var transformerState: URL { folder.appendingPathComponent("transformer-run") }
    /// The sizes of the networks.
    public var sizesFile: URL { folder.appendingPathComponent("sizes.json") }
    /// The state of the guidance's distillation.
    public var guidanceState: URL { folder.appendingPathComponent("guidance-run") }
    /// What `framepack eval` measured of the exported model: the run's files `eval*.json`, by name.
    ///
    /// - Throws: `DecodingError` for a file that holds something else.
    public func evaluations() throws -> [EvaluationReport] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return try names.filter { $0.hasPrefix("eval") && $0.hasSuffix(".json") }.sorted()
            .compactMap { try EvaluationReport.stored(at: folder.appendingPathComponent($0)) }
    }
    /// Encoded clips.
    public var clips: URL { folder.appendingPathComponent("clips") }
    /// The model in the released layout.
    public var model: URL { folder.appendingPathComponent("model") }

    /// The finished VAE of this run.
    ///
    /// - Throws: `CheckpointError` if there is none yet.
    public func finishedVAE(on device: Device = .cpu) throws -> VAE {
        try VAE(folder: model.appendingPathComponent("vae"), device: device, dtype: .float32)
    }
}

extension TrainingRun {
    /// The grey level of the picture that stands for no start picture.
    public static let plainLevel: UInt8 = 0

    /// The scaled latent of that picture, `(C, 1, h, w)`.
    public func plainStart(side: Int) throws -> Tensor {
        let vae = try finishedVAE()
        let level = Double(Self.plainLevel) / 127.5 - 1
        return try withoutGradients {
            let picture = try Tensor.full([1, 3, 1, side, side], level)
            return try (vae.encode(picture).mean * vae.config.scalingFactor).squeeze(0)
        }
    }
}

extension TrainingRun {
    /// The sizes that the run was begun with: those of its file, or else the shipped ones.
    ///
    /// - Throws: As ``side()``, where there is no such file.
    public func sizes() throws -> SmallModelSizes {
        if let sizes = try storedSizes() { return sizes }
        return SmallModelSizes(side: try side())
    }

    /// The sizes in the run's file; nil if there is none.
    public func storedSizes() throws -> SmallModelSizes? {
        guard FileManager.default.fileExists(atPath: sizesFile.path) else { return nil }
        return try CheckpointFolder.json(
            SmallModelSizes.self, sizesFile.lastPathComponent, in: folder)
    }

    /// The side of the pictures that the transformer was trained with, in pixels.
    ///
    /// - Throws: `CheckpointError` if there is no stored state, `TrainingError` if it has no vision
    ///   encoder.
    public func side() throws -> Int {
        let name = "image_encoder.embeddings.patch_embedding.weight"
        guard let shape = try AveragedWeights(transformerState).shape(name), shape.count == 4 else {
            throw TrainingError("\(transformerState.path) has no \(name)")
        }
        // The vision encoder sees four patches along each side.
        return 4 * shape[3]
    }
}

extension TrainingRun {
    /// Prepares the training of the transformer with its encoders: tokenizers and sizes are written
    /// where the run has none, weights are those of an adopted model or fresh.
    ///
    /// - Parameters:
    ///   - side: The side of the pictures, in pixels, where the run does not say.
    ///   - seed: The seed of fresh weights, tokenizers' captions and data.
    /// - Throws: `TrainingError` if there are no clips, which is told before anything is written, or
    ///   if the run has another side; `CheckpointError` if there is no VAE.
    public func transformerTraining(
        _ config: TransformerTrainingConfig, side: Int?, seed: UInt64,
        execution: TrainingExecution
    ) throws -> TransformerTraining {
        let sizes = try storedSizes() ?? SmallModelSizes(side: side ?? 64)
        guard side == nil || side == sizes.side else {
            throw TrainingError(
                "the side is \(side ?? 0), but the run in \(folder.path) has \(sizes.side); leave it "
                    + "out")
        }
        _ = try clipCache(side: sizes.side).shards()
        let tokenizer = model.appendingPathComponent("tokenizer/tokenizer.json")
        if !FileManager.default.fileExists(atPath: tokenizer.path) {
            try SmallModel.writeTokenizers(to: model, sizes: sizes, seed: seed)
            try writeJSON(sizes, to: sizesFile)
        }
        return try training(
            config, sizes, startWeights(seed: seed), seed: seed, execution: execution)
    }

    private func training(
        _ config: TransformerTrainingConfig, _ sizes: SmallModelSizes, _ source: any WeightSource,
        seed: UInt64, execution: TrainingExecution
    ) throws -> TransformerTraining {
        if config.layouts.contains(where: \.packing.isDiscrete), try codebook() == nil {
            _ = try fitCodebook(CodebookFitting(), side: sizes.side)
        }
        return try TransformerTraining(
            config, model: SmallModel(sizes, folder: model, source: source),
            cache: clipCache(side: sizes.side), plainStart: plainStart(side: sizes.side),
            plainLevel: Self.plainLevel, codebook: codebook(), seed: seed, execution: execution)
    }

    /// Prepares the distillation of the guidance of the run's transformer as it was stored last.
    ///
    /// - Parameters:
    ///   - batch: Samples in a step.
    ///   - seed: The seed of the data.
    /// - Throws: `CheckpointError` if there is no trained transformer.
    public func guidanceDistillation(
        _ config: GuidanceDistillationConfig, batch: Int, seed: UInt64,
        execution: TrainingExecution
    ) throws -> GuidanceDistillation {
        let teacher = try AveragedWeights(transformerState)
        var samples = TransformerTrainingConfig()
        samples.batch = batch
        let data = try training(samples, sizes(), teacher, seed: seed, execution: execution)
        return try GuidanceDistillation(
            config, data: data, source: teacher, teacherStep: teacher.step)
    }
}
