import Foundation
public import Media
public import Models
import Torch

extension VAE {
    /// How well the VAE carries a picture: PSNR of its decoded latent in dB.
    ///
    /// - Parameter picture: Any size that is a multiple of 16 each way.
    public func pictureQuality(_ picture: Picture) throws -> Double {
        try withoutGradients {
            let pixels = try ImageEncoder.pixels(picture)
            let latent = try encode(pixels).mean * config.scalingFactor
            let decoded = try decode(latent).clamp(min: -1, max: 1)
            let error = try (decoded - pixels).square().mean().item()
            return 10 * log10(4 / max(error, 1e-10))
        }
    }
}

extension ModelSettings {
    /// One line for the user where a start picture is hardly one of a small model's world.
    ///
    /// A small model's VAE has seen nothing but its world, so pictures of another kind come back
    /// blurred or in other colours. The least PSNR that pictures of its world have stands in
    /// `framepack.json`, as do the colours of its objects and how grey its backgrounds are: a
    /// twentieth of the picture may have others.
    ///
    /// - Parameters:
    ///   - picture: The start picture at the video's size.
    ///   - vae: The model's VAE on the CPU in float32.
    public func warning(picture: Picture, vae: VAE) throws -> String? {
        try warning(picture: picture) { try vae.pictureQuality(picture) }
    }

    /// The same where the picture's quality may be known already.
    ///
    /// - Parameter quality: Gives ``Models/VAE/pictureQuality(_:)``; called only where it matters.
    func warning(picture: Picture, quality: () throws -> Double) throws -> String? {
        guard let world, let least = world.leastPictureQuality else { return nil }
        guard try world.foreignShare(of: picture) > 0.05 || quality() < least else { return nil }
        return "The picture is not of this small model's world, which is only "
            + "\(world.description). \(world.advice)"
    }
}

extension ModelSettings.World {
    /// The share of a picture's pixels that no object and no background of the world has, 0 to 1.
    ///
    /// Colours may differ by 40 levels, which is more than scaling and compression change inside a
    /// shape; 0 where the world does not say which colours it has.
    func foreignShare(of picture: Picture) -> Double {
        guard let colours, let backgroundChroma else { return 0 }
        let tolerance = 40
        var foreign = 0
        for pixel in stride(from: 0, to: picture.pixels.count, by: 3) {
            let levels = picture.pixels[pixel..<pixel + 3].map(Int.init)
            let chroma = (levels.max() ?? 0) - (levels.min() ?? 0)
            if chroma <= backgroundChroma + tolerance / 2 { continue }
            let isObject = colours.contains { colour in
                zip(colour, levels).allSatisfy { abs(Int($0) - $1) <= tolerance }
            }
            if !isObject { foreign += 1 }
        }
        return Double(foreign) / Double(max(picture.pixels.count / 3, 1))
    }
}
