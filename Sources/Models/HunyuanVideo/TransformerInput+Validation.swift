public import Torch

extension TransformerInput {
    /// Checks that all parts fit each other and a configuration.
    ///
    /// The shapes are those of ``TransformerInput`` and its parts, with the configuration's
    /// channels and widths. What tensors hold is not looked at, and neither are types or devices.
    /// - Throws: `ModelError` that names the tensor by its name in a probe's input file.
    public func validate(for config: TransformerConfig) throws(ModelError) {
        let batch = latents.shape.first ?? 0
        try checkLatents(config)
        try checkIndices(indices, "indices_latents", latents.dim(2))
        try expect(timestep, "timestep", [batch])
        if config.hasGuidance {
            guard let guidance else {
                throw ModelError("guidance is missing; the model has guidance_embeds.")
            }
            try expect(guidance, "guidance", [batch])
        } else if guidance != nil {
            throw ModelError("guidance is given, but the model has no guidance_embeds.")
        }
        try checkConditioning(config, batch)
        for group in context.groups { try checkContext(group, config) }
    }

    private func checkLatents(_ config: TransformerConfig) throws(ModelError) {
        let (shape, patch) = (latents.shape, config.patchSize)
        guard shape.count == 5, shape[0] > 0, shape[2] > 0, shape[1] == config.inputChannels else {
            throw ModelError(
                "hidden_states is \(shape); it must be (B, \(config.inputChannels), F, h, w).")
        }
        guard shape[3] > 0, shape[4] > 0, shape[3] % patch == 0, shape[4] % patch == 0 else {
            throw ModelError(
                """
                hidden_states is \(shape); its height \(shape[3]) and width \(shape[4]) must be \
                multiples of \(patch).
                """)
        }
    }

    private func checkConditioning(_ config: TransformerConfig, _ batch: Int) throws(ModelError) {
        let text = conditioning.promptEmbeds
        try expect(text, "encoder_hidden_states", [batch, nil, config.textSize])
        try expect(conditioning.pooled, "pooled_projections", [batch, config.pooledSize])
        let lengths = conditioning.textLengths
        guard lengths.count == batch else {
            throw ModelError(
                "encoder_attention_mask has \(lengths.count) rows; hidden_states has \(batch).")
        }
        for (sample, length) in lengths.enumerated() where !(1...text.dim(1)).contains(length) {
            throw ModelError(
                """
                encoder_attention_mask, sample \(sample): \(length) text tokens are in use; there \
                must be at least 1 and at most the \(text.dim(1)) of encoder_hidden_states.
                """)
        }
        guard let image = conditioning.imageEmbeds else { return }
        guard config.hasImageProjection else {
            throw ModelError("image_embeds is given, but the model has no image projection.")
        }
        try expect(image, "image_embeds", [batch, nil, config.imageSize])
    }

    private func checkContext(_ group: PackedGroup, _ config: TransformerConfig)
        throws(ModelError)
    {
        let name = group.probeName
        guard config.hasPackedContext else {
            throw ModelError("latents_\(name) is given, but the model has no clean_x_embedder.")
        }
        guard config.encodes(group.kernel) else {
            throw ModelError(
                """
                latents_\(name) is to go through the kernel \(group.kernel), which the model \
                lacks; it has \(config.kernelNames).
                """)
        }
        let (size, frames) = (latents.shape, group.frames)
        try expect(frames.latents, "latents_\(name)", [size[0], size[1], nil, size[3], size[4]])
        try checkIndices(frames.indices, "indices_latents_\(name)", frames.latents.dim(2))
    }

    private func checkIndices(_ indices: FrameIndices, _ name: String, _ frames: Int)
        throws(ModelError)
    {
        if case .perSample(let rows) = indices, rows.count != latents.dim(0) {
            throw ModelError(
                "\(name) has \(rows.count) rows; hidden_states has \(latents.dim(0)) samples.")
        }
        guard indices.count == frames else {
            let found = indices.count.map(String.init) ?? "different numbers of"
            throw ModelError(
                "\(name) has \(found) indices; there must be one for each of \(frames) frames.")
        }
    }

    /// Checks a shape; nil stands for any length above 0.
    private func expect(_ tensor: Tensor, _ name: String, _ shape: [Int?]) throws(ModelError) {
        let fits =
            tensor.rank == shape.count
            && zip(tensor.shape, shape).allSatisfy { $1 == nil ? $0 > 0 : $0 == $1 }
        guard fits else {
            let wanted = shape.map { $0.map(String.init) ?? "any" }.joined(separator: ", ")
            throw ModelError("\(name) is \(tensor.shape); it must be (\(wanted)).")
        }
    }
}

extension PackedGroup {
    /// The end of its tensors' names in a probe's input file.
    var probeName: String { Self.probeName(of: kernel) }

    /// The end of the names of a kernel's tensors.
    static func probeName(of kernel: PatchKernel) -> String {
        switch (kernel.isMultipleOfBase, kernel.rate) {
        case (true, 1): "clean"
        case (true, let rate): "history_\(rate)x"
        default: "history_\(kernel)"
        }
    }
}

extension TransformerInput {
    /// The names that an input file may have; those of the history may be absent.
    ///
    /// See ``init(named:for:)`` for their shapes.
    public static let tensorNames =
        [
            "hidden_states", "timestep", "encoder_hidden_states", "encoder_attention_mask",
            "pooled_projections", "image_embeds", "guidance", "indices_latents",
        ]
        + groupNames.flatMap { ["latents_\($0)", "indices_latents_\($0)"] }

    /// The ends of the names of history groups that an input file may have: `clean`, `history_2x`
    /// and so on to `history_16x`.
    public static let groupNames = probedKernels.map { PackedGroup.probeName(of: $0) }

    /// The kernels whose groups an input file may have: k1 to k16.
    private static let probedKernels = [1, 2, 4, 8, 16].map { PatchKernel(rate: $0) }

    /// Puts an input together from tensors with the names of a probe's input file, and checks it.
    ///
    /// - Parameters:
    ///   - tensors: `hidden_states` `(B, 16, F, h, w)`, `timestep` `(B)`, `guidance` `(B)`,
    ///     `encoder_hidden_states` `(B, T, C)`, `encoder_attention_mask` `(B, T)` of 0 and 1,
    ///     `pooled_projections` `(B, P)`, `image_embeds` `(B, I, C)` and `indices_latents` `(F)` of
    ///     int64; for each group of the history that is there, `clean`, `history_2x`, `history_4x`,
    ///     `history_8x` or `history_16x`, also `latents_` `(B, 16, n, h, w)` and `indices_latents_` `(n)` before its
    ///     name.
    ///   - config: The sizes; without guidance or an image projection its tensor is not read.
    /// - Throws: `ModelError` that names the tensor that is missing or does not fit.
    public init(named tensors: [String: Tensor], for config: TransformerConfig) throws {
        func required(_ name: String) throws(ModelError) -> Tensor {
            guard let tensor = tensors[name] else { throw ModelError("\(name) is missing.") }
            return tensor
        }
        func indices(_ name: String) throws -> FrameIndices {
            let tensor = try required(name)
            guard tensor.rank == 1, !tensor.dtype.isFloatingPoint else {
                throw ModelError("\(name) is \(tensor); it must be (F) of int64.")
            }
            return .shared(try tensor.array(Int64.self).map { Int($0) })
        }
        func frames(_ name: String) throws -> ContextFrames? {
            guard tensors["latents_\(name)"] != nil || tensors["indices_latents_\(name)"] != nil
            else { return nil }
            return ContextFrames(
                try required("latents_\(name)"), try indices("indices_latents_\(name)"))
        }
        let (text, mask) = (
            try required("encoder_hidden_states"), try required("encoder_attention_mask")
        )
        guard text.rank != 3 || mask.shape == Array(text.shape.prefix(2)) else {
            throw ModelError(
                """
                encoder_attention_mask is \(mask.shape); encoder_hidden_states, \(text.shape), \
                wants \(Array(text.shape.prefix(2))).
                """)
        }
        self.init(
            latents: try required("hidden_states"), timestep: try required("timestep"),
            guidance: config.hasGuidance ? try required("guidance") : nil,
            indices: try indices("indices_latents"),
            context: PackedContext(
                try Self.probedKernels.compactMap { kernel in
                    try frames(PackedGroup.probeName(of: kernel)).map { PackedGroup(kernel, $0) }
                }),
            conditioning: Conditioning(
                promptEmbeds: text, textLengths: try Conditioning.textLengths(mask: mask),
                pooled: try required("pooled_projections"),
                imageEmbeds: config.hasImageProjection ? try required("image_embeds") : nil))
        try validate(for: config)
    }
}
