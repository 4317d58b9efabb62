import Checkpoints
import Foundation
import FramePack
import Models
import Torch
import TorchNN

/// Where and in what type a workload computes, and what it reads.
struct WorkloadPlace {
    let model: URL
    let inputs: URL
    let dtype: DType
    let device: Device
    /// How the weights of the transformer's blocks are held.
    var weights = WeightFormatChoice.stored

    /// The inputs, on the device but for whole numbers, which networks read on the host.
    func tensors() throws -> [String: Tensor] {
        try SafetensorsFile(inputs).tensors().mapValues {
            $0.dtype.isFloatingPoint ? try $0.to(device) : $0
        }
    }

    /// The number of values in a folder's files.
    func parameterCount(_ part: String = "") throws -> Int {
        let folder = part.isEmpty ? model : model.appendingPathComponent(part)
        return try CheckpointFolder(folder).entries.values.reduce(0) {
            $0 + $1.shape.reduce(1, *)
        }
    }

    var execution: Execution {
        Execution(dtype: dtype, roundsConditions: dtype == .bfloat16)
    }
}

/// One pass of a transformer.
final class TransformerWorkload: Workload {
    let work: Work
    private let transformer: Transformer
    private let input: TransformerInput
    private let execution: Execution

    /// - Parameter isStreamed: Whether weights pass through a ring on the device, 2.5 times the largest
    ///   weight, as where a run has no room for more; then modulations are kept, as in a run.
    init(_ place: WorkloadPlace, isStreamed: Bool = false) throws {
        let config = try TransformerConfig(folder: place.model)
        let largest = TransformerSize(config).largestWeight * place.dtype.size
        transformer = try Transformer(
            folder: place.model, device: place.device, dtype: place.dtype,
            quantization: place.weights.target,
            streaming: isStreamed ? StreamedRoom(ring: 5 * largest / 2) : nil)
        input = try TransformerInput(named: place.tensors(), for: transformer.config)
        var execution = place.execution
        if isStreamed { execution.memory = RunMemory() }
        self.execution = execution
        let streams = try transformer.embed(input, execution)
        let tokens = streams.x.dim(1) + streams.context.dim(1)
        work = Work(
            tokens: tokens, operations: Operations.blocks(transformer.config, tokens: tokens),
            parameters: try place.parameterCount())
    }

    func run() throws -> [String: Tensor] { ["sample": try transformer(input, execution)] }
}

/// One pass through two blocks.
final class BlockWorkload: Workload {
    let work: Work
    private let blocks: BlockPair
    private let x, context: Tensor
    private let conditions: BlockConditions

    init(_ place: WorkloadPlace) throws {
        let config = try CheckpointFolder.json(TransformerConfig.self, in: place.model)
        let source = CheckpointWeights(
            try CheckpointFolder(place.model), device: place.device, dtype: place.dtype,
            quantization: place.weights.target.map {
                WeightQuantization($0, layers: Transformer.mayBeQuantized)
            })
        blocks = try BlockPair(config, Weights(source))
        let tensors = try place.tensors()
        func named(_ name: String) throws -> Tensor {
            guard let tensor = tensors[name] else {
                throw BenchmarkError("\(place.inputs.path) lacks the tensor \(name).")
            }
            return tensor
        }
        (x, context) = (
            try named("x").to(place.dtype), try named("context").to(place.dtype)
        )
        let grid = try named("grid").array(Int64.self).map { Int($0) }
        conditions = try BlockConditions(
            config, temb: named("temb").to(place.dtype),
            indices: .shared(try named("indices").array(Int64.self).map { Int($0) }),
            grid: (height: grid[0], width: grid[1]), textCount: context.dim(1),
            execution: place.execution)
        let tokens = x.dim(1) + context.dim(1)
        work = Work(
            tokens: tokens, operations: Operations.blocks(config, tokens: tokens),
            parameters: try place.parameterCount())
    }

    func run() throws -> [String: Tensor] { ["tokens": try blocks(x, context, conditions)] }
}

/// Decoding of latents.
final class DecodingWorkload: Workload {
    let work: Work
    private let vae: VAE
    private let latents: Tensor

    init(_ place: WorkloadPlace) throws {
        vae = try VAE(folder: place.model, device: place.device, dtype: place.dtype)
        guard let latents = try place.tensors()["latents"] else {
            throw BenchmarkError("\(place.inputs.path) lacks the tensor latents.")
        }
        self.latents = try latents.to(place.dtype)
        work = Work(
            operations: Operations.decoding(
                vae.config, .reference, shape: Array(latents.shape.suffix(3))),
            parameters: try place.parameterCount())
    }

    func run() throws -> [String: Tensor] { ["pixels": try vae.decode(latents)] }
}

/// A prompt through both text encoders and a picture through the vision encoder.
final class EncoderWorkload: Workload {
    let work: Work
    private let llama: LlamaTextEncoder
    private let clip: CLIPTextEncoder
    private let siglip: SigLIPVisionEncoder
    private let tensors: [String: Tensor]
    private let dtype: DType

    init(_ place: WorkloadPlace) throws {
        func folder(_ name: String) -> URL { place.model.appendingPathComponent(name) }
        // Every layer and no norm, on both sides: the two layers that the pipeline leaves out are a
        // sixteenth of the released encoder, and would be half of this one.
        let llamaFolder = folder("llama")
        let config = try CheckpointFolder.json(LlamaConfig.self, in: llamaFolder)
        let source = CheckpointWeights(
            try CheckpointFolder(llamaFolder), device: place.device, dtype: place.dtype)
        llama = try LlamaTextEncoder(config, Weights(source), layerCount: config.layerCount)
        clip = try CLIPTextEncoder(
            folder: folder("clip"), device: place.device, dtype: place.dtype)
        siglip = try SigLIPVisionEncoder(
            folder: folder("siglip"), device: place.device, dtype: place.dtype)
        (tensors, dtype) = (try place.tensors(), place.dtype)
        work = try Self.work(llama, clip, siglip, tensors, place)
    }

    private static func work(
        _ llama: LlamaTextEncoder, _ clip: CLIPTextEncoder, _ siglip: SigLIPVisionEncoder,
        _ tensors: [String: Tensor], _ place: WorkloadPlace
    ) throws -> Work {
        let prompt = tensors["input_ids"]?.dim(1) ?? 0
        let (text, vision) = (clip.config, siglip.config)
        let operations =
            Operations.llama(llama.config, tokens: prompt)
            + Double(text.layerCount)
            * Operations.encoderLayer(
                tokens: text.positionCount, width: text.hiddenSize, inner: text.intermediateSize)
            + Double(vision.layerCount)
            * Operations.encoderLayer(
                tokens: vision.patchCount, width: vision.hiddenSize,
                inner: vision.intermediateSize)
        return Work(
            tokens: prompt + text.positionCount + vision.patchCount, operations: operations,
            parameters: try ["llama", "clip", "siglip"].reduce(0) {
                $0 + (try place.parameterCount($1))
            })
    }

    func run() throws -> [String: Tensor] {
        guard let ids = tensors["input_ids"], let ids2 = tensors["input_ids_2"],
            let pixels = tensors["pixel_values"]
        else { throw BenchmarkError("The inputs of text-encoders are not whole; remove them.") }
        let text = try clip(ids2, dtype: dtype)
        return [
            "llama": try llama(ids, dtype: dtype), "clip": text.lastHiddenState,
            "pooled": text.pooled, "siglip": try siglip(pixels, dtype: dtype),
        ]
    }
}

/// Weights that are read once, so that those of a memory-mapped file are in memory too.
final class LoadingWorkload: Workload {
    let work: Work
    private let transformer: Transformer

    init(_ place: WorkloadPlace) throws {
        transformer = try Transformer(
            folder: place.model, device: place.device, dtype: place.dtype)
        work = Work(parameters: try place.parameterCount())
        for parameter in transformer.parameters { _ = try parameter.value.sum().item() }
    }

    func run() throws -> [String: Tensor] { [:] }
}

/// A whole section with the small model, from a picture and a prompt to an mp4.
final class SectionWorkload: Workload {
    let work: Work
    private let model: ModelFolder
    private let options: PipelineOptions
    private let choice: PrecisionChoice
    private let weights: WeightFormatChoice

    init(_ place: WorkloadPlace, _ choice: PrecisionChoice) throws {
        model = try ModelFolder(place.model)
        weights = place.weights
        var options = PipelineOptions()
        (options.device, options.previews) = (place.device, false)
        (self.options, self.choice) = (options, choice)
        work = Work(
            parameters: try [
                "transformer", "vae", "text_encoder", "text_encoder_2", "image_encoder",
            ]
            .reduce(0) { $0 + (try place.parameterCount($1)) })
    }

    func run() throws -> [String: Tensor] {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("framepack-bench-\(UUID().uuidString)")
        try makeFolder(folder)
        defer { try? FileManager.default.removeItem(at: folder) }
        var request = model.settings.request(prompt: "a red circle moves slowly to the right")
        // A first section's frames but the start's own: one frame more would be another section.
        request.frames = 4 * request.window
        (request.dtype, request.seed, request.weightFormat) = (choice, 1, weights)
        request.output = folder.appendingPathComponent("section.mp4").path
        _ = try Pipeline(model, options: options).run(request)
        return [:]
    }
}

/// One pass of the released transformer, with weights that are made where they are used.
final class ReleasedWorkload: Workload {
    let work: Work
    private let transformer: Transformer
    private let input: TransformerInput
    private let execution: Execution

    init(_ place: WorkloadPlace) throws {
        var config = TransformerConfig()
        config.className = TransformerConfig.classNames[1]
        let store = ParameterStore()
        let source = try FilledWeights(seed: 1, dtype: place.dtype, device: place.device)
        transformer = try Transformer(config, Weights(source, store: store))
        let tensors = try TransformerInputs(config, section: [9, 80, 76], text: 60, vision: 729)
            .tensors().mapValues { $0.dtype.isFloatingPoint ? try $0.to(place.device) : $0 }
        input = try TransformerInput(named: tensors, for: config)
        execution = place.execution
        let streams = try transformer.embed(input, execution)
        let tokens = streams.x.dim(1) + streams.context.dim(1)
        work = Work(
            tokens: tokens, operations: Operations.blocks(config, tokens: tokens),
            parameters: transformer.parameters.reduce(0) { $0 + $1.value.count })
    }

    func run() throws -> [String: Tensor] { ["sample": try transformer(input, execution)] }
}
