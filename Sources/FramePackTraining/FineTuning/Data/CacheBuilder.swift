public import Foundation
public import FramePack
import Media
import Models
import Torch

/// What a cache's command is at.
public struct CacheProgress: Sendable {
    /// Which encoder is at work.
    public enum Stage: String, Sendable {
        /// Captions through Llama and CLIP.
        case text
        /// Start pictures through SigLIP.
        case vision
        /// Clips through the VAE.
        case latents
    }

    /// The encoder.
    public let stage: Stage
    /// How many files of the stage are there.
    public let done: Int
    /// How many there will be.
    public let total: Int
    /// What was encoded last.
    public let name: String
}

/// What a cache holds when it is filled.
public struct CacheSummary: Sendable {
    /// Clips of videos, and pictures.
    public var clips = 0, pictures = 0
    /// Sections of all clips, seen once.
    public var sections = 0
    /// Files that were there already, and those that were made.
    public var found = 0, made = 0
    /// What was left out, and why.
    public var problems: [DatasetProblem] = []
}

/// Encodes a dataset once, so that a training needs no encoder: latents of whole clips, vision states
/// of start pictures, text states and pooled text of captions.
///
/// Each file is named after a checksum of all that it was made from, and appears when it is whole:
/// work that was ended at any moment goes on where it stood, and what does not change is not made
/// again. One encoder is loaded at a time.
public final class CacheBuilder {
    private let dataset: DatasetFile
    private let samples: [FineTuningConfig.Sample]
    private let library: ModelLibrary
    private let defaultFolder: URL
    private let identities: [CacheProgress.Stage: String]
    private let report: (CacheProgress) throws -> Void
    private var summary = CacheSummary()

    /// Prepares a cache; nothing is loaded yet.
    ///
    /// - Parameters:
    ///   - samples: Videos that a training makes on the way, whose captions and pictures it needs.
    ///   - library: The networks; those that are needed are loaded and let go.
    ///   - folder: Where files go whose dataset names no folder.
    ///   - onProgress: Called after each file; what it throws ends the work.
    /// - Throws: `FramePackError.model` for a part that is missing.
    public init(
        _ dataset: DatasetFile, samples: [FineTuningConfig.Sample] = [], _ library: ModelLibrary,
        folder: URL, onProgress: @escaping (CacheProgress) throws -> Void = { _ in }
    ) throws {
        (self.dataset, self.samples) = (dataset, samples)
        (self.library, defaultFolder) = (library, folder)
        report = onProgress
        identities = try CacheIdentity.all(library.folder)
    }

    /// Makes what is missing.
    ///
    /// - Throws: `TrainingError` where no clip is left; what a network or `onProgress` throws.
    public func fill() throws -> CacheSummary {
        let datasets = try dataset.datasets.map { try plan($0) }
        let plans = try datasets + (samples.isEmpty ? [] : [planSamples()])
        try withoutGradients {
            try encodeTexts(plans)
            try encodePictures(plans)
            try encodeClips(plans)
        }
        for plan in plans { try finish(plan) }
        for (plan, dataset) in zip(datasets, dataset.datasets) { count(plan, dataset) }
        guard summary.clips + summary.pictures > 0 else {
            let first = summary.problems.first.map { "; \($0)" } ?? ""
            throw TrainingError("\(dataset.url.path) gives no clip that can be trained on\(first)")
        }
        return summary
    }

    // MARK: - Plan

    private func plan(_ dataset: DatasetFile.Dataset) throws -> CachePlan {
        let cache = dataset.cache(orIn: defaultFolder)
        try FileManager.default.createDirectory(
            at: cache.folder, withIntermediateDirectories: true)
        let (items, problems) = try dataset.items()
        summary.problems += problems
        var plan = CachePlan(dataset.identity, cache: cache, identities: identities)
        for item in items {
            do { try plan.add(item, of: dataset) } catch {
                summary.problems.append(
                    DatasetProblem(place: item.file.path, reason: "\(error)"))
            }
        }
        return plan
    }

    private func planSamples() throws -> CachePlan {
        let cache = ConditionCache(folder: defaultFolder)
        try FileManager.default.createDirectory(
            at: cache.folder, withIntermediateDirectories: true)
        var plan = CachePlan(
            samples.identity, cache: cache, identities: identities)
        for sample in samples {
            try plan.add(sample, resolution: library.folder.settings.resolution ?? 640)
        }
        return plan
    }

    /// Writes the list of what is there.
    private func finish(_ plan: CachePlan) throws {
        try writeJSON(plan.manifest(), to: plan.cache.url(plan.manifestName))
    }

    private func count(_ plan: CachePlan, _ dataset: DatasetFile.Dataset) {
        for clip in plan.manifest().clips {
            if clip.pictureIndex == nil {
                summary.clips += 1
                summary.sections += (clip.latentCount - 1) / dataset.cutting.window
            } else {
                summary.pictures += 1
            }
        }
    }

    // MARK: - Stages

    private func run(
        _ stage: CacheProgress.Stage, _ jobs: [(plan: CachePlan, job: CacheJob)],
        _ body: (CachePlan, CacheJob) throws -> Void
    ) throws {
        var seen: Set<URL> = []
        let unique = jobs.filter { seen.insert($0.plan.cache.url($0.job.name)).inserted }
        let missing = unique.filter { !$0.plan.cache.contains($0.job.name) }
        summary.found += unique.count - missing.count
        for (number, item) in missing.enumerated() {
            do {
                try body(item.plan, item.job)
                summary.made += 1
            } catch let error as MediaError {
                summary.problems.append(
                    DatasetProblem(place: item.job.source, reason: error.description))
            } catch let error as TrainingError {
                summary.problems.append(
                    DatasetProblem(place: item.job.source, reason: error.description))
            }
            try report(
                CacheProgress(
                    stage: stage, done: unique.count - missing.count + number + 1,
                    total: unique.count, name: item.job.source))
        }
    }

    private func encodeTexts(_ plans: [CachePlan]) throws {
        var encoder: PromptEncoder?
        try run(.text, plans.flatMap { plan in plan.texts.map { (plan, $0) } }) { plan, job in
            let made = try encoder ?? library.promptEncoder(parity: false)
            encoder = made
            let encoded = try made(job.text)
            try plan.cache.write(
                [
                    "embeds": encoded.embeds.squeeze(0).narrow(0, 0, encoded.length).contiguous(),
                    "pooled": encoded.pooled.squeeze(0),
                ], source: job.text, to: job.name)
        }
        encoder = nil
        try library.release([.textEncoder, .textEncoder2])
    }

    private func encodePictures(_ plans: [CachePlan]) throws {
        try run(.vision, plans.flatMap { plan in plan.pictures.map { (plan, $0) } }) { plan, job in
            let picture = try startPicture(job)
            let states = try ImageEncoder.vision(
                picture, library.visionSettings(), library.visionEncoder(),
                dtype: library.precision.encoders)
            try plan.cache.write(
                ["states": states.squeeze(0)], source: job.source, to: job.name)
        }
        try library.release([.imageEncoder])
    }

    private func encodeClips(_ plans: [CachePlan]) throws {
        try run(.latents, plans.flatMap { plan in plan.clips.map { (plan, $0) } }) { plan, job in
            let latents: Tensor
            switch job.frames {
            case .clip(let source, let range):
                var clip: [Picture] = []
                try source.read([range], size: job.size) { clip = $1 }
                latents = try encode(clip: clip)
            case .pictures(let files):
                latents = try .cat(
                    files.map { try encode(clip: [Self.picture($0, job.size)]) }, axis: 1)
            case .plain:
                latents = try encode(clip: [library.folder.settings.plainPicture(job.size)])
            case .start(_, let seed):
                latents = try ImageEncoder.latent(
                    startPicture(job), library.vae(),
                    noise: SectionNoise(seed: seed, window: 1, size: job.size).picture(),
                    dtype: library.precision.vae, device: library.device
                ).squeeze(0)
            case .none: return
            }
            try plan.cache.write(["latents": latents], source: job.source, to: job.name)
        }
        try library.release([.vae])
    }

    // MARK: - Encoding

    private func startPicture(_ job: CacheJob) throws -> Picture {
        switch job.frames {
        case .clip(let source, let range):
            var first: [Picture] = []
            try source.read([range.lowerBound..<range.lowerBound + 1], size: job.size) {
                first = $1
            }
            guard let picture = first.first else { throw TrainingError("it has no frame") }
            return picture
        case .pictures(let files): return try Self.picture(files[0], job.size)
        case .start(.some(let file), _): return try Self.picture(file, job.size)
        case .plain, .start, .none: return library.folder.settings.plainPicture(job.size)
        }
    }

    private static func picture(_ file: URL, _ size: FrameSize) throws -> Picture {
        try Picture(contentsOf: file).resizedAndCentreCropped(
            width: size.width, height: size.height)
    }

    /// The scaled latents of frames, `(C, F, h, w)`; the first is the start picture's own, as at
    /// inference.
    private func encode(clip frames: [Picture]) throws -> Tensor {
        let vae = try library.vae()
        func mean(_ frames: [Picture]) throws -> Tensor {
            let pixels = try Tensor.cat(frames.map { try ImageEncoder.pixels($0) }, axis: 2)
            let latents = try vae.encode(pixels.to(library.device, library.precision.vae)).mean
            return try (latents * vae.config.scalingFactor).to(.cpu, .float32).squeeze(0)
        }
        let start = try mean(Array(frames.prefix(1)))
        guard frames.count > 1 else { return start }
        let whole = try mean(frames)
        return try .cat([start, whole.narrow(1, 1, whole.dim(1) - 1)], axis: 1)
    }
}

extension DatasetFile.Dataset {
    /// The folder of what its files encode to.
    func cache(orIn folder: URL) -> ConditionCache { ConditionCache(folder: cacheFolder ?? folder) }
}

extension [FineTuningConfig.Sample] {
    /// What decides which captions and pictures of theirs are encoded, as a text.
    var identity: String {
        "samples\n" + map { "\($0.prompt)\n\($0.image ?? "")\n\($0.seed)" }.joined(separator: "\n")
    }
}
