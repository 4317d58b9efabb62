public import Torch

extension VAEConfig {
    /// Checks that a video can be encoded.
    ///
    /// - Parameter video: To be `(B, 3, 4F−3, 8h, 8w)`.
    /// - Throws: `ModelError` that names `video`, what was found and what is wanted.
    public func check(video: Tensor) throws(ModelError) {
        try check("video", video, channels: inChannels)
        let frames = video.dim(2)
        guard (frames - 1) % temporalCompressionRatio == 0 else {
            let below = self.frames(latents: latentFrames(frames))
            throw ModelError(
                """
                video has \(frames) frames; there must be one more than a multiple of \
                \(temporalCompressionRatio): use \(below) or \(below + temporalCompressionRatio).
                """)
        }
        for (name, axis) in [("height", 3), ("width", 4)] {
            let size = video.dim(axis)
            let below = size / spatialCompressionRatio * spatialCompressionRatio
            guard size != below else { continue }
            let above = below + spatialCompressionRatio
            throw ModelError(
                """
                video has the \(name) \(size), which is not a multiple of \
                \(spatialCompressionRatio); use \(below == 0 ? "" : "\(below) or ")\(above).
                """)
        }
    }

    /// Checks that latents can be decoded.
    ///
    /// - Parameter latents: To be `(B, C, F, h, w)`.
    /// - Throws: `ModelError` that names `latents`, what was found and what is wanted.
    public func check(latents: Tensor) throws(ModelError) {
        try check("latents", latents, channels: latentChannels)
    }

    private func check(_ name: String, _ tensor: Tensor, channels: Int) throws(ModelError) {
        guard tensor.rank == 5 else {
            throw ModelError(
                """
                \(name) has \(tensor.rank) axes, the shape \(tensor.shape); 5 are needed: batch, \
                channels, frames, height, width.
                """)
        }
        guard tensor.dim(1) == channels else {
            throw ModelError(
                "\(name) has \(tensor.dim(1)) channels; this VAE needs \(channels).")
        }
        guard tensor.count > 0 else {
            throw ModelError("\(name) is empty: its shape is \(tensor.shape).")
        }
        guard tensor.dtype.isFloatingPoint else {
            throw ModelError("\(name) has elements of type \(tensor.dtype); floats are needed.")
        }
    }
}
