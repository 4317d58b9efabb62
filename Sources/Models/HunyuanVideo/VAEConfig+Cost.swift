extension VAEConfig {
    /// Floating point operations of decoding a piece of video.
    ///
    /// A convolution of k taps from C to D channels takes `2 k C D` operations a position; the
    /// attention of the middle block `4 A A' C`, where each of the A positions of a frame meets A'.
    /// Where an axis is repeated twofold, the convolution after it takes two of three taps.
    ///
    /// - Parameters:
    ///   - latents: Latent frames of the piece, 1 or more.
    ///   - height: Rows of the latent grid.
    ///   - width: Columns of the latent grid.
    public func decodingOperations(latents: Int, height: Int, width: Int) -> (
        convolution: Double, attention: Double
    ) {
        let sizes = Array(blockOutChannels.reversed())
        var shape = [latents, height, width]
        var total = 0.0
        func convolve(_ input: Int, _ output: Int, taps: Double = 27) {
            total += 2 * taps * Double(input * output) * Double(shape.reduce(1, *))
        }
        func block(_ input: Int, _ output: Int) {
            convolve(input, output)
            convolve(output, output)
            if input != output { convolve(input, output, taps: 1) }
        }
        convolve(latentChannels, latentChannels, taps: 1)
        convolve(latentChannels, sizes[0])
        for _ in 0..<2 { block(sizes[0], sizes[0]) }
        if midBlockAddAttention { for _ in 0..<4 { convolve(sizes[0], sizes[0], taps: 1) } }
        for level in sizes.indices {
            for index in 0...layersPerBlock {
                block(index == 0 ? sizes[max(level - 1, 0)] : sizes[level], sizes[level])
            }
            let factors = factors(level: level)
            guard factors != [1, 1, 1] else { continue }
            // The first frame is not repeated in time.
            shape = [
                (shape[0] - 1) * factors[0] + 1, shape[1] * factors[1], shape[2] * factors[2],
            ]
            convolve(
                sizes[level], sizes[level], taps: factors.reduce(1) { $0 * ($1 == 2 ? 2 : 3) })
        }
        convolve(sizes[sizes.count - 1], outChannels)
        let area = Double(height * width)
        let pairs = area * area * Double(latents * (latents + 1) / 2)
        return (total, midBlockAddAttention ? 4 * pairs * Double(sizes[0]) : 0)
    }
}
