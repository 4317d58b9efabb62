import Models
import Torch

extension GenerationRequest {
    /// How strongly the prompt is followed.
    public var guidanceSettings: Guidance {
        Guidance(distilledScale: guidance, trueScale: cfg, rescale: guidanceRescale)
    }

    /// The branches of guidance that keep keys and values of the context.
    package var keptContexts: Int {
        guard contextRefresh > 1 else { return 0 }
        return guidanceSettings.needsNegative ? 2 : 1
    }

    /// What of the request decides its memory, beside sections and size.
    package var memoryDemand: MemoryDemand {
        var demand = MemoryDemand()
        (demand.steps, demand.branches) = (steps, guidanceSettings.needsNegative ? 2 : 1)
        (demand.keptContexts, demand.tiling) = (keptContexts, vaeTiling)
        return demand
    }

    /// The tiles in which latents are decoded in windows.
    var vaeTiling: VAETiling { tiling ? .referenceSpatial : .reference }

    /// The history before the first section.
    func history(
        _ plan: SectionPlan, start: Tensor, end: Tensor? = nil, _ library: ModelLibrary,
        retention: HistoryRetention = .all
    ) throws -> LatentHistory {
        LatentHistory(
            start: start, end: end, plan: plan, order: historyOrder,
            timeWeight: historyTimeWeight,
            codebook: plan.packing.isDiscrete ? try library.historyCodebook() : nil,
            retention: retention)
    }

    /// The sampler of sections that the request asks for.
    ///
    /// - Parameters:
    ///   - library: The networks.
    ///   - size: The video's size.
    ///   - memory: What the run has computed already.
    ///   - around: Makes the denoiser of each branch of each section from the transformer's; nil
    ///     for the step cache that is asked for.
    ///   - onProgress: Called between the transformer's blocks; what it throws ends the sampling.
    func sectionSampler(
        _ library: ModelLibrary, size: FrameSize, memory: RunMemory?,
        around: ((TransformerDenoiser) -> any Denoiser)? = nil,
        onProgress: @escaping () throws -> Void
    ) throws -> SectionSampler {
        let precision = library.precision
        let denoiser = TransformerDenoiser(
            try library.transformer(),
            execution: Execution(
                dtype: precision.transformer, roundsConditions: precision.roundsConditions,
                chunkSize: library.memory.chunks.tokens, memory: memory, onProgress: onProgress),
            distilledScale: guidance)
        let cache = try stepCacheSetup(library.folder)
        return SectionSampler(
            { sampler.sampler(schedule(latents: $0, size: size)) }, guidance: guidanceSettings,
            dtype: precision.transformer
        ) { schedule in
            let denoiser = denoiser.during(schedule, contextRefresh: contextRefresh)
            return around?(denoiser) ?? cache?.cache(denoiser) ?? denoiser
        }
    }

    /// The step cache that the request asks for; nil for none.
    ///
    /// - Throws: `FramePackError.model` where it needs to know more of the model.
    func stepCacheSetup(_ model: ModelFolder) throws -> StepCacheSetup? {
        try StepCacheSetup(stepCache, threshold: threshold, stepCount: steps) {
            try model.magnitudeRatios()
        }
    }
}
