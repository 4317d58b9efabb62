import Checkpoints
public import Foundation
public import FramePack
import Media

/// Makes a folder of clips to train with from raw video.
///
/// Each video is looked through once, frame by frame, for cuts, fades, movement and sharpness, and
/// once more to write the clips. A folder has
/// - `clips/`: the clips, H.264 of one of the buckets' sizes and 4 · window · n + 1 frames;
/// - `captions.jsonl`, or a text beside each clip: to be filled by people;
/// - `dataset.toml`: the dataset file that a training takes, if there is none yet;
/// - `footage.json`: what became of each video, by which a further run goes on.
public struct FootagePreparation {
    /// What is told while it works.
    public enum Event: Sendable {
        /// A video is looked at or written, and how much of it is done, in [0, 1].
        case progress(source: String, isWriting: Bool, share: Double)
        /// A video is finished; a broken one too.
        case finished(FootageRecord)
    }

    private let folder: URL
    private let options: FootageOptions
    private let captions: CaptionFiles

    /// Prepares the work in a folder, which is made if it is not there.
    ///
    /// - Throws: `TrainingError` for a setting out of its range, `CheckpointError` for a folder that
    ///   cannot be made.
    public init(folder: URL, options: FootageOptions, captions: CaptionForm = .jsonl) throws {
        try options.validate()
        try checkFolder(folder)
        self.folder = folder.standardizedFileURL
        self.options = options
        self.captions = CaptionFiles(folder: self.folder, form: captions)
    }

    /// Where the clips lie.
    public var clips: URL { folder.appendingPathComponent("clips") }

    private var recordFile: URL { folder.appendingPathComponent("footage.json") }

    /// Goes through files and folders, and leaves out what was done before.
    ///
    /// - Parameters:
    ///   - inputs: Videos, and folders whose videos are taken, those of folders in them too.
    ///   - cancellation: Ends the work between two frames; what is finished stays.
    ///   - onEvent: Told of progress.
    /// - Returns: What became of every video that was ever prepared in this folder.
    /// - Throws: `TrainingError` if there is no video among the inputs, or if the folder was made
    ///   with other options; `FramePackError.cancelled`; what keeps the files from being written.
    public func run(
        _ inputs: [URL], cancellation: CancellationToken = CancellationToken(),
        onEvent: (Event) throws -> Void = { _ in }
    ) throws -> FootageReport {
        let files = try videos(inputs)
        try makeFolder(clips)
        let lock = try FolderLock(folder)
        defer { withExtendedLifetime(lock) {} }
        var report = try stored() ?? FootageReport(options: options, videos: [])
        for file in files {
            let source = FootageSource(file)
            var record = report.videos.first { source.isThat(of: $0) }
            if record?.isDone == true { continue }
            if record == nil { try removeClips(of: source, in: report) }
            do {
                let planned =
                    try record ?? look(through: file, source, cancellation, onEvent)
                record = planned
                try replace(in: &report, by: planned)
                // Stored before anything is written, so that every clip has its record.
                try writeJSON(report, to: recordFile)
                try write(planned, cancellation, onEvent)
                report.finish(planned)
            } catch let error as MediaError where !error.isOfWriting {
                try replace(in: &report, by: source.broken("\(error)"))
            }
            try writeJSON(report, to: recordFile)
            try updateCaptions(report)
            if let done = report.videos.first(where: { $0.source == source.path }) {
                try onEvent(.finished(done))
            }
        }
        try updateCaptions(report)
        return report
    }

    private func stored() throws -> FootageReport? {
        guard let data = try? Data(contentsOf: recordFile) else { return nil }
        guard let report = try? JSONDecoder().decode(FootageReport.self, from: data) else {
            throw TrainingError(
                "\(recordFile.path) is no record of prepared video; use another folder")
        }
        guard report.options == options else {
            throw TrainingError(
                """
                the clips in \(folder.path) were made with other options, which footage.json \
                names; use those, or another folder
                """)
        }
        return report
    }

    /// The videos among the inputs, each once, in the order of their names.
    private func videos(_ inputs: [URL]) throws -> [URL] {
        var found: [URL] = []
        for input in inputs.map(\.standardizedFileURL) {
            var isFolder: ObjCBool = false
            let exists = FileManager.default.fileExists(
                atPath: input.path, isDirectory: &isFolder)
            guard exists else { throw TrainingError("\(input.path) is not there") }
            if !isFolder.boolValue {
                found.append(input)
                continue
            }
            let names = FileManager.default.enumerator(atPath: input.path)
            while let name = names?.nextObject() as? String {
                let file = input.appendingPathComponent(name).standardizedFileURL
                let isOwn = file.path.hasPrefix(clips.path + "/")
                if FileEndings.videos.contains(file.pathExtension.lowercased()), !isOwn {
                    found.append(file)
                }
            }
        }
        guard !found.isEmpty else {
            throw TrainingError(
                "there is no video in \(inputs.map(\.path).joined(separator: ", "))")
        }
        return Set(found.map(\.path)).sorted().map { URL(fileURLWithPath: $0) }
    }

    /// Removes the clips of a video that was changed since.
    private func removeClips(of source: FootageSource, in report: FootageReport) throws {
        for clip in report.videos.first(where: { $0.source == source.path })?.kept ?? [] {
            let file = clips.appendingPathComponent(clip.file)
            if FileManager.default.fileExists(atPath: file.path) {
                try FileManager.default.removeItem(at: file)
            }
        }
    }

    /// Takes a video's record in; captions of clips that only its earlier record had go before that,
    /// so that a run that is killed in between removes them yet.
    private func replace(in report: inout FootageReport, by record: FootageRecord) throws {
        let earlier = report.videos.first { $0.source == record.source }?.kept ?? []
        try captions.remove(Set(earlier.map(\.file)).subtracting(record.kept.map(\.file)))
        report.set(record)
    }

    private func look(
        through file: URL, _ source: FootageSource, _ cancellation: CancellationToken,
        _ onEvent: (Event) throws -> Void
    ) throws -> FootageRecord {
        let analysis = try FootageAnalysis(file, options) { share in
            try cancellation.check()
            try onEvent(.progress(source: source.path, isWriting: false, share: share))
        }
        guard !analysis.trace.isEmpty else {
            throw MediaError.cannotRead(file: file.path, reason: "it has no frames")
        }
        return FootageCutter(options: options).record(source, analysis)
    }

    /// Writes the clips of a video that are not there yet.
    private func write(
        _ record: FootageRecord, _ cancellation: CancellationToken,
        _ onEvent: (Event) throws -> Void
    ) throws {
        var missing = record.kept.filter {
            !FileManager.default.fileExists(atPath: clips.appendingPathComponent($0.file).path)
        }
        guard let last = missing.last else { return }
        let reader = try SteadyReader(
            URL(fileURLWithPath: record.source), rate: Double(options.framesPerSecond))
        var (place, writer) = (0, VideoWriter?.none)
        while let clip = missing.first, let frame = try reader.next() {
            try cancellation.check()
            try onEvent(
                .progress(
                    source: record.source, isWriting: true,
                    share: Double(place) / Double(last.firstFrame + last.frames)))
            defer { place += 1 }
            guard place >= clip.firstFrame else { continue }
            let open = try writer ?? self.writer(clip)
            writer = open
            try open.write(
                frame.picture.resizedAndCentreCropped(
                    width: clip.size.width, height: clip.size.height))
            if place + 1 == clip.firstFrame + clip.frames {
                try open.finish()
                writer = nil
                missing.removeFirst()
            }
        }
        guard missing.isEmpty else {
            throw MediaError.cannotRead(
                file: record.source, reason: "it became shorter while it was read")
        }
    }

    private func writer(_ clip: FootageClip) throws(MediaError) -> VideoWriter {
        try VideoWriter(
            to: clips.appendingPathComponent(clip.file), width: clip.size.width,
            height: clip.size.height,
            encoding: VideoEncoding(
                framesPerSecond: options.framesPerSecond,
                constantRateFactor: options.constantRateFactor))
    }

    private func updateCaptions(_ report: FootageReport) throws {
        let kept = report.videos.flatMap(\.kept).map { clips.appendingPathComponent($0.file) }
        try captions.update(
            kept.filter { FileManager.default.fileExists(atPath: $0.path) },
            own: Set(kept.map(\.lastPathComponent)))
        try writeDatasetFile()
    }

    /// A dataset file as musubi-tuner and our trainer read it, which a person may change.
    private func writeDatasetFile() throws {
        let file = folder.appendingPathComponent("dataset.toml")
        guard !FileManager.default.fileExists(atPath: file.path) else { return }
        let source =
            captions.form == .txt
            ? "video_directory = \(quoted(clips))\ncaption_extension = \".txt\""
            : "video_jsonl_file = \(quoted(captions.list))"
        let text = """
            [general]
            resolution = [\(options.resolution), \(options.resolution)]
            enable_bucket = true

            [[datasets]]
            \(source)
            cache_directory = \(quoted(folder.appendingPathComponent("cache")))
            source_fps = \(Double(options.framesPerSecond))
            frame_extraction = "full"
            max_frames = \(options.frameCount(sections: options.mostSections))
            fp_latent_window_size = \(options.window)

            """
        try AtomicFile.write(Data(text.utf8), to: file)
    }

    /// A path as a text of TOML.
    private func quoted(_ file: URL) -> String {
        let path = file.path.replacingOccurrences(of: "\\", with: "\\\\")
            .replacingOccurrences(of: "\"", with: "\\\"")
        return "\"\(path)\""
    }
}

extension MediaError {
    /// Whether the output is at fault, which ends the work, and not the video.
    fileprivate var isOfWriting: Bool {
        if case .cannotRead = self { return false }
        return true
    }
}
