import Models
import Torch

/// A denoiser that runs all blocks and notes how the length of what they add changes: how the ratios
/// of MagCache are measured.
///
/// Source: arXiv 2506.09045, equation 3; `magcache_framepack_calibration` in `MagCache4FramePack`.
final class MagnitudeRecorder: Denoiser {
    private let denoiser: TransformerDenoiser
    private var lengths: Tensor?
    /// One ratio for each call so far, the first of them 1.
    private(set) var ratios: [Double] = []

    init(_ denoiser: TransformerDenoiser) { self.denoiser = denoiser }

    func velocity(_ x: Tensor, sigma: Float, context: SectionContext, prompt: Conditioning) throws
        -> Tensor
    {
        let transformer = denoiser.transformer
        let input = try denoiser.input(x, sigma: sigma, context: context, prompt: prompt)
        let streams = try transformer.embed(input, denoiser.execution)
        let result = try transformer.run(blocks: 0..<transformer.blockCount, on: streams)
        let residual = try (result.x - streams.x).to(.float32)
        // One length a token, (B, L).
        let now = try (residual * residual).sum([-1]).sqrt()
        ratios.append(
            try lengths.map { try (now / $0).mean().to(.cpu, .float32).item() } ?? 1)
        lengths = now
        return try transformer.head(result)
    }
}
