public import Media
public import Torch

/// Pictures of latents without a VAE: a linear map from 16 channels to RGB.
public struct LatentPreview: Sendable {
    /// The map's numbers.
    public struct Map: Codable, Sendable, Equatable {
        /// Red, green and blue in [0, 1] for one unit of each latent channel: as many rows as
        /// channels, of three numbers each.
        public var weights: [[Double]]
        /// Red, green and blue of zero latents.
        public var bias: [Double]

        /// Makes a map.
        public init(weights: [[Double]], bias: [Double]) {
            (self.weights, self.bias) = (weights, bias)
        }

        /// HunyuanVideo's.
        ///
        /// Source: `vae_decode_fake` in `diffusers_helper/hunyuan.py`.
        public static let released = Map(
            weights: [
                [-0.0395, -0.0331, 0.0445], [0.0696, 0.0795, 0.0518], [0.0135, -0.0945, -0.0282],
                [0.0108, -0.0250, -0.0765], [-0.0209, 0.0032, 0.0224], [-0.0804, -0.0254, -0.0639],
                [-0.0991, 0.0271, -0.0669], [-0.0646, -0.0422, -0.0400],
                [-0.0696, -0.0595, -0.0894], [-0.0799, -0.0208, -0.0375],
                [0.1166, 0.1627, 0.0962], [0.1165, 0.0432, 0.0407], [-0.2315, -0.1920, -0.1355],
                [-0.0270, 0.0401, -0.0821], [-0.0616, -0.0997, -0.0727],
                [0.0249, -0.0469, -0.1703],
            ], bias: [0.0259, -0.0192, -0.0761])

        /// What is wrong with the map, or nil.
        func problem(channels: Int) -> String? {
            guard weights.count == channels, weights.allSatisfy({ $0.count == 3 }), bias.count == 3
            else { return "preview needs \(channels) rows of 3 weights, and a bias of 3 numbers" }
            return (weights.joined() + bias).allSatisfy(\.isFinite)
                ? nil : "preview holds a number that is not finite"
        }
    }

    private let map: Map

    /// Makes previews with a map.
    public init(_ map: Map = .released) { self.map = map }

    /// All latent frames side by side, a pixel for each latent.
    ///
    /// - Parameter latents: `(1, 16, F, h, w)`, scaled, with as many channels as the map has rows.
    /// - Returns: A picture of F · w × h pixels.
    /// - Throws: `TorchError` for another shape.
    public func strip(_ latents: Tensor) throws -> Picture {
        let colours = try colours(latents)  // (F, h, w, 3)
        return try Self.picture(colours.permute(1, 0, 2, 3).flatten(1, 2))
    }

    /// One latent frame, a pixel for each latent.
    ///
    /// - Parameters:
    ///   - latents: `(1, 16, F, h, w)`, scaled, with as many channels as the map has rows.
    ///   - frame: Which one, from 0.
    /// - Returns: A picture of w × h pixels.
    /// - Throws: `TorchError` for another shape, or for a frame that is not there.
    public func frame(_ latents: Tensor, _ frame: Int) throws -> Picture {
        try Self.picture(colours(latents.narrow(2, frame, 1)).squeeze(0))
    }

    private func colours(_ latents: Tensor) throws -> Tensor {
        let weights = try Tensor(map.weights.joined().map(Float.init), [map.weights.count, 3])
        let channelsLast = try latents.squeeze(0).to(.cpu, .float32).permute(1, 2, 3, 0)
        return try channelsLast.matmul(weights) + Tensor(map.bias.map(Float.init), [3])
    }

    private static func picture(_ colours: Tensor) throws -> Picture {
        let levels = try (colours.clamp(min: 0, max: 1) * 255).round().to(.uint8).contiguous()
        return Picture(
            width: levels.dim(1), height: levels.dim(0), pixels: try levels.array(UInt8.self))
    }
}
