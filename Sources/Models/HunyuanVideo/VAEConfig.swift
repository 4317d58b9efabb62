/// The sizes of a causal 3-D VAE, as its `config.json` has them.
public struct VAEConfig: Codable, Sendable, Equatable {
    /// Colour channels of the video.
    public var inChannels: Int
    /// Colour channels of what is decoded.
    public var outChannels: Int
    /// Channels of the latents.
    public var latentChannels: Int
    /// Channels of each level, the finest first.
    public var blockOutChannels: [Int]
    /// Residual blocks of an encoder level; a decoder level has one more.
    public var layersPerBlock: Int
    /// Groups of every group norm.
    public var normNumGroups: Int
    /// Factor between the encoder's latents and the scaled ones that the transformer sees.
    public var scalingFactor: Double
    /// Pixels along each side that one latent stands for.
    public var spatialCompressionRatio: Int
    /// Frames that one latent stands for; the first latent stands for one.
    public var temporalCompressionRatio: Int
    /// Whether the middle block has attention.
    public var midBlockAddAttention: Bool

    /// Makes a configuration; what is left out is as in the released VAE.
    public init(
        inChannels: Int = 3, outChannels: Int = 3, latentChannels: Int = 16,
        blockOutChannels: [Int] = [128, 256, 512, 512], layersPerBlock: Int = 2,
        normNumGroups: Int = 32, scalingFactor: Double = 0.476986,
        spatialCompressionRatio: Int = 8, temporalCompressionRatio: Int = 4,
        midBlockAddAttention: Bool = true
    ) {
        self.inChannels = inChannels
        self.outChannels = outChannels
        self.latentChannels = latentChannels
        self.blockOutChannels = blockOutChannels
        self.layersPerBlock = layersPerBlock
        self.normNumGroups = normNumGroups
        self.scalingFactor = scalingFactor
        self.spatialCompressionRatio = spatialCompressionRatio
        self.temporalCompressionRatio = temporalCompressionRatio
        self.midBlockAddAttention = midBlockAddAttention
    }

    enum CodingKeys: String, CodingKey {
        case inChannels = "in_channels"
        case outChannels = "out_channels"
        case latentChannels = "latent_channels"
        case blockOutChannels = "block_out_channels"
        case layersPerBlock = "layers_per_block"
        case normNumGroups = "norm_num_groups"
        case scalingFactor = "scaling_factor"
        case spatialCompressionRatio = "spatial_compression_ratio"
        case temporalCompressionRatio = "temporal_compression_ratio"
        case midBlockAddAttention = "mid_block_add_attention"
    }

    /// How a level of the encoder shrinks its input, and the decoder's grows it: `(F, h, w)`.
    ///
    /// Space is scaled in the first levels, time in the last ones before the final level.
    func factors(level: Int) -> [Int] {
        let last = blockOutChannels.count - 1
        let space = level < spatialCompressionRatio.trailingZeroBitCount
        let time = level >= last - temporalCompressionRatio.trailingZeroBitCount && level < last
        return [time ? 2 : 1, space ? 2 : 1, space ? 2 : 1]
    }

    /// The number of latent frames of a video of `frames` frames.
    public func latentFrames(_ frames: Int) -> Int { (frames - 1) / temporalCompressionRatio + 1 }

    /// The number of frames that `latents` latent frames decode to.
    public func frames(latents: Int) -> Int { (latents - 1) * temporalCompressionRatio + 1 }
}
