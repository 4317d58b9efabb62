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
    /// `framepack.json`. Plain or smooth pictures of any kind pass.
    ///
    /// - Parameters:
    ///   - picture: The start picture at the video's size.
    ///   - vae: The model's VAE on the CPU in float32.
    public func warning(picture: Picture, vae: VAE) throws -> String? {
        guard let world, let least = world.leastPictureQuality else { return nil }
        guard try vae.pictureQuality(picture) < least else { return nil }
        return "The picture is not of this small model's world, which is only "
            + "\(world.description). \(world.advice)"
    }
}
