import Checkpoints
public import Foundation
public import FramePack
public import Models
import Torch
import TorchNN

/// A FramePack transformer made of a plain HunyuanVideo one, ready to be trained.
///
/// The patches of the history begin as those of the video: the base kernel repeated along each of its
/// axes and divided by how often, so that a coarse token is what the base kernel makes of the mean of
/// what it covers; biases are copied. The projection of the vision encoder's states begins with
/// nothing at its end, so that a picture says nothing until it is learnt.
/// Source: arXiv 2504.12626, section 3.1; official `HunyuanVideoPatchEmbedForCleanLatents`.
public struct PackedStart {
    /// The folder of the new model.
    public let folder: URL
    /// Bytes of the transformer's files.
    public let size: Int

    /// Makes the model: `transformer`, and `model.json` that names all parts.
    ///
    /// - Parameters:
    ///   - base: A plain HunyuanVideo model in diffusers' layout.
    ///   - vision: A folder with `image_encoder` and `feature_extractor`.
    ///   - folder: Where the new model goes; must not hold a transformer yet.
    ///   - kernels: Kernels of the history beside those of the released models, such as k8, which
    ///     serves k16 too.
    /// - Throws: `TrainingError`, `ModelError` or `CheckpointError` that names what is missing, or
    ///   what is no such model.
    public init(base: URL, vision: URL, to folder: URL, kernels: [PatchKernel] = []) throws {
        self.folder = folder
        let source = base.appendingPathComponent(ModelPart.transformer.rawValue)
        let target = folder.appendingPathComponent(ModelPart.transformer.rawValue)
        guard !FileManager.default.fileExists(atPath: target.path) else {
            throw TrainingError("\(target.path) is there already; remove it or name another folder")
        }
        let parts = try Self.parts(base: base, vision: vision, transformer: target)
        var config = try Self.config(source, vision: parts[.imageEncoder])
        config.packingKernels += kernels.filter { !config.packingKernels.contains($0) }
        let weights = PackedStartWeights(
            try CheckpointWeights(CheckpointFolder(source)), fresh: try RandomWeights(seed: 0))
        let store = ParameterStore()
        _ = try withoutGradients { try Transformer(config, Weights(weights, store: store)) }
        try weights.base.checkAllUsed()
        try writeNetwork(
            store, stem: "diffusion_pytorch_model", config: config, to: target,
            limit: 5_000_000_000)
        try writeParts(parts, to: folder.appendingPathComponent("model.json"))
        size = store.elementCount * DType.bfloat16.size
    }

    /// Where all parts of the new model lie.
    private static func parts(base: URL, vision: URL, transformer: URL) throws -> [ModelPart: URL] {
        var parts: [ModelPart: URL] = [.transformer: transformer]
        for part in ModelPart.allCases where part != .transformer {
            let home = [.imageEncoder, .featureExtractor].contains(part) ? vision : base
            let folder = home.appendingPathComponent(part.rawValue)
            guard FileManager.default.fileExists(atPath: folder.path) else {
                throw TrainingError(
                    "there is no folder \(folder.path); a FramePack model needs a \(part.rawValue)")
            }
            parts[part] = folder
        }
        return parts
    }

    private static func config(_ folder: URL, vision: URL?) throws -> TransformerConfig {
        var config = try CheckpointFolder.json(TransformerConfig.self, in: folder)
        guard !config.hasPackedContext else {
            throw TrainingError(
                "\(folder.path) is a FramePack transformer already; train it as it is")
        }
        guard config.className == nil || config.className == "HunyuanVideoTransformer3DModel"
        else {
            throw TrainingError(
                "\(folder.path) holds a \(config.className ?? ""); it must hold a "
                    + "HunyuanVideoTransformer3DModel")
        }
        config.className = TransformerConfig.classNames[0]
        (config.hasPackedContext, config.hasImageProjection) = (true, true)
        if let vision {
            config.imageSize = try CheckpointFolder.json(SigLIPVisionConfig.self, in: vision)
                .hiddenSize
        }
        return config
    }
}

/// The weights of a plain transformer, and what a packed one has beside them.
private final class PackedStartWeights: WeightSource {
    let base: CheckpointWeights
    private let fresh: RandomWeights
    private var patches: [String: Tensor] = [:]

    init(_ base: CheckpointWeights, fresh: RandomWeights) {
        (self.base, self.fresh) = (base, fresh)
    }

    func contains(_ name: String) -> Bool { true }

    func tensor(_ name: String, shape: [Int], initialization: Initialization) throws -> Tensor {
        if name.hasPrefix("clean_x_embedder.") {
            return try repeated(name.hasSuffix(".bias") ? "bias" : "weight", to: shape)
        }
        if name.hasPrefix("image_projection.") {
            return try fresh.tensor(
                name, shape: shape,
                initialization: name.hasPrefix("image_projection.down.") ? .zeros : initialization)
        }
        let value = try base.tensor(name, shape: shape, initialization: initialization)
        if name.hasPrefix("x_embedder.proj.") { patches[String(name.dropFirst(16))] = value }
        return value
    }

    /// The base patch `(C, in, 1, 2, 2)` over a larger kernel, or its bias.
    private func repeated(_ name: String, to shape: [Int]) throws -> Tensor {
        guard let patch = patches[name] else {
            throw TrainingError("the base model has no x_embedder.proj.\(name)")
        }
        var value = try patch.to(.float32)
        for axis in shape.indices.dropFirst(2) {
            let times = shape[axis] / patch.dim(axis)
            var wide = value.shape
            wide.insert(times, at: axis + 1)
            value = try (value.unsqueeze(axis + 1).expand(wide) / Double(times))
                .flatten(axis, axis + 1)
        }
        return try value.to(patch.dtype)
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
