import Checkpoints
import Foundation
public import Models
import Tokenizers
public import Torch
import TorchNN

/// The networks of one model, loaded when they are asked for and let go when they are not needed.
public final class ModelLibrary {
    /// Where the parts lie.
    public let folder: ModelFolder
    /// Where the networks compute.
    public let device: Device
    /// In which types they compute.
    public let precision: Precision
    /// Where their weights are.
    let memory: MemoryPlan
    private let onProgress: () throws -> Void
    private var loaded: [ModelPart: AnyObject] = [:]
    /// The adapters on the transformer, and the files that they are from.
    private var adapters: [(file: String, set: AdapterSet)] = []

    /// Makes a library; nothing is loaded yet.
    ///
    /// - Parameters:
    ///   - memory: Where the weights are; nil for all on the device.
    ///   - onProgress: Called before each weight is read and each layer of an encoder
    ///     runs; what it throws ends that.
    public init(
        _ folder: ModelFolder, device: Device = .cpu, precision: Precision,
        memory: MemoryPlan? = nil, onProgress: @escaping () throws -> Void = {}
    ) {
        (self.folder, self.device, self.precision) = (folder, device, precision)
        self.memory = memory ?? .usual(on: device)
        self.onProgress = onProgress
    }

    /// The type in which most numbers of a model's transformer are stored; bfloat16 for numbers in
    /// fewer bits.
    public static func storedType(_ folder: ModelFolder) throws -> DType {
        let checkpoint = try CheckpointFolder(folder.folder(of: .transformer))
        var counts: [DType: Int] = [:]
        for (name, entry) in checkpoint.entries {
            let isQuantized = checkpoint.quantizedFormat(of: name) != nil
            guard isQuantized || entry.dtype.isFloatingPoint else { continue }
            counts[isQuantized ? .bfloat16 : entry.dtype, default: 0] += entry.shape.reduce(1, *)
        }
        return counts.max { ($0.value, "\($0.key)") < ($1.value, "\($1.key)") }?.key ?? .float32
    }

    /// The bytes of a model's transformer whose files hold weights in few bits, and in which formats;
    /// nil for plain numbers.
    static func quantizedWeights(_ folder: ModelFolder) throws -> (
        byteCount: Int, formats: Set<QuantizedFormat>
    )? {
        let checkpoint = try CheckpointFolder(folder.folder(of: .transformer))
        let entries = checkpoint.entries
        let formats = Set(entries.keys.compactMap { checkpoint.quantizedFormat(of: $0) })
        guard !formats.isEmpty else { return nil }
        return (entries.values.reduce(0) { $0 + $1.range.count }, formats)
    }

    /// The transformer.
    public func transformer() throws -> Transformer {
        try part(.transformer) {
            try Transformer(
                folder: $0, device: device, dtype: precision.transformer,
                quantization: precision.weights, streaming: memory.transformer.room,
                onTensor: onProgress)
        }
    }

    /// Gives the memory back that streamed weights of the transformer pass through, until they are used
    /// again.
    package func giveRoomBack() throws {
        let network = loaded[.transformer] as? Transformer
        try network?.linears.lazy.compactMap(\.layer.weightStream).first?.giveRoomBack()
    }

    /// Makes the transformer run with LoRAs, at the strengths that they have between two times.
    ///
    /// - Parameters:
    ///   - loras: The files; others that were used before come off.
    ///   - time: Where the section begins and ends, in seconds.
    /// - Throws: `CheckpointError` and `ModelError` for a file that does not fit.
    func adapt(_ loras: [AppliedLoRA], during time: ClosedRange<Double>) throws {
        let network = try transformer()
        if adapters.map(\.file) != loras.map(\.file) {
            for (_, set) in adapters { network.detach(set) }
            adapters = []
            for lora in loras {
                try onProgress()
                let set = try AdapterFile(contentsOf: lora.url(), for: network).adapters
                // A copy: who trains a LoRA may write its file anew while videos are made.
                for parameter in set.store.parameters {
                    parameter.value = try parameter.value.clone().to(device)
                }
                try network.attach(set)
                adapters.append((lora.file, set))
            }
        }
        for ((_, set), lora) in zip(adapters, loras) {
            set.strength = lora.strength(from: time.lowerBound, to: time.upperBound)
        }
    }

    /// The VAE.
    ///
    /// - Throws: As ``vaeConfig()``; `CheckpointError` for its weights.
    public func vae() throws -> VAE {
        try part(.vae) { folder in
            _ = try vaeConfig()
            // On a CPU each layer converts its own weights, and the file's pages serve as the rest.
            let dtype = device.kind == .cpu ? nil : precision.vae
            return try VAE(folder: folder, device: device, dtype: dtype, onTensor: onProgress)
        }
    }

    /// The VAE's sizes; its weights are not read.
    ///
    /// - Throws: `FramePackError.model` for one that does not take 8 pixels and 4 frames to a latent,
    ///   which all plans rest on.
    func vaeConfig() throws -> VAEConfig {
        let folder = try folder.folder(of: .vae)
        let config = try CheckpointFolder.json(VAEConfig.self, in: folder)
        for (key, found, wanted) in [
            (
                "spatial_compression_ratio", config.spatialCompressionRatio,
                FrameSize.pixelsPerLatent
            ),
            (
                "temporal_compression_ratio", config.temporalCompressionRatio,
                VideoLength.framesPerLatent
            ),
        ] where found != wanted {
            throw FramePackError.model(
                "\(folder.path)/config.json: \(key) is \(found); it must be \(wanted).")
        }
        return config
    }

    /// The preprocessing of the vision encoder's pictures.
    public func visionSettings() throws -> SigLIPPreprocessorConfig {
        try CheckpointFolder.json(
            SigLIPPreprocessorConfig.self, "preprocessor_config.json",
            in: folder.folder(of: .featureExtractor))
    }

    /// The vision encoder, whose weights keep their stored type.
    public func visionEncoder() throws -> SigLIPVisionEncoder {
        try part(.imageEncoder) {
            try SigLIPVisionEncoder(
                folder: $0, device: device, streaming: memory.visionEncoder.room,
                onTensor: onProgress)
        }
    }

    /// Both text encoders with their tokenizers; the weights keep their stored type.
    ///
    /// - Parameter parity: Cuts the template's head off as the reference does, 95 tokens with any
    ///   tokenizer, unless the model's settings say how many.
    public func promptEncoder(parity: Bool) throws -> PromptEncoder {
        let tokenizer = try Tokenizer(folder: folder.folder(of: .tokenizer))
        let crop =
            folder.settings.promptCrop
            ?? (parity ? PromptTemplate.releasedCrop : PromptTemplate.crop(tokenizer))
        return PromptEncoder(
            tokenizer: tokenizer,
            tokenizer2: try Tokenizer(folder: folder.folder(of: .tokenizer2)),
            llama: try part(.textEncoder) {
                try LlamaTextEncoder(
                    folder: $0, device: device, streaming: memory.textEncoders.room,
                    onTensor: onProgress)
            },
            clip: try part(.textEncoder2) {
                try CLIPTextEncoder(folder: $0, device: device, onTensor: onProgress)
            },
            crop: crop, dtype: precision.encoders, onProgress: onProgress)
    }

    /// What makes a history discrete.
    ///
    /// - Throws: `FramePackError.model` where the model has no codebook.
    public func historyCodebook() throws -> HistoryCodebook {
        try HistoryCodebook(contentsOf: folder.codebookFile())
    }

    /// Lets networks go; those that nothing else holds free their memory.
    public func release(_ parts: [ModelPart]) throws {
        for part in parts { loaded[part] = nil }
        if parts.contains(.transformer) { adapters = [] }
        try Accelerator.emptyCache()
    }

    private func part<Network: AnyObject>(_ part: ModelPart, _ load: (URL) throws -> Network) throws
        -> Network
    {
        if let network = loaded[part] as? Network { return network }
        let network = try load(folder.folder(of: part))
        loaded[part] = network
        return network
    }
}
