public import Models
public import Torch

/// What a section's network sees beside the noisy latents and the prompt.
public struct SectionContext {
    /// The history in its groups.
    public let packed: PackedContext
    /// The rotary time indices of the section's own latents.
    public let indices: FrameIndices

    /// Puts history and indices together.
    ///
    /// - Parameters:
    ///   - packed: Groups of latents `(1, 16, F, h, w)` with h and w of the section; all may be
    ///     absent.
    ///   - indices: One for each latent of the section.
    public init(packed: PackedContext = PackedContext(), indices: FrameIndices) {
        (self.packed, self.indices) = (packed, indices)
    }
}

/// A network that tells noise from data.
public protocol Denoiser {
    /// The velocity at noisy latents: noise minus data.
    ///
    /// Calls come in the order of the steps, one a step.
    ///
    /// - Parameters:
    ///   - x: Noisy latents, `(1, 16, F, h, w)`.
    ///   - sigma: The noise level in [0, 1].
    ///   - context: The history and the places of the latents.
    ///   - prompt: What the prompt and the picture say.
    /// - Returns: `(1, 16, F, h, w)` in float32.
    /// - Throws: What the network throws; `TorchError` `.outOfMemory` where it does not fit.
    func velocity(_ x: Tensor, sigma: Float, context: SectionContext, prompt: Conditioning) throws
        -> Tensor
}

/// The packed transformer as a denoiser.
public struct TransformerDenoiser: Denoiser {
    let transformer: Transformer
    private(set) var execution: Execution
    let distilledScale: Double
    /// When the context's keys and values are computed; nil for always.
    private(set) var contextRefresh: ContextRefresh?

    /// Makes a denoiser.
    ///
    /// - Parameters:
    ///   - transformer: The network.
    ///   - execution: How it runs; its `onProgress` can end a call.
    ///   - distilledScale: The distilled guidance, 1 to 32; ignored by a network without it.
    public init(_ transformer: Transformer, execution: Execution, distilledScale: Double) {
        self.transformer = transformer
        self.execution = execution
        self.distilledScale = distilledScale
    }

    /// The velocity, in one pass over all blocks.
    ///
    /// - Parameters:
    ///   - x: Noisy latents, `(1, 16, F, h, w)`.
    ///   - sigma: The noise level in [0, 1].
    ///   - context: The history and the places of the F latents.
    ///   - prompt: What the prompt and the picture say, for one sample.
    /// - Returns: `(1, 16, F, h, w)` in float32.
    /// - Throws: `ModelError` that names the tensor that does not fit; what the execution's
    ///   `onProgress` throws; `TorchError`, `.outOfMemory` among them.
    public func velocity(
        _ x: Tensor, sigma: Float, context: SectionContext, prompt: Conditioning
    ) throws -> Tensor {
        try velocity(input: input(x, sigma: sigma, context: context, prompt: prompt))
    }

    /// The velocity for a whole input of the transformer.
    func velocity(input: TransformerInput) throws -> Tensor {
        try transformer.head(run(blocks: 0..<transformer.blockCount, on: embed(input)))
    }

    /// The stage before the blocks.
    func embed(_ input: TransformerInput) throws -> TokenStreams {
        var streams = try transformer.embed(input, execution)
        if let contextRefresh { streams.conditions.context = contextRefresh.use }
        return streams
    }

    /// Runs blocks, on the section's own tokens alone where the context is reused.
    func run(blocks range: Range<Int>, on streams: consuming TokenStreams) throws -> TokenStreams {
        let context = streams.conditions.context
        let result = try transformer.run(blocks: range, on: streams)
        if range.upperBound == transformer.blockCount { contextRefresh?.blocksRan(context) }
        return result
    }

    /// The denoiser of one branch of a section whose steps are known, so that a run's memory serves all
    /// of them.
    ///
    /// - Parameters:
    ///   - schedule: The section's noise levels.
    ///   - contextRefresh: In every so many steps in which the blocks run, the history and the text run
    ///     with the section; in those between, the section attends to their keys and values of the last
    ///     such step. 1 is exact.
    public func during(_ schedule: FlowSchedule, contextRefresh: Int = 1) -> TransformerDenoiser {
        var result = self
        result.execution.timesteps = schedule.sigmas.dropLast().map(Self.thousandfold)
        result.contextRefresh = contextRefresh > 1 ? ContextRefresh(every: contextRefresh) : nil
        return result
    }

    private static func thousandfold(_ value: Float) -> Float { value * 1000 }

    /// The transformer's input: timestep and guidance are in thousandths, on the CPU.
    func input(_ x: Tensor, sigma: Float, context: SectionContext, prompt: Conditioning) throws
        -> TransformerInput
    {
        func condition(_ value: Float) throws -> Tensor {
            try Tensor([Self.thousandfold(value)], [1])
        }
        return TransformerInput(
            latents: x, timestep: try condition(sigma),
            guidance: transformer.config.hasGuidance
                ? try condition(Float(distilledScale)) : nil,
            indices: context.indices, context: context.packed, conditioning: prompt)
    }
}
