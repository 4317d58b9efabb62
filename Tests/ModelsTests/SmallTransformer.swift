import Models
import Torch
import TorchNN

/// A transformer of two double and two single blocks whose layers all do something, and sections for
/// it with a history.
struct SmallTransformer {
    let model: Transformer
    let store: ParameterStore
    static let textSize = 12

    /// What begins as zeros is drawn too.
    init(seed: UInt64 = 5) throws {
        var config = TransformerConfig()
        (config.headCount, config.headSize, config.rotaryAxes) = (2, 16, [4, 6, 6])
        (config.doubleBlockCount, config.singleBlockCount, config.refinerBlockCount) = (2, 2, 1)
        (config.textSize, config.pooledSize, config.imageSize) = (Self.textSize, 6, 10)
        let weights = Weights(try RandomWeights(seed: seed))
        model = try Transformer(config, weights)
        store = weights.store
        let generator = try Generator(seed: seed + 1)
        for parameter in store.parameters {
            guard try parameter.value.abs().max().item() == 0 else { continue }
            try parameter.value.normalInPlace(deviation: 0.3, generator: generator)
        }
    }

    /// A prompt with its picture, for samples with so many text tokens.
    static func prompt(_ seed: UInt64, lengths: [Int] = [4]) throws -> Conditioning {
        let (batch, generator) = (lengths.count, try Generator(seed: seed))
        return Conditioning(
            promptEmbeds: try .randn([batch, lengths.max() ?? 0, textSize], generator: generator),
            textLengths: lengths, pooled: try .randn([batch, 6], generator: generator),
            imageEmbeds: try .randn([batch, 3, 10], generator: generator))
    }

    /// A section of two latents of 6×4 with a history of three kernels, at the first step.
    static func section(_ seed: UInt64, _ conditioning: Conditioning) throws -> TransformerInput {
        let generator = try Generator(seed: seed)
        let batch = conditioning.pooled.dim(0)
        func draw(_ frames: Int) throws -> Tensor {
            try .randn([batch, 16, frames, 6, 4], generator: generator)
        }
        let start = Int(seed % 7)
        return TransformerInput(
            latents: try draw(2), timestep: try Tensor(Array(repeating: 1000, count: batch)),
            guidance: try Tensor(Array(repeating: Float(6000), count: batch)),
            indices: .shared([start + 9, start + 10]),
            context: PackedContext(
                clean: ContextFrames(try draw(2), .shared([0, start + 8])),
                clean2x: ContextFrames(try draw(2), .shared([start + 6, start + 7])),
                clean4x: ContextFrames(try draw(4), .shared(Array(start + 2..<start + 6)))),
            conditioning: conditioning)
    }

    /// The input at another step: other latents, and a timestep for each sample.
    static func step(_ input: TransformerInput, _ timesteps: [Float]) throws -> TransformerInput {
        var result = input
        result.timestep = try Tensor(timesteps)
        result.latents = try input.latents * (0.3 + Double(timesteps[0]) / 1000)
        return result
    }
}
