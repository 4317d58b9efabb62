extension VAEConfig {
    /// Reads a `config.json`; sizes that it leaves out are the released ones.
    ///
    /// - Throws: `DecodingError` that names a key of the wrong type, or an impossible size.
    public init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        inChannels = try keys.value(.inChannels, or: inChannels)
        outChannels = try keys.value(.outChannels, or: outChannels)
        latentChannels = try keys.value(.latentChannels, or: latentChannels)
        blockOutChannels = try keys.value(.blockOutChannels, or: blockOutChannels)
        layersPerBlock = try keys.value(.layersPerBlock, or: layersPerBlock)
        normNumGroups = try keys.value(.normNumGroups, or: normNumGroups)
        scalingFactor = try keys.value(.scalingFactor, or: scalingFactor)
        spatialCompressionRatio = try keys.value(
            .spatialCompressionRatio, or: spatialCompressionRatio)
        temporalCompressionRatio = try keys.value(
            .temporalCompressionRatio, or: temporalCompressionRatio)
        midBlockAddAttention = try keys.value(.midBlockAddAttention, or: midBlockAddAttention)
        try keys.check(problem)
    }

    /// Checks that a network of these sizes can be.
    ///
    /// - Throws: `ModelError` that names the key, the value found and the one wanted.
    public func check() throws(ModelError) {
        if let problem { throw ModelError("The VAE's config.json: \(problem).") }
    }

    /// What makes the sizes impossible, as a sentence; nil if nothing does.
    private var problem: String? {
        let sizes = [
            ("in_channels", inChannels), ("out_channels", outChannels),
            ("latent_channels", latentChannels), ("norm_num_groups", normNumGroups),
        ]
        if let problem = sizeProblem(sizes, layers: layersPerBlock) {
            return problem.replacing("num_hidden_layers", with: "layers_per_block")
        }
        guard (1...16).contains(blockOutChannels.count) else {
            return "block_out_channels has \(blockOutChannels.count) levels; it must have 1 to 16"
        }
        for width in blockOutChannels where !(1...(1 << 24)).contains(width) {
            return "block_out_channels holds \(width); it must be in 1...\(1 << 24)"
        }
        for width in blockOutChannels where width % normNumGroups != 0 {
            return "block_out_channels holds \(width), not a multiple of norm_num_groups "
                + "\(normNumGroups)"
        }
        for (key, ratio, most) in [
            ("spatial_compression_ratio", spatialCompressionRatio, blockOutChannels.count),
            ("temporal_compression_ratio", temporalCompressionRatio, blockOutChannels.count - 1),
        ] where ratio < 1 || ratio.nonzeroBitCount != 1 || ratio.trailingZeroBitCount > most {
            return "\(key) is \(ratio); it must be a power of 2 up to \(1 << max(most, 0))"
        }
        return scalingFactor.isFinite && scalingFactor != 0
            ? nil : "scaling_factor is \(scalingFactor); it must not be 0"
    }
}
