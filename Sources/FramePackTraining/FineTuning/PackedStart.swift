import Checkpoints
public import Foundation
import FramePack
public import Models
import Torch
import TorchNN

/// A FramePack transformer made of a plain HunyuanVideo one, or of a FramePack one that is to have
/// further kernels, ready to be trained.
///
/// The patches of the history begin as those of the video: see ``Models/KernelInitialization``. The
/// projection of the vision encoder's states, which a plain model lacks, begins with nothing at its
/// end, so that a picture says nothing until it is learnt.
/// Source: arXiv 2504.12626, section 3.1.
public struct PackedStart {
    /// The folder of the new model.
    public let folder: URL
    /// Bytes of the transformer's files.
    public let size: Int

    /// Makes the model: `transformer`, `model.json` that names all parts, and `framepack.json` with the
    /// base's settings, of which the order is that of a FramePack base.
    ///
    /// - Parameters:
    ///   - base: A model in diffusers' layout: a folder, or a JSON file that names the parts' folders.
    ///   - vision: A folder with `image_encoder` and `feature_extractor`; nil for the base's own.
    ///   - folder: Where the new model goes; must not hold a transformer yet.
    ///   - kernels: Kernels of the history beside those of the released models, such as k8, which
    ///     serves k16 too.
    /// - Throws: `TrainingError`, `FramePackError` or `CheckpointError` that names what is missing, or
    ///   what is no such model.
    public init(base: URL, vision: URL? = nil, to folder: URL, kernels: [PatchKernel] = []) throws {
        self.folder = folder
        let target = folder.appendingPathComponent(ModelPart.transformer.rawValue)
        guard !FileManager.default.fileExists(atPath: target.path) else {
            throw TrainingError("\(target.path) is there already; remove it or name another folder")
        }
        let model = try ModelFolder(base)
        var parts = try Self.parts(of: model, vision: vision)
        let source = try model.folder(of: .transformer)
        let config = try Self.config(source, vision: parts[.imageEncoder], kernels: kernels)
        let checkpoint = CheckpointWeights(try CheckpointFolder(source))
        let weights = KernelInitialization(
            PackedStartWeights(base: checkpoint, fresh: try RandomWeights(seed: 0)),
            config: config)
        let store = ParameterStore()
        _ = try withoutGradients { try Transformer(config, Weights(weights, store: store)) }
        try checkpoint.checkAllUsed()
        try writeNetwork(
            store, stem: "diffusion_pytorch_model", config: config, to: target,
            limit: 5_000_000_000
        ) { try Self.copyCodebook(of: source, to: $0) }
        parts[.transformer] = target
        try writeParts(parts, to: folder.appendingPathComponent("model.json"))
        size = store.elementCount * DType.bfloat16.size
        try writeSettings(of: model, source)
    }

    /// Writes what the base's `framepack.json` says, and the order that a FramePack base has by its
    /// name alone.
    private func writeSettings(of model: ModelFolder, _ transformer: URL) throws {
        var settings = model.settings
        // They were measured of a model without the kernels that are added here.
        settings.magnitudeRatios = nil
        if try CheckpointFolder.json(TransformerConfig.self, in: transformer).hasPackedContext {
            settings.order = model.defaultOrder
        }
        guard settings != ModelSettings() else { return }
        try writeJSON(settings, to: folder.appendingPathComponent("framepack.json"))
    }

    private static func copyCodebook(of transformer: URL, to folder: URL) throws {
        let name = HistoryCodebook.fileName
        let file = transformer.appendingPathComponent(name)
        guard FileManager.default.fileExists(atPath: file.path) else { return }
        try FileManager.default.copyItem(at: file, to: folder.appendingPathComponent(name))
    }

    /// Where all parts but the transformer lie.
    private static func parts(of model: ModelFolder, vision: URL?) throws -> [ModelPart: URL] {
        var parts: [ModelPart: URL] = [:]
        for part in ModelPart.allCases where part != .transformer {
            let isVision = part == .imageEncoder || part == .featureExtractor
            guard let vision, isVision else {
                parts[part] = try model.folder(of: part)
                continue
            }
            let folder = vision.appendingPathComponent(part.rawValue)
            guard FileManager.default.fileExists(atPath: folder.path) else {
                throw TrainingError(
                    "there is no folder \(folder.path); a FramePack model needs a \(part.rawValue)")
            }
            parts[part] = folder
        }
        return parts
    }

    private static func config(_ folder: URL, vision: URL?, kernels: [PatchKernel]) throws
        -> TransformerConfig
    {
        var config = try CheckpointFolder.json(TransformerConfig.self, in: folder)
        var further: [PatchKernel] = []
        for kernel in kernels where !(config.packingKernels + further).contains(kernel) {
            further.append(kernel)
        }
        let names = TransformerConfig.classNames + ["HunyuanVideoTransformer3DModel"]
        if let name = config.className, !names.contains(name) {
            throw TrainingError(
                "\(folder.path) holds a \(name); it must hold a "
                    + names.reversed().joined(separator: " or a "))
        }
        guard !config.hasPackedContext || !further.isEmpty else {
            throw TrainingError(
                "\(folder.path) is a FramePack transformer already; train it as it is, or name "
                    + "kernels that it lacks")
        }
        if !config.hasImageProjection, let vision {
            config.imageSize = try CheckpointFolder.json(SigLIPVisionConfig.self, in: vision)
                .hiddenSize
        }
        config.className = TransformerConfig.classNames[0]
        (config.hasPackedContext, config.hasImageProjection) = (true, true)
        config.packingKernels += further
        return config
    }
}

/// A checkpoint's weights, and a projection of vision states where it has none.
private struct PackedStartWeights: WeightSource {
    let base: CheckpointWeights
    let fresh: RandomWeights

    func contains(_ name: String) -> Bool {
        base.contains(name) || name.hasPrefix("image_projection.")
    }

    func tensor(_ name: String, shape: [Int], initialization: Initialization) throws -> Tensor {
        guard !base.contains(name), name.hasPrefix("image_projection.") else {
            return try base.tensor(name, shape: shape, initialization: initialization)
        }
        return try fresh.tensor(
            name, shape: shape,
            initialization: name.hasPrefix("image_projection.down.") ? .zeros : initialization)
    }
}

/// Writes a JSON file that names the folders of a model's parts, relative to itself where they lie
/// beside it.
func writeParts(_ parts: [ModelPart: URL], to file: URL) throws {
    let home = file.deletingLastPathComponent().standardizedFileURL.path + "/"
    var paths: [String: String] = [:]
    for (part, url) in parts {
        let path = url.standardizedFileURL.path
        paths[part.rawValue] = path.hasPrefix(home) ? String(path.dropFirst(home.count)) : path
    }
    try writeJSON(paths, to: file)
}
