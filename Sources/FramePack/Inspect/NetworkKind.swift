import Checkpoints
public import Foundation
import Models
import Torch
import TorchNN

/// The networks whose folders can be described, told apart by their `config.json`.
public enum NetworkKind: String, Codable, CaseIterable, Sendable {
    /// The packed transformer.
    case transformer
    /// The causal VAE.
    case vae
    /// Llama.
    case llama
    /// CLIP's text encoder.
    case clip
    /// SigLIP's vision encoder.
    case siglip

    private struct Head: Decodable {
        let className: String?
        let architectures: [String]?
        let modelType: String?

        enum CodingKeys: String, CodingKey {
            case className = "_class_name"
            case architectures
            case modelType = "model_type"
        }
    }

    /// The class that a folder's `config.json` names, and which network that is.
    ///
    /// - Throws: `CheckpointError` for a file that cannot be read, `FramePackError.model` for a
    ///   class that is not known.
    public static func inFolder(_ folder: URL) throws -> (kind: NetworkKind, className: String) {
        let head = try CheckpointFolder.json(Head.self, in: folder)
        let names = [head.className, head.architectures?.first, head.modelType].compactMap { $0 }
        for name in names {
            if let kind = allCases.first(where: { $0.classNames.contains(name) }) {
                return (kind, names[0])
            }
        }
        let known = allCases.flatMap { $0.classNames.prefix(1) }.joined(separator: ", ")
        throw FramePackError.model(
            "\(folder.path)/config.json is of the class "
                + "\(names.first.map { "\"\($0)\"" } ?? "that it does not name"); known are "
                + "\(known).")
    }

    /// Names by which configurations call this network, the usual one first.
    var classNames: [String] {
        switch self {
        case .transformer: Array(TransformerConfig.classNames)
        case .vae: ["AutoencoderKLHunyuanVideo"]
        case .llama: ["LlamaModel", "LlamaForCausalLM", "llama"]
        case .clip: ["CLIPTextModel", "CLIPTextModelWithProjection", "clip_text_model"]
        case .siglip: ["SiglipVisionModel", "siglip_vision_model"]
        }
    }

    /// Prefixes that some published files put before every name.
    var prefixes: [String] {
        switch self {
        case .transformer, .vae: []
        case .llama: LlamaTextEncoder.prefixes
        case .clip: CLIPTextEncoder.prefixes
        case .siglip: SigLIPVisionEncoder.prefixes
        }
    }

    /// Every tensor that a folder's configuration calls for, with its shape; no memory is taken.
    ///
    /// - Throws: `CheckpointError` or `ModelError` that names the key of `config.json`.
    public func expectedShapes(_ folder: URL) throws -> [String: [Int]] {
        func config<Value: Decodable>(_ type: Value.Type) throws -> Value {
            try CheckpointFolder.json(type, in: folder)
        }
        let weights = Weights(ShapesOnly())
        switch self {
        case .transformer: _ = try Transformer(TransformerConfig(folder: folder), weights)
        case .vae: _ = try VAE(config(VAEConfig.self), weights)
        case .llama: return try LlamaTextEncoder.publishedShapes(config(LlamaConfig.self))
        case .clip: return try CLIPTextEncoder.publishedShapes(config(CLIPTextConfig.self))
        case .siglip:
            return try SigLIPVisionEncoder.publishedShapes(config(SigLIPVisionConfig.self))
        }
        return weights.store.tensors.mapValues(\.shape)
    }

    /// Tells which names a file may hold though no layer reads them.
    func ignoredKeys(_ folder: URL) throws -> (String) -> Bool {
        switch self {
        case .transformer, .vae: return { _ in false }
        case .llama:
            return try LlamaTextEncoder.ignoredKeys(
                CheckpointFolder.json(LlamaConfig.self, in: folder))
        case .clip:
            return CLIPTextEncoder.ignoredKeys(
                try CheckpointFolder.json(CLIPTextConfig.self, in: folder))
        case .siglip:
            return SigLIPVisionEncoder.ignoredKeys(
                try CheckpointFolder.json(SigLIPVisionConfig.self, in: folder))
        }
    }
}
