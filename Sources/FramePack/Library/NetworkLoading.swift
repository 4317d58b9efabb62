import Checkpoints
public import Foundation
public import Models
public import Torch
public import TorchNN

extension Transformer {
    /// Reads a transformer's folder: `config.json` and weights.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - device: Where the weights go.
    ///   - dtype: What they are converted to; nil keeps the files' own type. Weights in few bits
    ///     stay in them.
    ///   - quantization: What the weights of the blocks' linear layers are rounded to, unless the
    ///     files have them in few bits already; nil for nothing.
    ///   - room: Room for weights that come from the file when they are used; nil for all weights on the
    ///     device.
    ///   - onTensor: Called before each weight is read; what it throws ends the reading.
    /// - Throws: An error that names the missing, misshapen or unexpected weight.
    public convenience init(
        folder: URL, device: Device = .cpu, dtype: DType? = nil,
        quantization: QuantizationTarget? = nil, streaming room: StreamedRoom? = nil,
        onTensor: @escaping () throws -> Void = {}
    ) throws {
        let config = try TransformerConfig(folder: folder)
        let streamed = try StreamedWeights(room, dtype) { _ = try Transformer(config, $0) }
        let source = CheckpointWeights(
            try CheckpointFolder(folder), device: device, dtype: dtype,
            quantization: quantization.map {
                WeightQuantization($0, layers: Transformer.mayBeQuantized)
            }, staying: streamed.names, onTensor: onTensor)
        let weights = Weights(source)
        try self.init(config, weights)
        try source.checkAllUsed()
        try streamed.begin(weights, to: device)
    }
}

extension TransformerConfig {
    /// Reads and checks a folder's `config.json`.
    ///
    /// - Throws: `CheckpointError` or `ModelError` that names the file and the key.
    package init(folder: URL) throws {
        self = try CheckpointFolder.json(Self.self, in: folder)
        try check(file: folder.appendingPathComponent("config.json").path)
    }
}

extension VAE {
    /// Reads a VAE's folder; see the transformer's.
    public convenience init(
        folder: URL, device: Device = .cpu, dtype: DType? = nil,
        onTensor: @escaping () throws -> Void = {}
    ) throws {
        let config = try CheckpointFolder.json(VAEConfig.self, in: folder)
        let source = CheckpointWeights(
            try CheckpointFolder(folder), device: device, dtype: dtype, onTensor: onTensor)
        try self.init(config, Weights(source))
        try source.checkAllUsed()
    }
}

extension LlamaTextEncoder {
    /// Reads a Llama folder; see the transformer's.
    ///
    /// The upper two layers are not read.
    public convenience init(
        folder: URL, device: Device = .cpu, dtype: DType? = nil,
        streaming room: StreamedRoom? = nil, onTensor: @escaping () throws -> Void = {}
    ) throws {
        let config = try CheckpointFolder.json(LlamaConfig.self, in: folder)
        let streamed = try StreamedWeights(room, dtype, tables: ["embed_tokens.weight"]) {
            _ = try LlamaTextEncoder(config, $0)
        }
        let source = CheckpointWeights(
            try CheckpointFolder(folder), device: device, dtype: dtype,
            prefixes: LlamaTextEncoder.prefixes,
            ignoring: try LlamaTextEncoder.ignoredKeys(config), staying: streamed.names,
            onTensor: onTensor)
        let weights = Weights(source)
        try self.init(config, weights)
        try source.checkAllUsed()
        try streamed.begin(weights, to: device)
    }
}

extension CLIPTextEncoder {
    /// Reads a CLIP text encoder's folder; see the transformer's.
    public convenience init(
        folder: URL, device: Device = .cpu, dtype: DType? = nil,
        onTensor: @escaping () throws -> Void = {}
    ) throws {
        let config = try CheckpointFolder.json(CLIPTextConfig.self, in: folder)
        let source = CheckpointWeights(
            try CheckpointFolder(folder), device: device, dtype: dtype,
            prefixes: CLIPTextEncoder.prefixes, ignoring: CLIPTextEncoder.ignoredKeys(config),
            onTensor: onTensor)
        try self.init(config, Weights(source))
        try source.checkAllUsed()
    }
}

extension SigLIPVisionEncoder {
    /// Reads a SigLIP vision encoder's folder; see the transformer's.
    public convenience init(
        folder: URL, device: Device = .cpu, dtype: DType? = nil,
        streaming room: StreamedRoom? = nil, onTensor: @escaping () throws -> Void = {}
    ) throws {
        let config = try CheckpointFolder.json(SigLIPVisionConfig.self, in: folder)
        let streamed = try StreamedWeights(room, dtype) { _ = try SigLIPVisionEncoder(config, $0) }
        let source = CheckpointWeights(
            try CheckpointFolder(folder), device: device, dtype: dtype,
            prefixes: SigLIPVisionEncoder.prefixes,
            ignoring: SigLIPVisionEncoder.ignoredKeys(config), staying: streamed.names,
            onTensor: onTensor)
        let weights = Weights(source)
        try self.init(config, weights)
        try source.checkAllUsed()
        try streamed.begin(weights, to: device)
    }
}
