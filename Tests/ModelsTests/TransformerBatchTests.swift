import Models
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct TransformerBatchTests {
    private static let config: TransformerConfig = {
        var config = TransformerConfig()
        (config.headCount, config.headSize, config.rotaryAxes) = (2, 16, [4, 6, 6])
        (config.doubleBlockCount, config.singleBlockCount, config.refinerBlockCount) = (1, 1, 1)
        (config.textSize, config.pooledSize, config.imageSize) = (12, 6, 10)
        return config
    }()

    /// A model whose layers all do something: what begins as zeros is drawn too.
    private func model() throws -> Transformer {
        let weights = Weights(try RandomWeights(seed: 5))
        let model = try Transformer(Self.config, weights)
        let generator = try Generator(seed: 6)
        for parameter in weights.store.parameters {
            guard try parameter.value.abs().max().item() == 0 else { continue }
            try parameter.value.normalInPlace(deviation: 0.3, generator: generator)
        }
        return model
    }

    private func input(
        lengths: [Int], height: Int, width: Int, frames: Int = 2, indices: [[Int]]? = nil
    ) throws -> TransformerInput {
        let (batch, generator) = (lengths.count, try Generator(seed: 7))
        func draw(_ shape: Int...) throws -> Tensor { try .randn(shape, generator: generator) }
        func group(_ frames: Int, from start: Int) throws -> ContextFrames {
            ContextFrames(
                try draw(batch, 16, frames, height, width),
                .perSample((0..<batch).map { sample in (0..<frames).map { start + sample + $0 } }))
        }
        return TransformerInput(
            latents: try draw(batch, 16, frames, height, width),
            timestep: try Tensor((0..<batch).map { Float(900 - 250 * $0) }),
            guidance: try Tensor((0..<batch).map { Float(1000 + 3000 * $0) }),
            indices: indices.map(FrameIndices.perSample)
                ?? .shared(Array(1...frames)),
            context: PackedContext(
                clean: try group(2, from: 3), clean2x: try group(2, from: 5),
                clean4x: try group(5, from: 7)),
            conditioning: Conditioning(
                promptEmbeds: try draw(batch, lengths.max() ?? 0, 12), textLengths: lengths,
                pooled: try draw(batch, 6), imageEmbeds: try draw(batch, 3, 10)))
    }

    /// One sample of a batch as an input of its own.
    private func sample(_ index: Int, of input: TransformerInput) throws -> TransformerInput {
        func one(_ tensor: Tensor) throws -> Tensor { try tensor.narrow(0, index, 1) }
        func one(_ indices: FrameIndices) -> FrameIndices {
            guard case .perSample(let rows) = indices else { return indices }
            return .shared(rows[index])
        }
        func one(_ frames: ContextFrames?) throws -> ContextFrames? {
            try frames.map { ContextFrames(try one($0.latents), one($0.indices)) }
        }
        let conditioning = input.conditioning
        return TransformerInput(
            latents: try one(input.latents), timestep: try one(input.timestep),
            guidance: try input.guidance.map(one), indices: one(input.indices),
            context: PackedContext(
                clean: try one(input.context.clean), clean2x: try one(input.context.clean2x),
                clean4x: try one(input.context.clean4x)),
            conditioning: Conditioning(
                promptEmbeds: try one(conditioning.promptEmbeds),
                textLengths: [conditioning.textLengths[index]],
                pooled: try one(conditioning.pooled),
                imageEmbeds: try conditioning.imageEmbeds.map(one)))
    }

    private func expectSamplesAlone(_ input: TransformerInput, _ name: String) throws {
        try withoutGradients {
            let model = try model()
            let together = try model(input)
            let alone = try (0..<input.latents.dim(0)).map {
                try model(sample($0, of: input))
            }
            #expect(try together.abs().max().item() > 0.1)
            try expectClose(together, .cat(alone, axis: 0), name)
        }
    }

    @Test func keptScoresChangeNothingForTextsOfDifferentLengths() throws {
        let model = try model()
        let input = try input(lengths: [7, 3, 5], height: 6, width: 4)
        let plain = try model(input).detach()
        let kept = try model(input, Execution(longestScores: 512)).detach()
        try expectClose(kept, plain, absolute: 1e-5, relative: 1e-4, "velocity")
    }

    @Test func textsOfOneLengthGiveWhatEachGivesAlone() throws {
        try expectSamplesAlone(
            input(lengths: [4, 4], height: 6, width: 4, indices: [[20, 21], [3, 9]]), "one length")
    }

    @Test func textsOfDifferentLengthsGiveWhatEachGivesAlone() throws {
        try expectSamplesAlone(
            input(
                lengths: [1, 9, 4], height: 6, width: 10, indices: [[20, 21], [3, 9], [0, 1]]),
            "different lengths")
    }

    @Test func longSequencesGiveWhatEachGivesAlone() throws {
        try expectSamplesAlone(
            input(lengths: [2, 7], height: 80, width: 64, frames: 4), "long sequences")
    }

    @Test func whatLiesBehindATextsEndChangesNothing() throws {
        try withoutGradients {
            let model = try model()
            var input = try input(lengths: [2, 5], height: 4, width: 4)
            let before = try model(input)
            let text = try input.conditioning.promptEmbeds.clone()
            try text.narrow(0, 0, 1).narrow(1, 2, 3).fillInPlace(1e3)
            input.conditioning.promptEmbeds = text
            try expectClose(model(input), before, "padding filled with 1000")
        }
    }

    @Test func picturesMayBeAbsent() throws {
        try withoutGradients {
            let model = try model()
            var input = try input(lengths: [3], height: 4, width: 4)
            let before = try model(input)
            input.conditioning.imageEmbeds = nil
            let after = try model(input)
            #expect(after.shape == before.shape)
            #expect(try (after - before).abs().max().item() > 1e-3)
        }
    }
}
