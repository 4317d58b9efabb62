import Checkpoints
public import Foundation
public import FramePack
import Models
import Torch
public import TorchNN

extension TrainingRun {
    /// The finished model that this training began from, if it did.
    public var start: URL { folder.appendingPathComponent("start") }

    /// Begins a training from a finished small model: its sizes, tokenizers, VAE and weights.
    ///
    /// A VAE that the run has already stays, so that a transformer can move on to better latents.
    ///
    /// - Parameter fresh: Encoders that begin anew, together with the layers that read them.
    /// - Throws: `TrainingError` if the run has a transformer already or the model isn't a small
    ///   one, `FramePackError` or `CheckpointError` for a part that is missing or wrong.
    public func adopt(_ model: ModelFolder, fresh: [ModelPart] = []) throws {
        let state = transformerState.appendingPathComponent("state.safetensors")
        guard !FileManager.default.fileExists(atPath: state.path) else {
            throw TrainingError("\(folder.path) has a transformer already; begin in another folder")
        }
        guard let side = model.settings.resolution else {
            throw TrainingError(
                "\(model.name) is no small model: its framepack.json has no resolution")
        }
        var sizes = SmallModelSizes(side: side)
        sizes.transformer = try config(.transformer, of: model)
        let coarse = SmallModelSizes.downsampledKernels
        if !coarse.allSatisfy(sizes.transformer.encodes) {
            sizes.transformer.downsampledKernels = coarse
        }
        sizes.llama = try config(.textEncoder, of: model)
        sizes.clip = try config(.textEncoder2, of: model)
        sizes.siglip = try config(.imageEncoder, of: model)
        for part in [ModelPart.tokenizer, .tokenizer2] {
            try copyFiles(
                of: model.folder(of: part), to: self.model.appendingPathComponent(part.rawValue))
        }
        let vae = self.model.appendingPathComponent("vae")
        if !FileManager.default.fileExists(atPath: vae.path) {
            try copyFiles(of: model.folder(of: .vae), to: vae)
            if let preview = model.settings.preview {
                try writeJSON(preview, to: folder.appendingPathComponent("colours.json"))
            }
        }
        // What an earlier call left must not come back as weights of this one.
        try? FileManager.default.removeItem(at: start)
        for part in AdoptedWeights.parts where !fresh.contains(part) || part == .transformer {
            try copyFiles(
                of: model.folder(of: part), to: start.appendingPathComponent(part.rawValue))
        }
        try writeJSON(sizes, to: sizesFile)
    }

    /// What a transformer's training begins with: the adopted model's weights, or fresh ones.
    public func startWeights(seed: UInt64) throws -> any WeightSource {
        guard FileManager.default.fileExists(atPath: start.path) else {
            return try RandomWeights(seed: seed)
        }
        let adopted = try AdoptedWeights(start, fresh: RandomWeights(seed: seed))
        return KernelInitialization(
            adopted, config: try sizes().transformer, prefix: "\(ModelPart.transformer.rawValue).")
    }

    private func config<Value: Decodable>(_ part: ModelPart, of model: ModelFolder) throws
        -> Value
    {
        try CheckpointFolder.json(Value.self, in: model.folder(of: part))
    }
}

/// The published files of a model's networks under the names that a ``SmallModel`` has for them.
///
/// A network whose folder is missing begins anew, and so do the transformer's layers that read it.
struct AdoptedWeights: WeightSource {
    /// The networks that are trained together.
    static let parts: [ModelPart] = [.transformer, .textEncoder, .textEncoder2, .imageEncoder]

    /// The transformer's layers that read an encoder.
    private static let readers: [ModelPart: String] = [
        .textEncoder: "transformer.context_embedder.",
        .textEncoder2: "transformer.time_text_embed.text_embedder.",
        .imageEncoder: "transformer.image_projection.",
    ]

    private let sources: [(prefix: String, weights: RenamedWeights)]
    private let freshPrefixes: [String]
    private let fresh: RandomWeights

    /// Opens a folder with a folder for each part.
    init(_ folder: URL, fresh: RandomWeights) throws {
        self.fresh = fresh
        let missing = Self.parts.filter {
            !FileManager.default.fileExists(atPath: folder.appendingPathComponent($0.rawValue).path)
        }
        freshPrefixes = missing.flatMap {
            ["\($0.rawValue)."] + [Self.readers[$0]].compactMap { $0 }
        }
        sources = try Self.parts.filter { !missing.contains($0) }.map { part in
            let checkpoint = try CheckpointFolder(folder.appendingPathComponent(part.rawValue))
            let weights = CheckpointWeights(checkpoint, device: .cpu, dtype: .float32)
            let prefix = "\(part.rawValue)."
            return (prefix, RenamedWeights(weights, from: prefix, to: part.publishedPrefix))
        }
    }

    func tensor(_ name: String, shape: [Int], initialization: Initialization) throws -> Tensor {
        if freshPrefixes.contains(where: name.hasPrefix) {
            return try fresh.tensor(name, shape: shape, initialization: initialization)
        }
        guard let weights = weights(of: name) else {
            throw TrainingError("the model that the training began from has no \(name)")
        }
        // A copy: what is trained must not write into a mapped file.
        return try weights.tensor(name, shape: shape, initialization: initialization).clone()
    }

    func contains(_ name: String) -> Bool {
        freshPrefixes.contains(where: name.hasPrefix)
            || weights(of: name)?.contains(name) == true
    }

    private func weights(of name: String) -> RenamedWeights? {
        sources.first { name.hasPrefix($0.prefix) }?.weights
    }
}

extension ModelPart {
    /// What the names of a published file begin with, and those of a ``SmallModel`` do not.
    var publishedPrefix: String {
        switch self {
        case .textEncoder2: "text_model."
        case .imageEncoder: "vision_model."
        default: ""
        }
    }
}
