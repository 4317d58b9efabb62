import Checkpoints
package import Foundation
import FramePack
import Models
import Torch
import TorchNN

/// The weights and inputs of the cases: made once from a seed, read by both sides.
package struct BenchmarkFiles {
    /// What the files are called by; changes with what they hold.
    static let version = "1"

    /// The files of one case.
    package struct Location: Equatable {
        /// The folder of weights; empty where a case reads none.
        package let model: String
        /// The safetensors file of inputs; empty where a case reads none.
        package let inputs: String
    }

    private let folder: URL
    private let sizes: BenchmarkSizes
    private let report: (String) -> Void

    /// Files in a folder.
    ///
    /// - Parameters:
    ///   - folder: Where they lie; it is made.
    ///   - report: Is told what is made, which takes a while.
    package init(
        _ folder: URL, sizes: BenchmarkSizes = BenchmarkSizes(),
        report: @escaping (String) -> Void = { _ in }
    ) {
        (self.folder, self.sizes, self.report) = (folder, sizes, report)
    }

    /// `framepack/bench` in the user's cache.
    package static func userFolder(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> URL { userCacheFolder(environment: environment).appendingPathComponent("bench") }

    /// Makes what a case reads, where it is not there yet.
    package func prepare(_ name: BenchmarkCase) throws -> Location {
        if name == .section {
            return Location(model: try ModelFolder.locate(nil).url.path, inputs: "")
        }
        guard let modelName = name.modelName else { return Location(model: "", inputs: "") }
        let model = folder.appendingPathComponent("models/\(modelName)")
        try makeFolder(model.deletingLastPathComponent())
        try makeModel(modelName, model)
        let inputs = folder.appendingPathComponent("\(name.rawValue)/inputs.safetensors")
        try makeInputs(name, inputs)
        return Location(model: model.path, inputs: inputs.path)
    }

    private func makeModel(_ name: String, _ folder: URL) throws {
        switch name {
        case "transformer-300m":
            try make(RandomCheckpoint(config: json(sizes.transformer)), folder) {
                _ = try Transformer(sizes.transformer, $0)
            }
        case "released":
            try make(RandomCheckpoint(config: json(sizes.released)), folder) {
                _ = try Transformer(sizes.released, $0)
            }
        case "block":
            try make(RandomCheckpoint(config: json(sizes.block)), folder) {
                _ = try BlockPair(sizes.block, $0)
            }
        case "vae":
            try make(RandomCheckpoint(config: json(sizes.vae)), folder) {
                _ = try VAE(sizes.vae, $0)
            }
        default: try makeEncoders(folder)
        }
    }

    private func makeEncoders(_ folder: URL) throws {
        let file = "model.safetensors"
        let norm = TensorOutline("norm.weight", [sizes.llama.hiddenSize], .bfloat16)
        try makeFolder(folder)
        try make(
            RandomCheckpoint(config: json(sizes.llama), fileName: file, further: [norm]),
            folder.appendingPathComponent("llama")
        ) { _ = try LlamaTextEncoder(sizes.llama, $0, layerCount: sizes.llama.layerCount) }
        try make(
            RandomCheckpoint(config: json(sizes.clip), fileName: file, prefix: "text_model."),
            folder.appendingPathComponent("clip")
        ) { _ = try CLIPTextEncoder(sizes.clip, $0) }
        try make(
            RandomCheckpoint(config: json(sizes.siglip), fileName: file, prefix: "vision_model."),
            folder.appendingPathComponent("siglip")
        ) { _ = try SigLIPVisionEncoder(sizes.siglip, $0) }
    }

    private func make(
        _ checkpoint: RandomCheckpoint, _ folder: URL, _ build: (Weights) throws -> Void
    ) throws {
        guard !checkpoint.isThere(folder) else { return }
        report("Making random weights in \(folder.path)")
        try checkpoint.write(to: folder, build)
    }

    /// Inputs of a case, in bfloat16 so that every number type reads the same values.
    private func makeInputs(_ name: BenchmarkCase, _ file: URL) throws {
        let tensors = try inputs(name).mapValues {
            $0.dtype.isFloatingPoint ? try $0.to(.bfloat16) : $0
        }
        guard !tensors.isEmpty else { return }
        let made = (try? SafetensorsFile(file))
        let isThere =
            made?.metadata["benchmark"] == Self.version
            && made?.entries.mapValues(\.shape) == tensors.mapValues(\.shape)
        guard !isThere else { return }
        try makeFolder(file.deletingLastPathComponent())
        try writeSafetensors(tensors, metadata: ["benchmark": Self.version], to: file)
    }

    private func inputs(_ name: BenchmarkCase) throws -> [String: Tensor] {
        switch name {
        case .transformer300M: try TransformerInputs(sizes).tensors()
        case .released256:
            try TransformerInputs(sizes.released, section: [9, 32, 32], text: 60, vision: 729)
                .tensors()
        case .releasedStreamed:
            try TransformerInputs(sizes.released, section: [9, 80, 76], text: 60, vision: 729)
                .tensors()
        case .block4000: try blockInputs(sizes.fewTokens)
        case .block18300: try blockInputs(sizes.manyTokens)
        case .vae16: try latents(sizes.latentFrames, sizes.smallLatents)
        case .vae32: try latents(sizes.latentFrames, sizes.largeLatents)
        case .vae608: try latents(5, 76, 80)
        case .vae1280: try latents(5, 90, 160)
        case .textEncoders: try encoderInputs()
        case .load, .section, .released: [:]
        }
    }

    private func blockInputs(_ tokens: BenchmarkSizes.BlockTokens) throws -> [String: Tensor] {
        let (generator, width) = (try Generator(seed: 3), sizes.block.hiddenSize)
        return [
            "x": try .randn([1, tokens.video, width], generator: generator),
            "context": try .randn([1, tokens.text, width], generator: generator),
            "temb": try .randn([1, width], generator: generator),
            "indices": try Tensor((0..<tokens.frames).map(Int64.init)),
            "grid": try Tensor([tokens.height, tokens.width].map(Int64.init)),
        ]
    }

    /// Latents in the VAE's scaled units, whose values are near 1.
    private func latents(_ frames: Int, _ height: Int, _ width: Int? = nil) throws
        -> [String: Tensor]
    {
        let shape = [1, sizes.vae.latentChannels, frames, height, width ?? height]
        return ["latents": try .randn(shape, generator: Generator(seed: 4))]
    }

    private func encoderInputs() throws -> [String: Tensor] {
        func ids(_ count: Int, below bound: Int, last: Int? = nil) throws -> Tensor {
            // A fixed walk through the vocabulary, which needs no generator.
            var ids = (0..<count).map { Int64(($0 * 7919 + 17) % (bound - 1)) }
            if let last { ids[count - 1] = Int64(last) }
            return try Tensor(ids, [1, count])
        }
        let (side, clip) = (sizes.siglip.imageSize, sizes.clip)
        return [
            "input_ids": try ids(sizes.promptTokens, below: sizes.llama.vocabularySize),
            "input_ids_2": try ids(
                clip.positionCount, below: min(clip.vocabularySize, clip.endTokenID),
                last: clip.endTokenID),
            "pixel_values": try .randn([1, 3, side, side], generator: Generator(seed: 5)),
        ]
    }

    private func json(_ config: some Encodable) throws -> Data {
        try JSONEncoder.sorted.encode(config)
    }
}

/// What a pass of the transformer with a full history reads, by the names of its arguments.
struct TransformerInputs {
    private let config: TransformerConfig
    private let section: [Int]
    private let text, vision: Int

    init(_ sizes: BenchmarkSizes) {
        (config, section) = (sizes.transformer, sizes.section)
        (text, vision) = (sizes.textTokens, sizes.visionTokens)
    }

    init(_ config: TransformerConfig, section: [Int], text: Int, vision: Int) {
        (self.config, self.section, self.text, self.vision) = (config, section, text, vision)
    }

    /// Values of a section with the start frame and a newer one as they are, 2 frames at 2x and 16
    /// at 4x.
    ///
    /// A section stands at its released indices: the start frame, a gap as long as a section, the
    /// section, then its history. Timestep and guidance are numbers that bfloat16 has.
    func tensors() throws -> [String: Tensor] {
        let generator = try Generator(seed: 2)
        func draw(_ shape: Int...) throws -> Tensor { try .randn(shape, generator: generator) }
        func latents(_ frames: Int) throws -> Tensor {
            try draw(1, config.inputChannels, frames, section[1], section[2])
        }
        func indices(_ values: [Int]) throws -> Tensor { try Tensor(values.map(Int64.init)) }
        let begin = 1 + section[0]
        let end = begin + section[0]
        return [
            "hidden_states": try latents(section[0]),
            "timestep": try .full([1], 500),
            "guidance": try .full([1], 9984),
            "encoder_hidden_states": try draw(1, text, config.textSize),
            "encoder_attention_mask": try Tensor([Int64](repeating: 1, count: text), [1, text]),
            "pooled_projections": try draw(1, config.pooledSize),
            "image_embeds": try draw(1, vision, config.imageSize),
            "indices_latents": try indices(Array(begin..<end)),
            "latents_clean": try latents(2),
            "indices_latents_clean": try indices([0, end]),
            "latents_history_2x": try latents(2),
            "indices_latents_history_2x": try indices([end + 1, end + 2]),
            "latents_history_4x": try latents(16),
            "indices_latents_history_4x": try indices(Array(end + 3..<end + 19)),
        ]
    }
}
