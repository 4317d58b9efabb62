public import Torch
public import TorchNN

/// The FramePack transformer: noisy latents and a packed history in, their velocity out.
///
/// It is made of stages (embed, blocks, head), so that a step cache can stand between them; it
/// keeps nothing of a pass.
/// Source: FramePack (arXiv:2504.12626); official `HunyuanVideoTransformer3DModelPacked`.
public final class Transformer {
    /// The sizes.
    public let config: TransformerConfig
    /// The blocks in which video and text have weights of their own.
    public let doubleBlocks: [DoubleStreamBlock]
    /// The blocks in which they share weights; they follow the double ones.
    public let singleBlocks: [SingleStreamBlock]
    /// Every weight, in the order in which the layers were made.
    public let parameters: [Parameter]
    /// The linear layers with their names in a checkpoint: what adapters can be attached to.
    public let linears: [(name: String, layer: Linear)]
    private let store: ParameterStore
    private let prefix: String
    let patches: PatchEmbedding
    let contextPatches: PackedPatchEmbedding?
    let imageProjection: ImageProjection?
    let refiner: TokenRefiner
    let conditionEmbedding: ConditionEmbedding
    /// The layers whose results a ``RunMemory`` keeps, in part or as a whole.
    let rememberedLayers: [Linear]
    private let outputNorm: AdaLayerNormContinuous
    private let output: Linear

    /// Builds the network from its weights, which have diffusers' names.
    ///
    /// - Throws: `ModelError` that names a key of the configuration; what the source of the
    ///   weights throws for a missing or misshapen one.
    public init(_ config: TransformerConfig, _ weights: Weights) throws {
        try config.check()
        let size = config.hiddenSize
        self.config = config
        (store, prefix) = (weights.store, weights.prefix)
        patches = try PatchEmbedding(
            config.inputChannels, size, kernel: [1, config.patchSize, config.patchSize],
            weights["x_embedder"]["proj"])
        contextPatches =
            config.hasPackedContext
            ? try PackedPatchEmbedding(config, weights["clean_x_embedder"]) : nil
        imageProjection =
            config.hasImageProjection
            ? try ImageProjection(config, weights["image_projection"]) : nil
        refiner = try TokenRefiner(config, weights["context_embedder"])
        conditionEmbedding = try ConditionEmbedding(
            size, pooledSize: config.pooledSize, hasGuidance: config.hasGuidance,
            weights["time_text_embed"])
        doubleBlocks = try (0..<config.doubleBlockCount).map {
            try DoubleStreamBlock(config, weights["transformer_blocks"].block($0))
        }
        singleBlocks = try (0..<config.singleBlockCount).map {
            try SingleStreamBlock(config, weights["single_transformer_blocks"].block($0))
        }
        outputNorm = try AdaLayerNormContinuous(size, weights["norm_out"])
        output = try Linear(
            size, config.outputChannels * config.patchSize * config.patchSize, zero: true,
            weights["proj_out"])
        (parameters, linears) = (weights.parameters, weights.linears)
        let modulations =
            doubleBlocks.flatMap(\.modulations) + singleBlocks.flatMap(\.modulations)
            + [outputNorm.linear]
        let embeddings = ["image_projection", "context_embedder", "time_text_embed"].flatMap {
            weights[$0].linears.map(\.layer)
        }
        rememberedLayers = embeddings + modulations
    }

    /// The velocity of noisy latents: noise minus data.
    ///
    /// - Parameters:
    ///   - input: The latents `(B, 16, F, h, w)`, and what they are to become.
    ///   - execution: How the pass runs.
    /// - Returns: `(B, 16, F, h, w)` in float32.
    /// - Throws: `ModelError` that names the tensor of the input that does not fit; what
    ///   `execution.onProgress` throws; `TorchError`, `.outOfMemory` among them.
    public func callAsFunction(_ input: TransformerInput, _ execution: Execution = Execution())
        throws -> Tensor
    { try head(run(blocks: 0..<blockCount, on: embed(input, execution))) }

    /// The number of blocks, double and single.
    public var blockCount: Int { doubleBlocks.count + singleBlocks.count }

    /// Runs a range of the blocks, the double ones first.
    ///
    /// - Parameters:
    ///   - range: Block numbers from 0; what lies outside 0 ..< ``blockCount`` is passed over.
    ///   - streams: Video tokens `(B, L, C)` and text tokens `(B, T, C)`.
    /// - Returns: Both streams in the shapes they came in; where the context is reused, the section's
    ///   own tokens in place of all video tokens, and the text as it came.
    /// - Throws: What `onProgress` of the streams' execution throws; `TorchError`, `.outOfMemory`
    ///   among them.
    public func run(blocks range: Range<Int>, on streams: consuming TokenStreams) throws
        -> TokenStreams
    {
        if case .reused = streams.conditions.context {
            return try runSection(blocks: range, on: streams)
        }
        var result = streams
        let doubles = range.clamped(to: 0..<doubleBlocks.count)
        for index in doubles {
            let block = doubleBlocks[index]
            let name = "transformer_blocks.\(index)."
            let tokens = try step(
                name, block.modulations, [result.x, result.context], result.conditions
            ) {
                let (x, context) = try block($0[0], context: $0[1], $1)
                return [x, context]
            }
            (result.x, result.context) = (tokens[0], tokens[1])
        }
        let singles = range.clamped(to: doubleBlocks.count..<blockCount)
        guard !singles.isEmpty else { return result }
        let lengths = [result.x.dim(1), result.context.dim(1)]
        // In the video's place, so that nothing keeps what goes into the first block.
        result.x = try .cat([result.x, result.context], axis: 1)
        for index in singles {
            let number = index - doubleBlocks.count
            let block = singleBlocks[number]
            let name = "single_transformer_blocks.\(number)."
            result.x = try step(name, block.modulations, [result.x], result.conditions) {
                [try block($0[0], $1)]
            }[0]
        }
        let parts = try result.x.split(lengths, axis: 1)
        (result.x, result.context) = (parts[0], parts[1])
        return result
    }

    /// Runs blocks on the section's own tokens alone, which see the context's kept keys and values.
    private func runSection(blocks range: Range<Int>, on streams: TokenStreams) throws
        -> TokenStreams
    {
        var result = streams
        result.x = try streams.sectionTokens(patchSize: config.patchSize)
        let conditions = try streams.conditions.alone(result.x.dim(1))
        for index in range.clamped(to: 0..<doubleBlocks.count) {
            let block = doubleBlocks[index]
            result.x = try step(
                "transformer_blocks.\(index).", block.modulations, unused: block.textPrefixes,
                [result.x], conditions
            ) { [try block($0[0], $1)] }[0]
        }
        for index in range.clamped(to: doubleBlocks.count..<blockCount) {
            let number = index - doubleBlocks.count
            let block = singleBlocks[number]
            result.x = try step(
                "single_transformer_blocks.\(number).", block.modulations, [result.x], conditions
            ) { [try block($0[0], $1)] }[0]
        }
        return result
    }

    /// Runs one block with its weights at hand, in a training pass perhaps without keeping its
    /// activations.
    private func step(
        _ name: String, _ modulations: [Linear], unused: [String] = [], _ tokens: [Tensor],
        _ conditions: BlockConditions,
        _ block: @escaping ([Tensor], BlockConditions) throws -> [Tensor]
    ) throws -> [Tensor] {
        try conditions.execution.onProgress?()
        let (store, name) = (store, prefix + name)
        func body(_ tokens: [Tensor], _ conditions: BlockConditions) throws -> [Tensor] {
            try store.withBlock(name, conditions.selection(modulations, unused: unused)) {
                try block(tokens, conditions)
            }
        }
        guard conditions.execution.checkpointsBlocks, gradientsEnabled else {
            return try body(tokens, conditions)
        }
        var inputs = tokens + [conditions.temb]
        if !inputs.contains(where: \.requiresGradient) {
            // With frozen embeddings no input asks for gradients, and the block's would be lost.
            inputs[0] = try inputs[0].detach()
            try inputs[0].setRequiresGradient(true)
        }
        return try checkpoint(inputs) { inputs in
            var conditions = conditions
            conditions.temb = inputs[tokens.count]
            return try body(Array(inputs.dropLast()), conditions)
        }
    }

    /// Turns the section's tokens into its velocity: the stage after the blocks.
    ///
    /// - Parameter streams: Video tokens `(B, L, C)`, of which the section's are the last.
    /// - Returns: `(B, 16, F, h, w)` in float32.
    /// - Throws: `TorchError`, `.outOfMemory` among them.
    public func head(_ streams: TokenStreams) throws -> Tensor {
        let tokens = try streams.sectionTokens(patchSize: config.patchSize)
        let patches = try output(
            outputNorm(tokens, streams.conditions).to(.float32))
        let (size, patch) = (streams.latentSize, config.patchSize)
        let (height, width) = (size[1], size[2])
        return try patches.reshape(
            tokens.dim(0), size[0], height / patch, width / patch, config.outputChannels, patch,
            patch
        ).permute(0, 4, 1, 2, 5, 3, 6).reshape(
            tokens.dim(0), config.outputChannels, size[0], height, width)
    }

    /// What TeaCache compares from step to step: the first block's normalised video tokens.
    ///
    /// - Parameter streams: What ``embed(_:_:)`` gave.
    /// - Returns: `(B, L, C)`.
    /// - Throws: `TorchError`, `.outOfMemory` among them.
    public func stepCacheSignal(_ streams: TokenStreams) throws -> Tensor {
        let (block, conditions) = (doubleBlocks[0], streams.conditions)
        let name = prefix + "transformer_blocks.0."
        return try store.withBlock(name, conditions.selection(block.modulations, unused: [])) {
            [try block.attentionInput(streams.x, conditions)]
        }[0]
    }
}
