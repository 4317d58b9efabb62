import Checkpoints
import Foundation
import Models
import TestSupport
import Torch
import TorchNN

/// Encoders loaded from folders below `Tests/Fixtures`, weights read as float32 unless told.
enum EncoderFolders {
    static func llama(_ path: String, dtype: DType? = .float32) throws -> LlamaTextEncoder {
        let url = Fixtures.url(path)
        let config = try CheckpointFolder.json(LlamaConfig.self, in: url)
        let source = CheckpointWeights(
            try CheckpointFolder(url), dtype: dtype, prefixes: LlamaTextEncoder.prefixes,
            ignoring: try LlamaTextEncoder.ignoredKeys(config))
        let encoder = try LlamaTextEncoder(config, Weights(source))
        try source.checkAllUsed()
        return encoder
    }

    static func clip(_ path: String, dtype: DType? = .float32) throws -> CLIPTextEncoder {
        let url = Fixtures.url(path)
        let config = try CheckpointFolder.json(CLIPTextConfig.self, in: url)
        let source = CheckpointWeights(
            try CheckpointFolder(url), dtype: dtype, prefixes: CLIPTextEncoder.prefixes,
            ignoring: CLIPTextEncoder.ignoredKeys(config))
        let encoder = try CLIPTextEncoder(config, Weights(source))
        try source.checkAllUsed()
        return encoder
    }

    static func siglip(_ path: String, dtype: DType? = .float32) throws -> SigLIPVisionEncoder {
        let url = Fixtures.url(path)
        let config = try CheckpointFolder.json(SigLIPVisionConfig.self, in: url)
        let source = CheckpointWeights(
            try CheckpointFolder(url), dtype: dtype, prefixes: SigLIPVisionEncoder.prefixes,
            ignoring: SigLIPVisionEncoder.ignoredKeys(config))
        let encoder = try SigLIPVisionEncoder(config, Weights(source))
        try source.checkAllUsed()
        return encoder
    }

    /// The tensor of a case, which must have it.
    static func part(_ name: String, _ tensors: [String: Tensor]) throws -> Tensor {
        guard let tensor = tensors[name] else { throw CheckpointError("no \(name) in the case") }
        return tensor
    }

    /// The names and shapes that a published folder of these sizes holds.
    static func expectedShapes(_ path: String) throws -> [String: [Int]] {
        let data = try Data(contentsOf: Fixtures.url("\(path)/expected.json"))
        return try JSONDecoder().decode([String: [Int]].self, from: data)
    }

    /// The text of the error that `body` throws; empty if it throws none.
    static func message(_ body: () throws -> Void) -> String {
        do { try body() } catch { return "\(error)" }
        return ""
    }
}
