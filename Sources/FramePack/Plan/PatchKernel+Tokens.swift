public import Models

extension PatchKernel {
    /// Tokens of a volume of latents, whose far sides are filled up to whole kernels.
    ///
    /// - Parameters:
    ///   - latents: Latent frames F.
    ///   - size: The picture's size, whose latent grid is `(h, w)`.
    ///   - averaging: How a tail's latents are averaged before; nil for latents of a level.
    public func tokenCount(latents: Int, size: FrameSize, averaging: TailAveraging? = nil) -> Int {
        func whole(_ length: Int, _ side: Int) -> Int { (length + side - 1) / side }
        switch averaging {
        case nil:
            return whole(latents, frames) * whole(size.latentHeight, height)
                * whole(size.latentWidth, width)
        case .eachFrame:
            let side = TailAveraging.side
            return whole(latents, frames) * whole(size.latentHeight, height * side)
                * whole(size.latentWidth, width * side)
        case .allFrames: return min(latents, 1)
        }
    }
}
