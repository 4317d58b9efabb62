public import Models
public import Torch

/// Takes one section from noise to latents.
public struct SectionSampler {
    /// Makes the denoiser of one branch of one section, so that caches begin anew.
    public typealias MakeDenoiser = (_ schedule: FlowSchedule) -> any Denoiser
    /// Makes the steps of a section that generates so many latents: noise levels depend on them.
    public typealias MakeSampler = (_ latents: Int) -> any Sampler

    private let sampler: MakeSampler
    private let guidance: Guidance
    private let dtype: DType
    private let makeDenoiser: MakeDenoiser

    /// Makes a sampler of sections.
    ///
    /// - Parameters:
    ///   - sampler: Makes the steps of a section.
    ///   - guidance: How strongly the prompt is followed.
    ///   - dtype: The type in which the network gets latents.
    ///   - makeDenoiser: Called once for each branch of each section.
    public init(
        _ sampler: @escaping MakeSampler, guidance: Guidance, dtype: DType,
        makeDenoiser: @escaping MakeDenoiser
    ) {
        self.sampler = sampler
        self.guidance = guidance
        self.dtype = dtype
        self.makeDenoiser = makeDenoiser
    }

    /// Samples a section.
    ///
    /// - Parameters:
    ///   - section: Its number in the order of generation, from 0, for errors.
    ///   - noise: Unit Gaussian noise in float32, `(1, 16, F, h, w)`.
    ///   - context: The packed history.
    ///   - prompt: The prompt.
    ///   - negative: The negative prompt; needed where true guidance is not 1.
    ///   - onStep: Called after each step; what it throws ends the sampling.
    /// - Returns: Clean latents in the shape of `noise`, in the VAE's scaled units.
    /// - Throws: `FramePackError.notFinite` for NaN or infinite latents; what `onStep` throws;
    ///   `TorchError` `.outOfMemory` where the section does not fit.
    public func sample(
        section: Int, noise: Tensor, context: SectionContext, prompt: Conditioning,
        negative: Conditioning?, onStep: (StepReport) throws -> Void = { _ in }
    ) throws -> Tensor {
        let sampler = sampler(noise.dim(2))
        let denoiser = makeDenoiser(sampler.schedule)
        let opposite =
            guidance.needsNegative ? negative.map { ($0, makeDenoiser(sampler.schedule)) } : nil
        return try sampler.sample(noise, dtype: dtype) { x, sigma in
            let v = try denoiser.velocity(x, sigma: sigma, context: context, prompt: prompt)
            guard let (negative, other) = opposite else { return v }
            return try guidance.combined(
                positive: v,
                negative: other.velocity(x, sigma: sigma, context: context, prompt: negative))
        } onStep: { report in
            guard try report.denoised.isFinite().all().to(.cpu, .float32).item() != 0 else {
                throw FramePackError.notFinite(section: section + 1, step: report.step + 1)
            }
            try onStep(report)
        }
    }

    /// Samples a section of a plan after what is there of its video.
    ///
    /// - Parameters:
    ///   - section: The section.
    ///   - history: The latents so far, of which its context is packed.
    ///   - noise: The noise of the video's sections.
    ///   - device: Where the network computes.
    ///   - prompt: The section's prompt, on `device`.
    ///   - negative: The negative prompt; needed where true guidance is not 1.
    ///   - onStep: Called after each step; what it throws ends the sampling.
    /// - Returns: Clean latents `(1, 16, F, h, w)`, float32 on the CPU, in the VAE's scaled units.
    /// - Throws: As ``sample(section:noise:context:prompt:negative:onStep:)``.
    package func sample(
        _ section: Section, after history: LatentHistory, noise: SectionNoise, on device: Device,
        prompt: Conditioning, negative: Conditioning? = nil,
        onStep: (StepReport) throws -> Void = { _ in }
    ) throws -> Tensor {
        try sample(
            section: section.number, noise: noise.section(section.number).to(device),
            context: history.context(of: section, on: device), prompt: prompt,
            negative: negative, onStep: onStep
        ).to(.cpu, .float32)
    }
}
