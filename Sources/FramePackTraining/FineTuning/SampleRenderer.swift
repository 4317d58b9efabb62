import Foundation
package import FramePack
package import Media
package import Models
import Torch

/// Makes the sample videos of a fine-tuning with the network that is being trained.
///
/// Captions and pictures were encoded with the data, so that beside the network only the VAE is
/// loaded, and let go again.
package final class SampleRenderer {
    private let samples: [FineTuningConfig.Sample]
    private let conditions: SampleConditions
    private let library: ModelLibrary
    private let config: FineTuningConfig
    private let codebook: () throws -> HistoryCodebook

    /// Prepares the videos that a configuration asks for.
    ///
    /// - Parameter codebook: Reads what a discrete history consists of.
    /// - Throws: `TrainingError` where their captions and pictures are not encoded, or files of them
    ///   are harmed.
    init(
        _ config: FineTuningConfig, _ library: ModelLibrary, cache: ConditionCache,
        codebook: @escaping () throws -> HistoryCodebook
    ) throws {
        self.config = config
        self.codebook = codebook
        self.library = library
        samples = config.samples
        conditions = try SampleConditions(samples, cache, library.folder)
        for sample in samples {
            _ = try request(sample).plan(defaultOrder: library.folder.defaultOrder)
        }
    }

    /// Writes every video.
    ///
    /// - Parameters:
    ///   - name: The file of a sample's number, from 1.
    ///   - cancellation: Ends the work from another thread.
    /// - Returns: The files.
    func write(
        _ transformer: Transformer, cancellation: CancellationToken, name: (Int) -> URL
    ) throws -> [URL] {
        defer { try? library.release([.vae]) }
        return try withoutGradients {
            try samples.indices.map { number in
                let file = name(number + 1)
                try write(number, transformer, cancellation, to: file)
                return file
            }
        }
    }

    private func write(
        _ number: Int, _ transformer: Transformer, _ token: CancellationToken, to file: URL
    ) throws {
        let size = conditions.size(number)
        let writer = try VideoWriter(
            to: file, width: size.width, height: size.height,
            encoding: VideoEncoding(framesPerSecond: request(samples[number]).fps),
            comment: samples[number].prompt)
        for frame in try frames(number, transformer, cancellation: token) {
            try writer.write(frame)
        }
        try writer.finish()
    }

    /// The frames of a sample, in time order.
    ///
    /// - Parameter number: Its place in the configuration, from 0.
    package func frames(
        _ number: Int, _ transformer: Transformer, cancellation token: CancellationToken
    ) throws -> [Picture] {
        let request = request(samples[number])
        let start = try conditions.start(number)
        let size = conditions.size(number)
        let plan = try request.plan(defaultOrder: library.folder.defaultOrder)
        let history = try sample(request, plan, number, start, size, transformer, token)
        let pixels = try FrameDecoder(
            library.vae(), plan: plan, dtype: library.precision.decoding, device: library.device,
            onProgress: { try token.check() }
        ).decodeAll(history)
        let kept = try pixels.narrow(2, plan.keptFrames.lowerBound, plan.keptFrames.count)
        return try FrameRounding.nearest.pictures(kept)
    }

    private func request(_ sample: FineTuningConfig.Sample) -> GenerationRequest {
        var request = library.folder.settings.request(
            prompt: sample.prompt, image: sample.image)
        (request.seconds, request.steps, request.seed) = (
            sample.seconds, sample.steps, sample.seed
        )
        request.guidance = sample.guidance ?? request.guidance
        request.window = config.sections.window
        let layout = SectionPlans(config.sections, model: library.folder).layouts[0]
        (request.order, request.packing) = (layout.order, layout.packing)
        let historyOrder = config.sections.historyOrders.first.flatMap(HistoryOrder.init)
        request.historyOrder = historyOrder ?? .time
        request.historyTimeWeight = config.sections.historyTimeWeight
        return request
    }

    private func sample(
        _ request: GenerationRequest, _ plan: SectionPlan, _ number: Int, _ start: Tensor,
        _ size: FrameSize, _ transformer: Transformer, _ token: CancellationToken
    ) throws -> LatentHistory {
        let device = library.device
        let dtype = config.compute.precision.dtype
        let prompt = try conditions.prompt(number, on: device)
        let noise = try SectionNoise(seed: request.seed, plan: plan, size: size)
        let denoiser = TransformerDenoiser(
            transformer,
            execution: Execution(dtype: dtype, memory: RunMemory()) { try token.check() },
            distilledScale: request.guidance)
        let sampler = SectionSampler(
            { request.sampler.sampler(request.schedule(latents: $0, size: size)) },
            guidance: Guidance(), dtype: dtype
        ) { denoiser.during($0) }
        var history = LatentHistory(
            start: start, plan: plan, order: request.historyOrder,
            timeWeight: request.historyTimeWeight,
            codebook: plan.packing.isDiscrete ? try codebook() : nil)
        for section in plan.sections {
            let latents = try sampler.sample(
                section, after: history, noise: noise, on: device, prompt: prompt)
            try history.add(latents, of: section)
        }
        return history
    }
}

/// What the captions and pictures of sample videos encoded to.
private struct SampleConditions {
    private let clips: [CachedClip]
    private let cache: ConditionCache

    init(_ samples: [FineTuningConfig.Sample], _ cache: ConditionCache, _ model: ModelFolder) throws
    {
        let name = CachePlan.manifestName(samples.identity, try CacheIdentity.all(model))
        let manifest = try cache.manifest(name, of: "the configuration's samples")
        clips = manifest.clips
        self.cache = cache
        guard clips.count == samples.count else {
            throw TrainingError(
                "\(cache.folder.path) lacks some of the configuration's samples; run `framepack "
                    + "train cache`, which says why")
        }
        for name in manifest.fileNames { try cache.check(name) }
    }

    func size(_ number: Int) -> FrameSize {
        FrameSize(height: clips[number].height, width: clips[number].width)
    }

    /// `(1, C, 1, h, w)`.
    func start(_ number: Int) throws -> Tensor {
        try cache.tensor("latents", in: clips[number].latents).unsqueeze(0)
    }

    func prompt(_ number: Int, on device: Device) throws -> Conditioning {
        let clip = clips[number]
        let embeds = try cache.tensor("embeds", in: clip.text).unsqueeze(0)
        let encoded = EncodedPrompt(
            embeds: embeds, length: embeds.dim(1),
            pooled: try cache.tensor("pooled", in: clip.text).unsqueeze(0))
        return try encoded.conditioning(
            vision: clip.vision.map { try cache.tensor("states", in: $0).unsqueeze(0) },
            on: device)
    }
}
