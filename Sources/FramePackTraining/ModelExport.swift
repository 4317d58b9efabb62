import Checkpoints
public import Foundation
public import FramePack
import Media
import Models
import Tokenizers
import Torch
import TorchNN
import ToyWorld

/// What an exported model says of itself.
public struct ModelExportOptions: Sendable {
    /// The model's name; nil for its folder's.
    public var name: String?
    /// Steps of a section.
    public var steps = 16
    /// The distilled guidance; nil for 2.5 where it was distilled, else 1.
    public var guidance: Double?
    /// True guidance.
    public var cfg = 1.0
    /// The order of sections where none is asked for.
    public var order = SamplingOrder.f1
    /// Whether the transformer with distilled guidance is taken where there is one.
    public var isGuided = true
    /// Pictures of the world by which the check of start pictures is fitted.
    public var samplePictures = 200

    /// The usual values.
    public init() {}
}

/// Writes a trained small model as a whole folder in the released layout.
///
/// Weights are the averaged ones in bf16; the transformer is the one with distilled guidance where
/// there is one. What Llama's published form has above the layers that are read is filled with
/// fresh weights, so that other libraries can load it.
public struct ModelExport {
    /// Bytes of all files.
    public let size: Int
    /// Bytes of the largest file.
    public let largestFile: Int

    /// Exports a training's model.
    ///
    /// - Parameters:
    ///   - run: A training whose VAE is finished and whose transformer has a stored state.
    ///   - folder: Where to write; files of the same names are replaced.
    /// - Throws: `TrainingError` or `CheckpointError` that names what is missing.
    public init(
        _ run: TrainingRun, to folder: URL, options: ModelExportOptions = ModelExportOptions()
    ) throws {
        let writer = try ModelWriter(run, folder, options)
        // While it is being written the folder must not count as a model.
        try? FileManager.default.removeItem(at: folder.appendingPathComponent("model_index.json"))
        try writer.writeNetworks()
        try writer.writeTokenizers()
        try writer.writeSettings()
        let sizes = try Self.fileSizes(folder)
        size = sizes.reduce(0, +)
        largestFile = sizes.max() ?? 0
    }

    private static func fileSizes(_ folder: URL) throws -> [Int] {
        let files = FileManager.default.enumerator(
            at: folder, includingPropertiesForKeys: [.fileSizeKey, .isRegularFileKey])
        return try (files?.allObjects ?? []).compactMap { item in
            guard let url = item as? URL else { return nil }
            let values = try url.resourceValues(forKeys: [.fileSizeKey, .isRegularFileKey])
            return values.isRegularFile == true ? values.fileSize : nil
        }
    }
}

/// The parts of one export.
private struct ModelWriter {
    let run: TrainingRun
    let folder: URL
    let options: ModelExportOptions
    let averages: AveragedWeights
    let guided: AveragedWeights?
    let sizes: SmallModelSizes
    let tokenizer, tokenizer2: Tokenizer
    private let colours: LatentPreview.Map

    init(_ run: TrainingRun, _ folder: URL, _ options: ModelExportOptions) throws {
        (self.run, self.folder, self.options) = (run, folder, options)
        averages = try AveragedWeights(run.transformerState)
        let state = run.guidanceState.appendingPathComponent("state.safetensors")
        guided =
            options.isGuided && FileManager.default.fileExists(atPath: state.path)
            ? try AveragedWeights(run.guidanceState) : nil
        if let guided, guided.teacherStep != averages.step {
            throw TrainingError(
                "\(run.guidanceState.path) was taught by step "
                    + "\(guided.teacherStep.map(String.init) ?? "(unknown)") of the transformer, which is "
                    + "at step \(averages.step) now; remove that folder, and run train guidance")
        }
        var sizes = try run.sizes()
        tokenizer = try Tokenizer(folder: run.model.appendingPathComponent("tokenizer"))
        tokenizer2 = try Tokenizer(folder: run.model.appendingPathComponent("tokenizer_2"))
        sizes.llama.vocabularySize = tokenizer.vocabularySize
        sizes.clip.vocabularySize = tokenizer2.vocabularySize
        sizes.clip.endTokenID = tokenizer2.endTokenID ?? sizes.clip.endTokenID
        self.sizes = sizes
        colours = try CheckpointFolder.json(LatentPreview.Map.self, "colours.json", in: run.folder)
    }

    private func part(_ part: ModelPart) -> URL { folder.appendingPathComponent(part.rawValue) }

    // MARK: - Networks

    /// Trained weights under a part's published names.
    private func published(
        _ part: ModelPart, of weights: AveragedWeights, otherwise fallback: RandomWeights? = nil
    ) -> RenamedWeights {
        RenamedWeights(
            weights, from: part.publishedPrefix, to: "\(part.rawValue).", otherwise: fallback)
    }

    func writeNetworks() throws {
        let store = ParameterStore()
        _ = try Transformer(
            sizes.transformer,
            Weights(published(.transformer, of: guided ?? averages), store: store))
        try writeNetwork(
            store, stem: "diffusion_pytorch_model", config: sizes.transformer,
            to: part(.transformer))
        if FileManager.default.fileExists(atPath: run.codebookFile.path) {
            try AtomicFile.write(
                Data(contentsOf: run.codebookFile),
                to: part(.transformer).appendingPathComponent(HistoryCodebook.fileName))
        }
        try writeLlama()
        let clip = ParameterStore()
        let clipSource = published(.textEncoder2, of: averages)
        _ = try CLIPTextEncoder(sizes.clip, Weights(clipSource, store: clip)["text_model"])
        try writeNetwork(
            clip, stem: "model", config: PublishedTextConfig(sizes.clip, tokenizer2),
            to: part(.textEncoder2))
        let vision = ParameterStore()
        let visionSource = published(.imageEncoder, of: averages)
        _ = try SigLIPVisionEncoder(
            sizes.siglip, Weights(visionSource, store: vision)["vision_model"])
        try writeNetwork(vision, stem: "model", config: sizes.siglip, to: part(.imageEncoder))
        try writeVAE()
    }

    /// Writes all layers of the published form; those that are not read have fresh weights.
    private func writeLlama() throws {
        let store = ParameterStore()
        let source = published(.textEncoder, of: averages, otherwise: try RandomWeights(seed: 1))
        let weights = Weights(source, store: store)
        _ = try LlamaTextEncoder(sizes.llama, weights, layerCount: sizes.llama.layerCount)
        _ = try weights["norm"].parameter("weight", [sizes.llama.hiddenSize], .ones)
        try writeNetwork(
            store, stem: "model", config: PublishedTextConfig(sizes.llama, tokenizer),
            to: part(.textEncoder))
    }

    private func writeVAE() throws {
        let source = run.model.appendingPathComponent("vae")
        let config = try CheckpointFolder.json(VAEConfig.self, in: source)
        try copyFiles(of: source, to: part(.vae))
        try writeJSON(PublishedVAEConfig(config), to: part(.vae).appending(path: "config.json"))
    }

    func writeTokenizers() throws {
        for tokenizer in [ModelPart.tokenizer, .tokenizer2] {
            try copyFiles(
                of: run.model.appendingPathComponent(tokenizer.rawValue), to: part(tokenizer))
        }
    }

    // MARK: - Settings

    func writeSettings() throws {
        var preprocessor = SigLIPPreprocessorConfig()
        (preprocessor.height, preprocessor.width) = (sizes.side, sizes.side)
        try writeJSON(
            preprocessor, to: part(.featureExtractor).appending(path: "preprocessor_config.json"))
        try write(PublishedFiles.scheduler, "scheduler/scheduler_config.json")
        let settings = try settings()
        try writeJSON(settings, to: folder.appendingPathComponent("framepack.json"))
        let card = ModelCard(
            settings: settings, steps: averages.step, guidanceSteps: guided?.step,
            evaluations: try run.evaluations())
        try write(card.text, "README.md")
        // Last, since a folder with it counts as a model.
        try write(PublishedFiles.index, "model_index.json")
    }

    private func write(_ text: String, _ name: String) throws {
        let url = folder.appendingPathComponent(name)
        try makeFolder(url.deletingLastPathComponent())
        try AtomicFile.write(Data(text.utf8), to: url)
    }

    private func settings() throws -> ModelSettings {
        var settings = ModelSettings()
        settings.name = options.name ?? folder.lastPathComponent
        settings.order = options.order
        settings.resolution = sizes.side
        settings.steps = options.steps
        settings.guidance = options.guidance ?? (guided == nil ? 1 : 2.5)
        settings.cfg = options.cfg
        settings.fps = Scene.frameRate
        settings.window = 9
        settings.plainColour = [UInt8](repeating: TrainingRun.plainLevel, count: 3)
        settings.preview = colours
        settings.world = SmallWorld.described
        settings.world?.leastPictureQuality = try SmallWorld.leastPictureQuality(
            run.finishedVAE(), side: sizes.side, count: options.samplePictures)
        return settings
    }
}
