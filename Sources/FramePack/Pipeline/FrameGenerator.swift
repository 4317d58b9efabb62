import Foundation
public import Media
import Models
public import Torch
import TorchNN

/// Makes videos in memory with networks that stay loaded.
///
/// It is for measurements of many short videos, which need no files, jobs or events; the numbers
/// are those of ``Pipeline``.
public final class FrameGenerator {
    /// What sampling a video took.
    package struct SamplingRecord: Sendable {
        /// Seconds from the first section's noise to the last one's latents.
        package var seconds = 0.0
        /// Calls of the network that were asked for: one a step and branch of true guidance.
        package var calls = 0
        /// Calls that were answered from a step cache.
        package var skipped = 0
    }

    /// The model.
    public let model: ModelFolder
    private let library: ModelLibrary
    private let prompts: PromptEncoder
    private var encoded: [String: EncodedPrompt] = [:]
    /// What sampling the last video took.
    package private(set) var record = SamplingRecord()

    /// Opens a model.
    ///
    /// - Parameters:
    ///   - model: The whole model.
    ///   - device: Where the networks compute.
    ///   - dtype: The transformer's type; nil for the one that its files have.
    ///   - weightFormat: How the weights of its blocks are held.
    /// - Throws: `FramePackError.model` or `CheckpointError` for a part that cannot be used.
    public init(
        _ model: ModelFolder, device: Device = .cpu, dtype: PrecisionChoice? = nil,
        weightFormat: WeightFormatChoice = .stored
    ) throws {
        try model.requireAll()
        if device.kind == .cuda { try Accelerator.loadCUDA() }
        self.model = model
        var precision = Precision(
            dtype, stored: try ModelLibrary.storedType(model), device: device, parity: false)
        precision.weights = weightFormat.target
        library = ModelLibrary(model, device: device, precision: precision)
        prompts = try library.promptEncoder(parity: false)
    }

    /// The frames of a video.
    ///
    /// - Parameters:
    ///   - request: What is asked for; its pictures, size and output are passed over.
    ///   - picture: The start picture, which has the video's size: a multiple of 16 each way; nil
    ///     for a start from text alone, at the model's own size.
    ///   - cancellation: Ends the work from another thread.
    /// - Returns: The frames in time order; a start from text gives one less, as in a run.
    /// - Throws: `FramePackError` for an invalid request or size, NaN, or cancelled work.
    public func frames(
        _ request: GenerationRequest, from picture: Picture?,
        cancellation: CancellationToken = CancellationToken()
    ) throws -> [Picture] {
        let (request, plan, picture) = try prepared(request, picture)
        return try withoutGradients {
            let history = try sample(request, plan, picture, cancellation)
            let pixels =
                request.decode == .streaming
                ? try StreamingFrameDecoder(
                    library.vae(), dtype: library.precision.decoding, device: library.device
                ).decode(history.latents(0..<plan.latentCount)) { try cancellation.check() }
                : try joined(plan, history, cancellation)
            let kept = try pixels.narrow(2, plan.keptFrames.lowerBound, plan.keptFrames.count)
            return try FrameRounding.nearest.pictures(kept)
        }
    }

    /// How long what the transformer's blocks add is in each step, over all sections of a video:
    /// what MagCache has to know of a model.
    ///
    /// - Parameters:
    ///   - request: What is asked for; its pictures, size and output are passed over, and what of its
    ///     steps is reused.
    ///   - picture: The start picture, as for ``frames(_:from:cancellation:)``.
    ///   - cancellation: Ends the work from another thread.
    /// - Returns: One ratio a step, the mean over sections and branches of true guidance.
    /// - Throws: `FramePackError` for an invalid request or size, NaN, or cancelled work.
    ///
    /// Source: arXiv 2506.09045, which finds that one prompt suffices.
    public func magnitudeRatios(
        _ request: GenerationRequest, from picture: Picture?,
        cancellation: CancellationToken = CancellationToken()
    ) throws -> MagnitudeRatios {
        var uncached = request
        (uncached.stepCache, uncached.contextRefresh) = (.none, 1)
        let (request, plan, picture) = try prepared(uncached, picture)
        var recorders: [MagnitudeRecorder] = []
        _ = try withoutGradients {
            try sample(request, plan, picture, cancellation) { denoiser in
                let recorder = MagnitudeRecorder(denoiser)
                recorders.append(recorder)
                return recorder
            }
        }
        return MagnitudeRatios.mean(of: recorders.map { MagnitudeRatios($0.ratios) })
    }

    /// The request as it is run here, its plan, and a picture to begin with.
    private func prepared(_ request: GenerationRequest, _ picture: Picture?) throws -> (
        GenerationRequest, SectionPlan, Picture
    ) {
        var request = request
        (request.image, request.endImage) = (picture == nil ? nil : "picture", nil)
        let side = model.settings.resolution ?? 640
        let size = try FrameSize.checked(
            height: picture?.height ?? side, width: picture?.width ?? side)
        let plan = try request.plan(defaultOrder: model.defaultOrder)
        try model.check(plan.packing)
        return (request, plan, picture ?? model.settings.plainPicture(size))
    }

    /// Samples all sections; the denoisers are those that `around` makes, or the request's.
    private func sample(
        _ request: GenerationRequest, _ plan: SectionPlan, _ picture: Picture,
        _ cancellation: CancellationToken,
        around: ((TransformerDenoiser) -> any Denoiser)? = nil
    ) throws -> LatentHistory {
        let device = library.device
        let size = FrameSize(height: picture.height, width: picture.width)
        let noise = try SectionNoise(seed: request.seed, plan: plan, size: size)
        let vision = try ImageEncoder.vision(
            picture, library.visionSettings(), library.visionEncoder(),
            dtype: library.precision.encoders)
        let start = try ImageEncoder.latent(
            picture, library.vae(), noise: noise.picture(), dtype: library.precision.vae,
            device: device)
        let conditionings = KnownConditionings<String>(on: device)
        func conditioning(_ text: String) throws -> Conditioning {
            try conditionings(text, prompt(text), vision)
        }
        let cache = try request.stepCacheSetup(model)
        var caches: [any StepCache] = []
        let sampler = try request.sectionSampler(
            library, size: size, memory: RunMemory(),
            around: { denoiser in
                if let around { return around(denoiser) }
                guard let cache = cache?.cache(denoiser) else { return denoiser }
                caches.append(cache)
                return cache
            }
        ) { try cancellation.check() }
        var history = try request.history(plan, start: start, library)
        let began = Date()
        record = SamplingRecord()
        for section in plan.sections {
            try library.adapt(request.lora, during: plan.time(of: section))
            let latents = try sampler.sample(
                section, after: history, noise: noise, on: device,
                prompt: conditioning(plan.prompt(of: section)),
                negative: request.guidanceSettings.needsNegative
                    ? conditioning(request.negativePrompt) : nil)
            try history.add(latents, of: section)
            record.calls += request.steps * (request.guidanceSettings.needsNegative ? 2 : 1)
            record.skipped += caches.reduce(0) { $0 + $1.computed.count { !$0 } }
            caches = []
        }
        record.seconds = Date().timeIntervalSince(began)
        return history
    }

    /// Decodes in the reference's windows, joined as in a run.
    private func joined(
        _ plan: SectionPlan, _ history: LatentHistory, _ cancellation: CancellationToken
    ) throws -> Tensor {
        try FrameDecoder(
            library.vae(), plan: plan, dtype: library.precision.decoding, device: library.device,
            onProgress: { try cancellation.check() }
        ).decodeAll(history)
    }

    private func prompt(_ text: String) throws -> EncodedPrompt {
        if let known = encoded[text] { return known }
        // Measurements have a prompt of their own for each video.
        if encoded.count > 8 { encoded = [:] }
        let new = try prompts(text)
        encoded[text] = new
        return new
    }
}
