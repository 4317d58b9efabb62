public import Torch
public import TorchNN

/// The moments of the Gaussian that a video is encoded to, before scaling.
public struct LatentDistribution {
    /// `(B, C, F, h, w)`.
    public let mean: Tensor
    /// Logarithm of the variance, `(B, C, F, h, w)`.
    public let logVariance: Tensor

    /// Puts moments together that were kept.
    package init(mean: Tensor, logVariance: Tensor) {
        (self.mean, self.logVariance) = (mean, logVariance)
    }

    /// Splits the encoder's output `(B, 2C, F, h, w)`.
    init(moments: Tensor) throws {
        let parts = try moments.chunk(2, axis: 1)
        (mean, logVariance) = (parts[0], parts[1])
    }

    /// Draws latents with given noise, unscaled.
    ///
    /// The logarithm of the variance is cut to −30 … 20 first.
    /// - Parameter noise: A draw of the unit Gaussian, in the shape of the mean.
    /// - Returns: `(B, C, F, h, w)`.
    /// - Throws: `ModelError` that names the noise, `eps`, if it has another shape.
    public func sample(_ noise: Tensor) throws -> Tensor {
        guard noise.shape == mean.shape else {
            throw ModelError(
                "eps has the shape \(noise.shape); the latents it is drawn for have \(mean.shape).")
        }
        let deviation = try (logVariance.clamp(min: -30, max: 20) * 0.5).exp()
        return try mean + deviation * noise
    }
}

/// The causal 3-D variational autoencoder of HunyuanVideo.
///
/// Pixels are in [−1, 1]. Latents are scaled: the encoder's times ``VAEConfig/scalingFactor``.
/// Source: HunyuanVideo (arXiv:2412.03603), section 4.1; diffusers `AutoencoderKLHunyuanVideo`.
public final class VAE {
    /// The sizes.
    public let config: VAEConfig
    private let encoder: VAEEncoder
    private let decoder: VAEDecoder
    private let quantConv, postQuantConv: Conv3d

    /// Builds a VAE from its weights, in diffusers' naming.
    ///
    /// - Throws: `ModelError` that names a key of the configuration; what the source of the
    ///   weights throws for a missing or misshapen one.
    public init(_ config: VAEConfig, _ weights: Weights) throws {
        try config.check()
        self.config = config
        encoder = try VAEEncoder(config, weights["encoder"])
        decoder = try VAEDecoder(config, weights["decoder"])
        let moments = 2 * config.latentChannels
        quantConv = try Conv3d(moments, moments, kernel: [1, 1, 1], weights["quant_conv"])
        postQuantConv = try Conv3d(
            config.latentChannels, config.latentChannels, kernel: [1, 1, 1],
            weights["post_quant_conv"])
    }

    /// Encodes a video in the tiles of a plan, each on its own.
    ///
    /// - Parameters:
    ///   - video: `(B, 3, 4F−3, H, W)` in [−1, 1]; H and W multiples of 8.
    ///   - tiling: The tiles.
    ///   - onProgress: Called before each convolution; what it throws ends the encoding.
    /// - Returns: Unscaled moments, `(B, C, F, H/8, W/8)` each.
    /// - Throws: `ModelError` that names the video and what is wrong with its shape.
    public func encode(
        _ video: Tensor, tiling: VAETiling = .reference,
        onProgress: @escaping () throws -> Void = {}
    ) throws -> LatentDistribution {
        try config.check(video: video)
        let pass = VAEPass(onProgress: onProgress)
        let moments = try tiling.encode(video, config) {
            try self.quantConv(self.encoder($0, pass))
        }
        return try LatentDistribution(moments: moments)
    }

    /// Decodes latents in the tiles of a plan, each on its own.
    ///
    /// - Parameters:
    ///   - latents: `(B, C, F, h, w)`, scaled.
    ///   - tiling: The tiles.
    ///   - window: Called for every window in time, with the range of its latents and what decodes
    ///     it; gives the window's pixels, decoded now or kept from before. What it throws ends the
    ///     decoding. Nil decodes every window.
    ///   - onProgress: Called before each convolution; what it throws ends the decoding.
    /// - Returns: Pixels `(B, 3, 4F−3, 8h, 8w)`, not clamped.
    /// - Throws: `ModelError` that names the latents and what is wrong with their shape.
    public func decode(
        _ latents: Tensor, tiling: VAETiling = .reference,
        window: ((Range<Int>, () throws -> Tensor) throws -> Tensor)? = nil,
        onProgress: @escaping () throws -> Void = {}
    ) throws -> Tensor {
        try config.check(latents: latents)
        let pass = VAEPass(onProgress: onProgress)
        return try tiling.decode(latents / config.scalingFactor, config, window) {
            try self.decoder(self.postQuantConv($0), pass)
        }
    }

    /// Decodes the next latents of a stream, each latent once.
    ///
    /// - Parameters:
    ///   - latents: `(B, C, F, h, w)`, scaled, in time order after those before.
    ///   - stream: What the latents before left; one decoding belongs to one stream.
    ///   - onProgress: Called before each convolution; what it throws ends the decoding, and the
    ///     stream with it.
    /// - Returns: Pixels `(B, 3, 4F, 8h, 8w)`, not clamped; 4F−3 frames at the beginning of the
    ///   stream.
    /// - Throws: `ModelError` that names the latents and what is wrong with their shape.
    public func decode(
        _ latents: Tensor, stream: VAEStream, onProgress: @escaping () throws -> Void = {}
    ) throws -> Tensor {
        try config.check(latents: latents)
        let pass = VAEPass(stream: stream, onProgress: onProgress)
        return try decoder(postQuantConv(latents / config.scalingFactor), pass)
    }
}
