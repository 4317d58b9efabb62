public import Foundation
package import FramePack

/// The data of a training as a TOML file names them: the file that musubi-tuner's users have.
///
/// Source: musubi-tuner, `docs/dataset_config.md`.
public struct DatasetFile {
    /// One `[[datasets]]`.
    package struct Dataset {
        /// Where its files are listed.
        package enum Source {
            case videos(folder: URL)
            case videoList(file: URL)
            case pictures(folder: URL)
            case pictureList(file: URL)
        }

        package let source: Source
        /// Where what its files encode to is kept; nil where the file does not say.
        package let cacheFolder: URL?
        /// What the names of caption files end in.
        package let captionExtension: String
        /// Width and height that are wanted.
        package let resolution: FrameSize
        /// Whether each video gets the size of that area whose aspect is nearest.
        package let hasBuckets: Bool
        /// Whether no video is enlarged.
        package let keepsSmall: Bool
        /// How often each clip is seen in one pass over the data.
        package let repeats: Int
        /// How clips are cut.
        package let cutting: ClipCutting
        /// The folder of control pictures, by the pictures' own names.
        package let controlFolder: URL?
        /// The rotary index of a picture that is trained as one latent.
        package let oneFrameTarget: Int
        /// The rate that its videos are taken to have; nil for what their files say.
        package let framesPerSecond: Double?
    }

    /// Where the file lies.
    public let url: URL
    /// What the user should know: keys that are not used, and why.
    public let notes: [String]
    /// Each `[[datasets]]`.
    package let datasets: [Dataset]

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - url: The file; relative paths are taken from the current folder where something lies
    ///     there, as musubi-tuner does, and from the file's folder otherwise.
    ///   - window: Latents of a section, where the file does not say.
    /// - Throws: `TrainingError` that names the file, the line and the key.
    public init(_ url: URL, window: Int = 9) throws {
        self.url = url
        let file = try ConfigurationFile(url)
        var notes: [String] = []
        let general = file.root.table?["general"]
        Self.note(general, "[general]", known: DatasetKeys.general, in: file, &notes)
        guard let tables = file.root.table?["datasets"]?.array, !tables.isEmpty else {
            throw TrainingError(
                "\(url.path) has no [[datasets]]; add one with video_directory or video_jsonl_file")
        }
        datasets = try tables.enumerated().map { index, table in
            let name = tables.count == 1 ? "[[datasets]]" : "[[datasets]] number \(index + 1)"
            Self.note(table, name, known: DatasetKeys.known, in: file, &notes)
            let merged = (general?.table ?? [:]).merging(table.table ?? [:]) { $1 }
            let keys = try file.decode(
                DatasetKeys.self, from: TOMLValue(content: .table(merged), line: table.line),
                at: ["datasets", "\(index)"]
            ) { try $0.check() }
            return try Dataset(keys, file, index: index, window: window)
        }
        for other in (file.root.table ?? [:]).keys.sorted()
        where !["general", "datasets"].contains(other) {
            notes.append("\(url.path): \(other) is not used")
        }
        self.notes = notes
    }

    /// Tells of keys that nothing here reads.
    private static func note(
        _ table: TOMLValue?, _ name: String, known: [String], in file: ConfigurationFile,
        _ notes: inout [String]
    ) {
        for (key, value) in (table?.table ?? [:]).sorted(by: { $0.key < $1.key }) {
            let place = "\(file.url.path), line \(value.line): \(key) of \(name)"
            if let reason = DatasetKeys.unused[key] {
                notes.append("\(place) is not used: \(reason)")
            } else if !known.contains(key) {
                let nearest =
                    KnownKeys.nearest(to: key, among: known)
                    .map { "; the nearest key is \($0)" } ?? ""
                notes.append("\(place) is not known and not used\(nearest)")
            }
        }
    }
}

extension DatasetFile.Dataset {
    fileprivate init(_ keys: DatasetKeys, _ file: ConfigurationFile, index: Int, window: Int) throws
    {
        func located(_ path: String) -> URL {
            let here = URL(fileURLWithPath: path)
            if FileManager.default.fileExists(atPath: here.path) { return here }
            return URL(
                fileURLWithPath: path, relativeTo: file.url.deletingLastPathComponent()
            ).standardizedFileURL
        }
        let sources: [Source] = [
            keys.videoDirectory.map { .videos(folder: located($0)) },
            keys.videoList.map { .videoList(file: located($0)) },
            keys.imageDirectory.map { .pictures(folder: located($0)) },
            keys.imageList.map { .pictureList(file: located($0)) },
        ].compactMap { $0 }
        guard sources.count == 1 else {
            throw file.problem(
                ["datasets", "\(index)"],
                "names \(sources.count) sources; it must name one of video_directory, "
                    + "video_jsonl_file, image_directory and image_jsonl_file")
        }
        source = sources[0]
        cacheFolder = keys.cacheDirectory.map(located)
        captionExtension = keys.captionExtension ?? ".txt"
        resolution = (keys.resolution ?? DatasetResolution()).size
        hasBuckets = keys.enableBucket ?? false
        keepsSmall = keys.bucketNoUpscale ?? false
        repeats = keys.repeats ?? 1
        framesPerSecond = keys.sourceFPS
        controlFolder = keys.controlDirectory.map(located)
        oneFrameTarget = keys.oneFrameTarget ?? 9
        var cutting = ClipCutting()
        cutting.extraction = keys.frameExtraction?.value ?? cutting.extraction
        cutting.targetFrames = keys.targetFrames?.values ?? cutting.targetFrames
        cutting.stride = keys.frameStride ?? cutting.stride
        cutting.samples = keys.frameSample ?? cutting.samples
        cutting.mostFrames = keys.maxFrames ?? cutting.mostFrames
        cutting.window = keys.window ?? window
        self.cutting = cutting
    }

    /// All that decides which clips there are, as a text.
    var identity: String {
        let place: String =
            switch source {
            case .videos(let folder): "videos \(folder.path)"
            case .videoList(let file): "video list \(file.path)"
            case .pictures(let folder): "pictures \(folder.path)"
            case .pictureList(let file): "picture list \(file.path)"
            }
        let parts: [String] = [
            place, captionExtension, "\(resolution)", "\(hasBuckets)", "\(keepsSmall)",
            "\(repeats)", cutting.extraction.rawValue, "\(cutting.targetFrames)",
            "\(cutting.stride)", "\(cutting.samples)", "\(cutting.mostFrames)",
            "\(cutting.window)", controlFolder?.path ?? "", "\(oneFrameTarget)",
            framesPerSecond.map { "\($0)" } ?? "",
        ]
        return parts.joined(separator: "\n")
    }

    /// The size at which a video of a size is trained.
    package func size(of picture: FrameSize) -> FrameSize {
        guard hasBuckets else {
            let multiple = FrameSize.multiple
            return FrameSize(
                height: max(resolution.height / multiple * multiple, multiple),
                width: max(resolution.width / multiple * multiple, multiple))
        }
        var area = resolution.height * resolution.width
        if keepsSmall { area = min(area, picture.height * picture.width) }
        // Below one square of 32 there is one of 16.
        let multiple = area >= 64 * 64 ? 32 : FrameSize.multiple
        area = max(area, multiple * multiple)
        let buckets =
            area == 640 * 640 ? Buckets.released : Buckets.any(area: area, multiple: multiple)
        return buckets.nearest(to: picture)
    }
}
