import Models
import Torch

extension GenerationRequest {
    /// How strongly the prompt is followed.
    public var guidanceSettings: Guidance {
        Guidance(distilledScale: guidance, trueScale: cfg, rescale: guidanceRescale)
    }

    /// The history before the first section.
    func history(
        _ plan: SectionPlan, start: Tensor, end: Tensor? = nil, _ library: ModelLibrary
    ) throws -> LatentHistory {
        LatentHistory(
            start: start, end: end, plan: plan, order: historyOrder,
            timeWeight: historyTimeWeight,
            codebook: plan.packing.isDiscrete ? try library.historyCodebook() : nil)
    }

    /// The sampler of sections that the request asks for.
    ///
    /// - Parameter onProgress: Called between the transformer's blocks; what it throws ends the
    ///   sampling.
    func sectionSampler(
        _ library: ModelLibrary, size: FrameSize, onProgress: @escaping () throws -> Void
    ) throws -> SectionSampler {
        let precision = library.precision
        let denoiser = TransformerDenoiser(
            try library.transformer(),
            execution: Execution(
                dtype: precision.transformer, roundsConditions: precision.roundsConditions,
                onProgress: onProgress),
            distilledScale: guidance)
        let (cache, threshold, steps) = (stepCache, threshold, steps)
        return SectionSampler(
            { sampler.sampler(schedule(latents: $0, size: size)) }, guidance: guidanceSettings,
            dtype: precision.transformer
        ) {
            switch cache {
            case .none: denoiser
            case .teacache: TeaCache(denoiser, threshold: threshold, stepCount: steps)
            }
        }
    }
}
