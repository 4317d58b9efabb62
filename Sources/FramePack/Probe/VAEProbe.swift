import Foundation
import Models
import Torch

/// The rows `vae-encode` and `vae-decode` of the probe.
struct VAEProbe {
    private let vae: VAE
    private let options: ProbeOptions

    init(_ folder: URL, _ options: ProbeOptions) throws {
        vae = try VAE(folder: folder, device: options.device, dtype: options.dtype)
        self.options = options
        try Self.check(options.tiling, vae.config)
    }

    func encode(_ file: URL) throws -> [String: Tensor] {
        let input = try ProbeInput(file: file, known: ["video", "eps"], ignored: ["latents"])
        let config = vae.config
        let video = try input.numbers(
            "video", [nil, config.inChannels, nil, nil, nil],
            "(B, \(config.inChannels), 4F-3, 8h, 8w)")
        let moments = try vae.encode(
            video.to(options.device, options.dtype), tiling: options.tiling)
        var results = ["mean": moments.mean, "logvar": moments.logVariance]
        if input.contains("eps") {
            let noise = try input.numbers(
                "eps", moments.mean.shape.map { $0 }, "a draw in the latents' shape")
            results["sample_scaled"] = try sample(moments, noise)
        }
        return results
    }

    private func sample(_ moments: LatentDistribution, _ noise: Tensor) throws -> Tensor {
        try moments.sample(noise.to(options.device, options.dtype)) * vae.config.scalingFactor
    }

    func decode(_ file: URL) throws -> [String: Tensor] {
        let input = try ProbeInput(file: file, known: ["latents"], ignored: ["video", "eps"])
        let channels = vae.config.latentChannels
        let latents = try input.numbers(
            "latents", [nil, channels, nil, nil, nil], "(B, \(channels), F, h, w)"
        ).to(options.device, options.dtype)
        guard options.streaming else {
            return ["decoded": try vae.decode(latents, tiling: options.tiling)]
        }
        return [
            "decoded": try StreamingFrameDecoder(
                vae, dtype: options.dtype, device: options.device
            ).decode(latents)
        ]
    }

    /// Tiles must hold a latent, and advance by one at least and by themselves at most.
    private static func check(_ tiling: VAETiling, _ config: VAEConfig) throws {
        let (space, time) = (config.spatialCompressionRatio, config.temporalCompressionRatio)
        let axes = [
            ("tile-height", "tile-stride-height", tiling.height, space),
            ("tile-width", "tile-stride-width", tiling.width, space),
            ("tile-frames", "tile-stride-frames", tiling.frames, time),
        ]
        for (size, stride, axis, least) in axes {
            guard let axis else { continue }
            guard (least...1_000_000).contains(axis.size) else {
                throw FramePackError.invalidSetting(
                    name: size, found: "\(axis.size)", wanted: "\(least) or more")
            }
            guard (least...axis.size).contains(axis.stride) else {
                throw FramePackError.invalidSetting(
                    name: stride, found: "\(axis.stride)",
                    wanted: "from \(least) to the tile's \(axis.size)")
            }
        }
    }
}
