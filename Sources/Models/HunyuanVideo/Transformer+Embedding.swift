import Torch
import TorchNN

/// The stage before the blocks.
extension Transformer {
    /// Turns an input into tokens: the stage before the blocks.
    ///
    /// - Parameters:
    ///   - input: The latents `(B, 16, F, h, w)`, and what they are to become.
    ///   - execution: How this stage and those after it run.
    /// - Returns: Video tokens `(B, L, C)`, and vision and text tokens `(B, T, C)`, in the type of
    ///   `execution`.
    /// - Throws: `ModelError` that names the tensor of the input that does not fit; what
    ///   `execution.onProgress` throws; `TorchError`, `.outOfMemory` among them.
    public func embed(_ input: TransformerInput, _ execution: Execution = Execution()) throws
        -> TokenStreams
    {
        try input.validate(for: config)
        let memory = gradientsEnabled ? nil : execution.memory.flatMap { $0.limit > 0 ? $0 : nil }
        memory?.serve(self)
        let section = try section(input, execution.dtype, memory)
        let own = try patches(input.latents.to(execution.dtype))
        let x = try Tensor.cat(section.history + [own], axis: 1)

        let step = try memory.flatMap { try remembered(input, execution, $0) }
        let temb = try step?.row.temb ?? temb(input.timestep, input, execution)
        let lengths = try textLengths(input)
        let text = try refined(input, lengths, execution, step)
        let image = try imageTokens(input, execution.dtype, step, memory)
        let context = try image.map { try .cat([$0, text], axis: 1) } ?? text
        let conditions = BlockConditions(
            temb: temb, execution: execution, rotary: section.rotary,
            lengths: try lengths.prefixed(
                by: x.dim(1) + context.dim(1) - (lengths.lengths.max() ?? 0), on: x.device),
            historyCount: x.dim(1) - own.dim(1), remembered: step)
        return TokenStreams(
            x: x, context: context, conditions: conditions,
            latentSize: Array(input.latents.shape.suffix(3)))
    }

    // MARK: - What the steps of a section share

    private func section(_ input: TransformerInput, _ dtype: DType, _ memory: RunMemory?) throws
        -> SectionTokens
    {
        let key = SectionKey(input, dtype)
        let make = { try self.sectionTokens(input, key) }
        return try memory?.section(key, make) ?? make()
    }

    private func sectionTokens(_ input: TransformerInput, _ key: SectionKey) throws
        -> SectionTokens
    {
        let embedding = RotaryEmbedding(config)
        let (latents, patchSize) = (input.latents, config.patchSize)
        let grid = (height: latents.dim(3) / patchSize, width: latents.dim(4) / patchSize)
        func rotary(_ indices: FrameIndices, _ box: RotaryEmbedding.Box) throws -> VideoPhases {
            try embedding(indices.tensor(on: latents.device), grid: grid, box: box)
                .repeated(latents.dim(0))
        }
        let parts = try contextPatches?(input.context, key.dtype, rotary: rotary) ?? []
        return SectionTokens(
            key: key, history: parts.map(\.tokens),
            rotary: try .joined(parts.map(\.rotary) + [rotary(input.indices, .patch)]))
    }

    // MARK: - What the sections of a run share

    /// The row of this pass in the run's memory; rows of steps to come are laid out beside it.
    private func remembered(
        _ input: TransformerInput, _ execution: Execution, _ memory: RunMemory
    ) throws -> RememberedStep? {
        // Timesteps are told apart in float32.
        guard input.timestep.dtype == .float32 else { return nil }
        let table = memory.table(try conditionKey(input, execution))
        let own = try input.timestep.to(.cpu, .float32).array(Float.self)
        func row(_ timesteps: [Float]) throws -> ConditionTable.Row? {
            try table.row(timesteps, bytes: rowByteCount(input, execution), in: memory) {
                try temb(Tensor(timesteps, [timesteps.count]), input, execution)
            }
        }
        guard let first = try row(own) else { return nil }
        for later in execution.timesteps {
            _ = try row(Array(repeating: later, count: own.count))
        }
        return RememberedStep(table: table, row: first)
    }

    private func conditionKey(_ input: TransformerInput, _ execution: Execution) throws
        -> ConditionKey
    {
        let conditioning = input.conditioning
        return ConditionKey(
            guidance: try input.guidance?.to(.cpu, .float32).array(Float.self),
            text: TensorIdentity(conditioning.promptEmbeds),
            pooled: TensorIdentity(conditioning.pooled),
            image: conditioning.imageEmbeds.map(TensorIdentity.init),
            textLengths: conditioning.textLengths, dtype: execution.dtype,
            roundsConditions: execution.roundsConditions, chunkSize: execution.chunkSize,
            adapters: AdapterStrength.all(on: rememberedLayers))
    }

    /// The bytes of a row: embedded conditions, modulations and refined text.
    private func rowByteCount(_ input: TransformerInput, _ execution: Execution) -> Int {
        let modulations = 12 * doubleBlocks.count + 3 * singleBlocks.count + 2
        let text = input.conditioning.textLengths.max() ?? 0
        return (1 + modulations + text) * config.hiddenSize * input.latents.dim(0)
            * execution.dtype.size
    }

    // MARK: - Conditions

    /// The embedded timestep, guidance and pooled text, `(B, C)`.
    private func temb(_ timestep: Tensor, _ input: TransformerInput, _ execution: Execution) throws
        -> Tensor
    {
        try conditionEmbedding(
            timestep: rounded(timestep, input, execution),
            guidance: input.guidance.map { try rounded($0, input, execution) },
            pooled: input.conditioning.pooled.to(execution.dtype))
    }

    /// A timestep or guidance, `(B)` on any device, as the network reads it.
    private func rounded(_ value: Tensor, _ input: TransformerInput, _ execution: Execution) throws
        -> Tensor
    {
        try value.to(input.latents.device, execution.roundsConditions ? .bfloat16 : .float32)
            .to(.float32)
    }

    private func textLengths(_ input: TransformerInput) throws -> TokenLengths {
        let lengths = input.conditioning.textLengths
        return try TokenLengths(
            lengths, of: lengths.max() ?? 0, on: input.conditioning.promptEmbeds.device)
    }

    /// The text's tokens at the step, `(B, T, C)`.
    private func refined(
        _ input: TransformerInput, _ lengths: TokenLengths, _ execution: Execution,
        _ step: RememberedStep?
    ) throws -> Tensor {
        func make(_ timestep: Tensor) throws -> Tensor {
            let text = try input.conditioning.promptEmbeds
                .narrow(1, 0, lengths.lengths.max() ?? 0).to(execution.dtype)
            return try refiner(
                text, timestep: rounded(timestep, input, execution), lengths, execution)
        }
        guard let step else { return try make(input.timestep) }
        return try step.table.value("context_embedder", of: step.row) {
            try make(Tensor($0.timesteps, [$0.timesteps.count]))
        }
    }

    /// The picture's tokens, `(B, I, C)`; nil without a picture.
    private func imageTokens(
        _ input: TransformerInput, _ dtype: DType, _ step: RememberedStep?, _ memory: RunMemory?
    ) throws -> Tensor? {
        guard let imageProjection, let image = input.conditioning.imageEmbeds else { return nil }
        let make = { try imageProjection(image.to(dtype)) }
        guard let step, let memory else { return try make() }
        return try step.table.shared("image_projection", in: memory, make)
    }
}
