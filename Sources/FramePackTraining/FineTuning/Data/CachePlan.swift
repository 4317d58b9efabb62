import Foundation
import FramePack
import Media

/// One file of a cache that is to be there.
struct CacheJob {
    /// What is encoded beside a text.
    enum Frames {
        case none
        case plain
        case pictures([URL])
        case clip(FrameSource, Range<Int>)
        /// A generation's start picture, or the plain one, and the seed of its latent's draw.
        case start(URL?, seed: Int)

        /// The video of a clip.
        var video: FrameSource? { if case .clip(let source, _) = self { source } else { nil } }
        /// The frames of a clip.
        var range: Range<Int> { if case .clip(_, let range) = self { range } else { 0..<0 } }
        /// The files of pictures.
        var files: [URL] {
            switch self {
            case .pictures(let files): files
            case .start(let file, _): file.map { [$0] } ?? []
            case .none, .plain, .clip: []
            }
        }
    }

    /// The file in the cache.
    let name: String
    /// What it is made from, for people.
    let source: String
    var text = ""
    var frames = Frames.none
    var size = FrameSize(height: 0, width: 0)
}

/// What the files of a cache depend on beside the data: the encoders that made them.
enum CacheIdentity {
    static func all(_ model: ModelFolder) throws -> [CacheProgress.Stage: String] {
        [
            .text: try model.fingerprint(
                of: [.textEncoder, .textEncoder2, .tokenizer, .tokenizer2]),
            .vision: try model.fingerprint(of: [.imageEncoder, .featureExtractor]),
            .latents: try model.fingerprint(of: [.vae]),
        ]
    }
}

/// Which files one `[[datasets]]` needs, or the sample videos of a run.
struct CachePlan {
    /// The name of its list in the cache.
    let manifestName: String
    let cache: ConditionCache
    let identities: [CacheProgress.Stage: String]
    private(set) var texts: [CacheJob] = []
    private(set) var pictures: [CacheJob] = []
    private(set) var clips: [CacheJob] = []
    private var entries: [CachedClip] = []
    private var sizes: [FrameSize] = []

    /// Plans files without any clip yet.
    ///
    /// - Parameter identity: All that decides which clips there are.
    init(
        _ identity: String, cache: ConditionCache, identities: [CacheProgress.Stage: String]
    ) {
        (self.cache, self.identities) = (cache, identities)
        manifestName = Self.manifestName(identity, identities)
        texts = [text("")]
    }

    /// Plans the clips of a file.
    ///
    /// - Throws: `MediaError` for a file that cannot be opened; `TrainingError` for one that is too
    ///   short.
    mutating func add(_ item: DatasetItem, of dataset: DatasetFile.Dataset) throws {
        if item.isPicture { try addPicture(item, dataset) } else { try addVideo(item, dataset) }
    }

    /// Plans a sample video's caption and start.
    mutating func add(_ sample: FineTuningConfig.Sample, resolution: Int) throws {
        let file = sample.image.map { URL(fileURLWithPath: $0) }
        let shown = try file.map { try probe($0) }
        let size = Buckets.resolution(resolution).nearest(
            to: FrameSize(height: shown?.height ?? 1, width: shown?.width ?? 1))
        let item = DatasetItem(
            file: file ?? cache.folder, caption: sample.prompt, isPicture: true, control: nil)
        let content = try file.map { try Self.content(of: [$0]) } ?? "plain"
        add(
            item, file?.path ?? "the plain start of \(size) from seed \(sample.seed)",
            "\(content) \(size) \(sample.seed)",
            startOnly: "\(content) \(size)", .start(file, seed: sample.seed), size,
            latentCount: 1, repeats: 1, index: nil)
    }

    private mutating func addVideo(_ item: DatasetItem, _ dataset: DatasetFile.Dataset) throws {
        let source = try FrameSource(item.file, framesPerSecond: dataset.framesPerSecond)
        let ranges = dataset.cutting.clips(frameCount: source.frameCount)
        guard !ranges.isEmpty else {
            throw TrainingError(
                "\(dataset.cutting.extraction.rawValue) finds no clip of "
                    + "\(dataset.cutting.sectionFrames + 1) frames in it, the least that a section "
                    + "of \(dataset.cutting.window) latents takes; it has \(source.frameCount) at "
                    + "30 a second")
        }
        let size = dataset.size(of: source.size)
        let content = try Self.content(of: [item.file])
        for range in ranges {
            let place = "\(item.file.path) from frame \(range.lowerBound)"
            let rate = dataset.framesPerSecond.map { "\($0)" } ?? "own times"
            let what = "\(content) \(range.lowerBound) \(range.count) \(rate) \(size)"
            add(
                item, place, what, startOnly: "\(content) \(range.lowerBound) \(rate) \(size)",
                .clip(source, range), size,
                latentCount: (range.count - 1) / VideoLength.framesPerLatent + 1,
                repeats: dataset.repeats, index: nil)
        }
    }

    private mutating func addPicture(_ item: DatasetItem, _ dataset: DatasetFile.Dataset) throws {
        let shown = try probe(item.file)
        let size = dataset.size(of: FrameSize(height: shown.height, width: shown.width))
        let files = [item.control, item.file].compactMap { $0 }
        let what = "\(try Self.content(of: files)) \(size)"
        add(
            item, item.file.path, what,
            startOnly: item.control == nil ? nil : "\(try Self.content(of: [files[0]])) \(size)",
            .pictures(files), size, latentCount: files.count, repeats: dataset.repeats,
            index: dataset.oneFrameTarget)
    }

    private mutating func add(
        _ item: DatasetItem, _ place: String, _ what: String, startOnly: String?,
        _ frames: CacheJob.Frames, _ size: FrameSize, latentCount: Int, repeats: Int, index: Int?
    ) {
        let text = text(item.caption)
        let latents = job(.latents, what, place, frames, size)
        let vision = startOnly.map { job(.vision, $0, place, frames, size) }
        texts.append(text)
        clips.append(latents)
        pictures += vision.map { [$0] } ?? []
        addPlain(size)
        entries.append(
            CachedClip(
                source: place, caption: item.caption, latents: latents.name, vision: vision?.name,
                text: text.name, latentCount: latentCount, height: size.height, width: size.width,
                repeats: repeats, pictureIndex: index))
    }

    /// The plain picture, from which samples without a start picture begin.
    private mutating func addPlain(_ size: FrameSize) {
        guard !sizes.contains(size) else { return }
        sizes.append(size)
        clips.append(plain(.latents, size))
        pictures.append(plain(.vision, size))
    }

    private func plain(_ stage: CacheProgress.Stage, _ size: FrameSize) -> CacheJob {
        job(stage, "plain \(size)", "the plain picture of \(size)", .plain, size)
    }

    private func text(_ caption: String) -> CacheJob {
        let source = caption.isEmpty ? "the empty caption" : caption
        var job = job(.text, caption, source, .none, FrameSize(height: 0, width: 0))
        job.text = caption
        return job
    }

    private func job(
        _ stage: CacheProgress.Stage, _ what: String, _ source: String, _ frames: CacheJob.Frames,
        _ size: FrameSize
    ) -> CacheJob {
        var sum = Fingerprint()
        sum.add(Data((identities[stage] ?? "").utf8))
        sum.add(Data(what.utf8))
        return CacheJob(
            name: "\(stage.rawValue)-\(sum.text).safetensors", source: source, frames: frames,
            size: size)
    }

    /// A checksum of files, or of all files of folders.
    private static func content(of files: [URL]) throws -> String {
        var sum = Fingerprint()
        for file in files {
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder)
            let parts =
                isFolder.boolValue
                ? try FileManager.default.contentsOfDirectory(atPath: file.path).sorted()
                    .map { file.appendingPathComponent($0) } : [file]
            for part in parts {
                sum.add(sampling: try Data(contentsOf: part, options: .alwaysMapped))
            }
        }
        return sum.text
    }

    /// What of it is there.
    func manifest() -> CacheManifest {
        let whole = entries.filter { clip in
            [clip.latents, clip.text, clip.vision].compactMap { $0 }.allSatisfy(cache.contains)
        }
        func names(_ stage: CacheProgress.Stage) -> [String: String] {
            Dictionary(
                uniqueKeysWithValues: sizes.map { ("\($0)", plain(stage, $0).name) })
        }
        return CacheManifest(
            clips: whole, emptyText: texts[0].name, plainLatents: names(.latents),
            plainVision: names(.vision))
    }

    /// The name of a list, which changes with what decides its clips and with the encoders.
    static func manifestName(_ identity: String, _ identities: [CacheProgress.Stage: String])
        -> String
    {
        var sum = Fingerprint()
        sum.add(Data(identity.utf8))
        for (stage, identity) in identities.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            sum.add(Data("\(stage.rawValue) \(identity)".utf8))
        }
        return "dataset-\(sum.text).json"
    }
}
