public import Media
public import Models
public import Torch

/// Turns pictures into the transformer's vision tokens and the VAE's latents.
///
/// Source: `hf_clip_vision_encode` and `vae_encode` in `diffusers_helper`.
public enum ImageEncoder {
    /// A picture's pixels as a video of one frame, `(1, 3, 1, H, W)` in [-1, 1], float32 on the
    /// CPU.
    ///
    /// - Throws: `TorchError` where memory does not suffice.
    public static func pixels(_ picture: Picture) throws -> Tensor {
        let levels = try levels(picture).to(.float32)
        return try (levels / 127.5 - 1).permute(2, 0, 1).unsqueeze(0).unsqueeze(2).contiguous()
    }

    /// A picture's 8-bit values, `(H, W, 3)` of uint8 on the CPU.
    ///
    /// - Throws: `TorchError` where memory does not suffice.
    public static func levels(_ picture: Picture) throws -> Tensor {
        try Tensor(picture.pixels, [picture.height, picture.width, 3])
    }

    /// A picture of 8-bit values `(H, W, 3)`.
    ///
    /// - Parameters:
    ///   - levels: uint8, with one pixel at least.
    ///   - name: What errors call it.
    /// - Throws: `FramePackError.invalidSetting` for another shape or type.
    public static func picture(_ levels: Tensor, name: String = "image") throws -> Picture {
        guard levels.rank == 3, levels.dim(2) == 3, levels.dtype == .uint8, levels.count > 0 else {
            throw FramePackError.invalidSetting(
                name: name, found: "\(levels)", wanted: "uint8 of the shape (H, W, 3)")
        }
        return Picture(
            width: levels.dim(1), height: levels.dim(0), pixels: try levels.array(UInt8.self))
    }

    /// What the vision encoder reads: the picture squeezed to its size, its aspect not kept.
    ///
    /// - Returns: `(1, 3, S, S)` in float32, in [-1, 1] as released.
    /// - Throws: `FramePackError.model` for a filter that is not implemented.
    public static func visionPixels(_ picture: Picture, _ config: SigLIPPreprocessorConfig) throws
        -> Tensor
    {
        let filters: [PictureFilter: ResizeFilter] = [
            .lanczos: .lanczos, .bilinear: .bilinear, .bicubic: .bicubic, .box: .box,
        ]
        guard let filter = filters[config.filter] else {
            throw FramePackError.model(
                "preprocessor_config.json: resample is \(config.filter.rawValue); it must be 1 "
                    + "(Lanczos), 2 (bilinear), 3 (bicubic) or 4 (box).")
        }
        let squeezed = picture.resized(
            width: config.width, height: config.height, filter: filter)
        return try config.pixelValues(levels(squeezed))
    }

    /// The vision tokens of a picture, `(1, I, C)` in float32 on the CPU.
    ///
    /// - Parameters:
    ///   - picture: Of any size.
    ///   - config: How it becomes the encoder's input.
    ///   - encoder: The encoder.
    ///   - dtype: The type to compute in.
    ///   - onProgress: Called before each layer; what it throws ends the encoding.
    /// - Throws: `FramePackError.model` for a filter that is not implemented; `ModelError` where
    ///   the configurations of picture and encoder differ in size; what `onProgress` throws.
    public static func vision(
        _ picture: Picture, _ config: SigLIPPreprocessorConfig, _ encoder: SigLIPVisionEncoder,
        dtype: DType = .float32, onProgress: () throws -> Void = {}
    ) throws -> Tensor {
        try encoder(visionPixels(picture, config), dtype: dtype, onProgress: onProgress)
            .to(.cpu, .float32)
    }

    /// The latent of a picture, drawn with given noise: `(1, 16, 1, h, w)`, scaled, in float32 on
    /// the CPU.
    ///
    /// - Parameters:
    ///   - picture: Its sides are multiples of 8: 8h and 8w.
    ///   - vae: The VAE.
    ///   - noise: A draw of the unit Gaussian in the latent's shape.
    ///   - dtype: The type to compute in.
    ///   - device: Where the VAE is.
    ///   - onProgress: Called before each convolution; what it throws ends the encoding.
    /// - Throws: `ModelError` that names the picture, `video`, or the noise, `eps`, if its shape
    ///   does not fit; what `onProgress` throws; `TorchError`, `.outOfMemory` among them.
    public static func latent(
        _ picture: Picture, _ vae: VAE, noise: Tensor, dtype: DType = .float32,
        device: Device = .cpu, onProgress: @escaping () throws -> Void = {}
    ) throws -> Tensor {
        try latent(
            moments(picture, vae, dtype: dtype, device: device, onProgress: onProgress),
            noise: noise, scale: vae.config.scalingFactor)
    }

    /// The moments of a picture's latent, `(1, 16, 1, h, w)` each, unscaled, in the type and on the
    /// device that they are computed in; parameters and errors as for ``latent(_:_:noise:dtype:device:onProgress:)``.
    static func moments(
        _ picture: Picture, _ vae: VAE, dtype: DType, device: Device,
        onProgress: @escaping () throws -> Void = {}
    ) throws -> LatentDistribution {
        try vae.encode(pixels(picture).to(device, dtype), onProgress: onProgress)
    }

    /// A latent of given moments, `(1, 16, 1, h, w)`, scaled, in float32 on the CPU.
    static func latent(_ moments: LatentDistribution, noise: Tensor, scale: Double) throws
        -> Tensor
    {
        let noise = try noise.to(moments.mean.device, moments.mean.dtype)
        return try (moments.sample(noise) * scale).to(.cpu, .float32)
    }
}
