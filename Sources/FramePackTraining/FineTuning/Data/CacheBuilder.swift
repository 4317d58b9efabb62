import Checkpoints
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
    /// Those of the files that were made that stood there, but were not whole.
    public var harmed = 0
    /// Clips and pictures whose caption is empty.
    public var emptyCaptions = 0
    /// What was left out, and why.
    public var problems: [DatasetProblem] = []
}

/// Encodes a dataset once, so that a training needs no encoder: latents of whole clips, vision states
/// of start pictures, text states and pooled text of captions.
///
/// Each file is named after a checksum of all that it was made from, and appears when it is whole:
/// work that was ended at any moment goes on where it stood, and what does not change is not made
/// again, unless a file is harmed. What several lists need is encoded once, and lies in the folder of
/// each. One encoder is loaded at a time.
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
        let manifests = try plans.map(finish)
        for (manifest, dataset) in zip(manifests, dataset.datasets) { count(manifest, dataset) }
        guard summary.clips + summary.pictures > 0 else {
            let first = summary.problems.first.map { "; \($0)" } ?? ""
            throw TrainingError("\(dataset.url.path) gives no clip that can be trained on\(first)")
        }
        return summary
    }

    // MARK: - Plan

    private func plan(_ dataset: DatasetFile.Dataset) throws -> CachePlan {
        let cache = dataset.cache(orIn: defaultFolder)
        try makeFolder(cache.folder)
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
        try makeFolder(cache.folder)
        var plan = CachePlan(
            samples.identity, cache: cache, identities: identities)
        for sample in samples {
            try plan.add(sample, resolution: library.folder.settings.resolution ?? 640)
        }
        return plan
    }

    /// Writes the list of what is there.
    private func finish(_ plan: CachePlan) throws -> CacheManifest {
        let manifest = plan.manifest()
        try writeJSON(manifest, to: plan.cache.url(plan.manifestName))
        return manifest
    }

    private func count(_ manifest: CacheManifest, _ dataset: DatasetFile.Dataset) {
        for clip in manifest.clips {
            if clip.caption.isEmpty { summary.emptyCaptions += 1 }
            if clip.pictureIndex == nil {
                summary.clips += 1
                summary.sections += (clip.latentCount - 1) / dataset.cutting.window
            } else {
                summary.pictures += 1
            }
        }
    }

    // MARK: - Stages

    /// Makes what is missing of a stage, the clips of one video in one pass over it.
    ///
    /// - Parameter body: Makes the files of jobs that belong together, and calls what it is given
    ///   after each, with its place among them. A file that cannot be read ends the group alone.
    private func run(
        _ stage: CacheProgress.Stage, _ jobs: [(plan: CachePlan, job: CacheJob)],
        _ body: ([CacheJob], _ onTensors: (Int, [String: Tensor]) throws -> Void) throws -> Void
    ) throws {
        let wanted = CacheFile.all(of: jobs)
        let missing = wanted.filter { !$0.isThere }
        summary.found += wanted.count - missing.count
        summary.harmed += missing.count { $0.isHarmed }
        var count = wanted.count - missing.count
        func finished(_ job: CacheJob, isMade: Bool) throws {
            count += 1
            if isMade { summary.made += 1 }
            try report(
                CacheProgress(stage: stage, done: count, total: wanted.count, name: job.source))
        }
        for file in missing where try file.spread() { try finished(file.job, isMade: true) }
        let encoded = missing.filter { !$0.isThere }
        for group in encoded.groups(by: { $0.job.frames.video }) {
            var open = Set(group.indices)
            do {
                try body(group.map(\.job)) { number, tensors in
                    let file = group[group.startIndex + number]
                    try file.write(tensors)
                    open.remove(group.startIndex + number)
                    try finished(file.job, isMade: true)
                }
            } catch let error where error is MediaError || error is TrainingError {
                for number in open.sorted() {
                    let job = group[number].job
                    summary.problems.append(
                        DatasetProblem(place: job.source, reason: "\(error)"))
                    try finished(job, isMade: false)
                }
            }
        }
    }

    private func encodeTexts(_ plans: [CachePlan]) throws {
        var encoder: PromptEncoder?
        try run(.text, plans.flatMap { plan in plan.texts.map { (plan, $0) } }) { jobs, done in
            let made = try encoder ?? library.promptEncoder(parity: false)
            encoder = made
            for (number, job) in jobs.enumerated() {
                let encoded = try made(job.text)
                let embeds = try encoded.embeds.squeeze(0).narrow(0, 0, encoded.length)
                try done(
                    number,
                    ["embeds": embeds.contiguous(), "pooled": encoded.pooled.squeeze(0)])
            }
        }
        encoder = nil
        try library.release([.textEncoder, .textEncoder2])
    }

    private func encodePictures(_ plans: [CachePlan]) throws {
        try run(.vision, plans.flatMap { plan in plan.pictures.map { (plan, $0) } }) { jobs, done in
            try read(jobs, startsOnly: true) { number, frames in
                let states = try ImageEncoder.vision(
                    frames[0], library.visionSettings(), library.visionEncoder(),
                    dtype: library.precision.encoders)
                try done(number, ["states": states.squeeze(0)])
            }
        }
        try library.release([.imageEncoder])
    }

    private func encodeClips(_ plans: [CachePlan]) throws {
        try run(.latents, plans.flatMap { plan in plan.clips.map { (plan, $0) } }) { jobs, done in
            try read(jobs, startsOnly: false) { number, frames in
                try done(number, ["latents": encode(frames, of: jobs[number])])
            }
        }
        try library.release([.vae])
    }

    // MARK: - Pictures

    /// Reads the pictures of jobs that belong together.
    private func read(
        _ jobs: [CacheJob], startsOnly: Bool, _ body: (Int, [Picture]) throws -> Void
    ) throws {
        if let video = jobs[0].frames.video {
            let ranges = jobs.map { job in
                startsOnly
                    ? job.frames.range.lowerBound..<job.frames.range.lowerBound + 1
                    : job.frames.range
            }
            return try video.read(ranges, size: jobs[0].size, body)
        }
        for (number, job) in jobs.enumerated() {
            let files = startsOnly ? Array(job.frames.files.prefix(1)) : job.frames.files
            let pictures = try files.map {
                try Picture(contentsOf: $0).resizedAndCentreCropped(
                    width: job.size.width, height: job.size.height)
            }
            let plain = library.folder.settings.plainPicture(job.size)
            try body(number, pictures.isEmpty ? [plain] : pictures)
        }
    }

    // MARK: - Encoding

    private func encode(_ frames: [Picture], of job: CacheJob) throws -> Tensor {
        switch job.frames {
        case .clip, .plain: return try encode(clip: frames)
        case .pictures: return try .cat(frames.map { try encode(clip: [$0]) }, axis: 1)
        case .start(_, let seed):
            return try ImageEncoder.latent(
                frames[0], library.vae(),
                noise: SectionNoise(seed: seed, window: 1, size: job.size).picture(),
                dtype: library.precision.vae, device: library.device
            ).squeeze(0)
        case .none: throw TrainingError("\(job.source) has no picture")
        }
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

/// A file that is to be there, and the folders of all lists that need it.
private struct CacheFile {
    let job: CacheJob
    private var caches: [ConditionCache]

    /// The files of jobs, each once, in their order.
    static func all(of jobs: [(plan: CachePlan, job: CacheJob)]) -> [CacheFile] {
        var files: [CacheFile] = []
        var places: [String: Int] = [:]
        for (plan, job) in jobs {
            if let place = places[job.name] {
                files[place].add(plan.cache)
            } else {
                places[job.name] = files.count
                files.append(CacheFile(job: job, caches: [plan.cache]))
            }
        }
        return files
    }

    private mutating func add(_ cache: ConditionCache) {
        if !caches.contains(where: { $0.folder == cache.folder }) { caches.append(cache) }
    }

    /// Whether it is in each folder, and whole.
    var isThere: Bool { caches.allSatisfy { $0.contains(job.name) } }

    /// Whether a folder has a file of its name that is not whole.
    var isHarmed: Bool { caches.contains { $0.hasFile(job.name) && !$0.contains(job.name) } }

    /// Copies it from a folder that has it into the others; false where none has it.
    func spread() throws -> Bool {
        guard let source = caches.first(where: { $0.contains(job.name) }) else { return false }
        let data = try Data(contentsOf: source.url(job.name))
        for cache in caches where !cache.contains(job.name) {
            try AtomicFile.write(data, to: cache.url(job.name))
        }
        return true
    }

    func write(_ tensors: [String: Tensor]) throws {
        for cache in caches { try cache.write(tensors, source: job.source, to: job.name) }
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

extension Array {
    /// Neighbours of one owner together; elements without one stand alone.
    fileprivate func groups(by owner: (Element) -> AnyObject?) -> [ArraySlice<Element>] {
        var groups: [ArraySlice<Element>] = []
        for index in indices {
            if let own = owner(self[index]), let last = groups.last,
                owner(last[last.startIndex]) === own
            {
                groups[groups.count - 1] = self[last.startIndex...index]
            } else {
                groups.append(self[index...index])
            }
        }
        return groups
    }
}
