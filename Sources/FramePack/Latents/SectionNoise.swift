public import Torch

/// The random numbers of one generation, the same on every machine and in every resumed run.
///
/// Sections draw from one generator of the seed in the order of their generation; pictures draw
/// from a second one of the same seed, so that they never shift the sections' noise.
///
/// Source: `sample_hunyuan` in `diffusers_helper/pipelines/k_diffusion_hunyuan.py`. Differs from
/// the reference: there the start latent's draw is not seeded.
public final class SectionNoise {
    private let sections, pictures: Generator
    private let shapes: [[Int]]
    private var drawnSections = 0

    /// Starts both streams.
    ///
    /// - Parameters:
    ///   - seed: The seed, 0 or more.
    ///   - channels: Channels of the latents.
    ///   - plan: The sections.
    ///   - size: The video's size.
    public convenience init(
        seed: Int, channels: Int = 16, plan: SectionPlan, size: FrameSize
    ) throws {
        try self.init(seed, channels, plan.sections.map(\.latentCount), size)
    }

    /// Starts both streams for lone windows, as where pictures alone are encoded.
    ///
    /// - Parameters:
    ///   - seed: The seed, 0 or more.
    ///   - channels: Channels of the latents.
    ///   - window: Latents of the one section.
    ///   - size: The picture's size.
    public convenience init(
        seed: Int, channels: Int = 16, window: Int, size: FrameSize
    ) throws {
        try self.init(seed, channels, [window], size)
    }

    private init(_ seed: Int, _ channels: Int, _ latents: [Int], _ size: FrameSize) throws {
        sections = try Generator(seed: UInt64(seed))
        pictures = try Generator(seed: UInt64(seed))
        shapes = latents.map { [1, channels, $0, size.latentHeight, size.latentWidth] }
    }

    /// The shape of a section's noise, `(1, 16, F, h, w)`.
    ///
    /// - Parameter number: The section in the order of generation, from 0.
    public func shape(of number: Int) -> [Int] { shapes[number] }

    /// The noise of a section, `(1, 16, F, h, w)`, float32 on the CPU.
    ///
    /// Sections that a resumed run skips are drawn and dropped; none is asked for twice.
    ///
    /// - Parameter number: The section in the order of generation, from 0.
    /// - Throws: `TorchError` where memory does not suffice.
    public func section(_ number: Int) throws -> Tensor {
        precondition(number >= drawnSections, "sections draw their noise in order")
        var noise = try Tensor.randn(shapes[drawnSections], generator: sections)
        for skipped in drawnSections..<number {
            noise = try .randn(shapes[skipped + 1], generator: sections)
        }
        drawnSections = number + 1
        return noise
    }

    /// The next picture's noise, `(1, 16, 1, h, w)`, float32 on the CPU: the start image's, then
    /// the end image's.
    ///
    /// - Throws: `TorchError` where memory does not suffice.
    public func picture() throws -> Tensor {
        try .randn(Array(shapes[0][..<2]) + [1] + shapes[0][3...], generator: pictures)
    }
}
