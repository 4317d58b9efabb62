import Checkpoints
public import Foundation
import Media
import Torch

/// A generation's folder beside its output, from which a run that was killed goes on.
///
/// Every file in it is whole or not there, so that what is there can be used: `request.json`,
/// `plan.json`, `model.json`, `start.png`, `embeddings.safetensors`, `start.safetensors`,
/// `section-000.safetensors` and so on, the frames of each section, and `events.jsonl`. What takes
/// time to make has a checksum in `checksums.txt`; a file that does not fit is made again.
public final class Job {
    /// Which model a job was begun with.
    struct ModelIdentity: Codable, Equatable {
        let path: String
        let fingerprint: String
        /// Those of the request's LoRA files; nil where there are none.
        var loras: [String]?
        /// What MagCache knew of the model; nil where it is not used.
        var magnitudeRatios: MagnitudeRatios?
    }

    /// The folder.
    public let url: URL
    /// The request, its paths absolute.
    public let request: GenerationRequest
    private let lock: FolderLock
    private var seals: JobSeals

    /// The folder of the job of an output: `NAME.job` beside it.
    public static func folder(for output: String) -> URL {
        let url = URL(fileURLWithPath: output).standardizedFileURL
        let name = url.deletingPathExtension().lastPathComponent
        return url.deletingLastPathComponent().appendingPathComponent("\(name).job")
    }

    /// The request of a job's folder.
    ///
    /// - Throws: `FramePackError.job` where there is none.
    public static func request(in folder: URL) throws -> GenerationRequest {
        let file = folder.appendingPathComponent("request.json")
        guard FileManager.default.fileExists(atPath: folder.path) else {
            throw FramePackError.job(
                "There is no job at \(folder.path); a finished one is removed, and a new one begins "
                    + "with `framepack generate`.")
        }
        guard let data = try? Data(contentsOf: file) else {
            throw FramePackError.job(
                "\(folder.path) is not a job that can be continued: it has no request.json.")
        }
        return try GenerationRequest(json: data)
    }

    /// The model that a job was begun with.
    ///
    /// - Throws: `FramePackError.job` where the folder does not say.
    public static func model(of folder: URL) throws -> ModelFolder {
        try ModelFolder(URL(fileURLWithPath: identity(in: folder).path))
    }

    private static func lock(_ folder: URL) throws(FramePackError) -> FolderLock {
        do { return try FolderLock(folder) } catch {
            throw .job("The job cannot be worked on: \(error.description).")
        }
    }

    /// Begins a job, or takes up the one that an earlier run of the same request left.
    init(_ planned: PlannedGeneration, report: PlanReport) throws {
        request = planned.request
        url = Self.folder(for: request.output)
        try Self.make(url)
        lock = try Self.lock(url)
        seals = JobSeals(url)
        do { try takeUp(planned, report: report) } catch {
            if !holdsWork { try? remove() }
            throw error
        }
    }

    private func takeUp(_ planned: PlannedGeneration, report: PlanReport) throws {
        guard has("request.json") else { return try begin(planned, report: report) }
        // Where no section was finished there is nothing to lose, and a failed first try with
        // another model or setting must not stand in the way.
        do { try checkSame(planned) } catch  where !holdsSections {
            try begin(planned, report: report)
        }
    }

    /// Makes a job's folder, unless an earlier run made it.
    private static func make(_ folder: URL) throws(FramePackError) {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder) {
            guard isFolder.boolValue else {
                throw .job("The job's folder \(folder.path) cannot be made: a file has that name.")
            }
            try checkOwn(folder)
            return
        }
        do {
            try makeFolder(folder)
        } catch {
            throw .job(
                "The job cannot be begun: \(error)")
        }
    }

    /// A folder that was there must be a job's or empty: a finished job is removed with all it holds.
    private static func checkOwn(_ folder: URL) throws(FramePackError) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        guard !names.contains("request.json") else { return }
        let early = [
            "lock", "start.png", "end.png", "plan.json", "model.json", "events.jsonl",
            "embeddings.safetensors", "start.safetensors", JobSeals.name,
        ]
        // What begins with a dot was being written when a run was killed.
        if let other = names.first(where: { !early.contains($0) && !$0.hasPrefix(".") }) {
            throw .job(
                "\(folder.path) is no job of framepack: it holds \(other); move that folder away, or "
                    + "choose another output.")
        }
    }

    /// Takes up a job.
    init(continuing folder: URL, model: ModelFolder) throws {
        url = folder.standardizedFileURL
        request = try Self.request(in: url).beside(url)
        lock = try Self.lock(url)
        seals = JobSeals(url)
        guard seals.isWhole("request.json") else {
            throw FramePackError.job(
                "\(url.path)/request.json is not what the job was begun with; remove the folder and "
                    + "begin anew.")
        }
        try checkModel(model)
        try checkLoRAs()
        removeRemains()
    }

    private func begin(_ planned: PlannedGeneration, report: PlanReport) throws {
        removeRemains()
        // The request goes first: without it the rest is nothing that could be continued.
        let old = ["request.json", "embeddings.safetensors", "start.safetensors", "end.png"]
        for name in old + [JobSeals.name] { try? FileManager.default.removeItem(at: file(name)) }
        seals = JobSeals(url)
        try planned.startPicture().writePNG(to: file("start.png"))
        try planned.endPicture()?.writePNG(to: file("end.png"))
        try write(JSONEncoder.sorted.encode(report), "plan.json")
        let identity = ModelIdentity(
            path: planned.model.url.path, fingerprint: try planned.model.fingerprint(),
            loras: try loraFingerprints(), magnitudeRatios: try magnitudeRatios(planned.model))
        try write(JSONEncoder.sorted.encode(identity), "model.json")
        // The last one: a folder without it holds nothing to continue.
        try write(request.json(), "request.json")
        try seal("request.json")
    }

    private func checkSame(_ planned: PlannedGeneration) throws {
        var (old, new) = (try Self.request(in: url), request)
        (old.keepJob, new.keepJob) = (false, false)
        guard old == new else {
            throw FramePackError.job(
                "\(url.path) holds the job of another request; go on with that one by `framepack "
                    + "resume`, remove the folder, or choose another output.")
        }
        try checkPictures(planned)
        try checkModel(planned.model)
        try checkLoRAs()
        removeRemains()
    }

    /// The pictures' files may have changed since the job was begun.
    private func checkPictures(_ planned: PlannedGeneration) throws {
        let pictures = [
            ("start.png", try planned.startPicture()), ("end.png", try planned.endPicture()),
        ]
        for (name, picture) in pictures {
            let stored = try? Data(contentsOf: file(name))
            guard try picture?.pngData() == stored else {
                throw FramePackError.job(
                    "\(url.path) holds a job that began with another picture than the one that lies "
                        + "there now; go on with that one by `framepack resume`, remove the folder, "
                        + "or choose another output.")
            }
        }
    }

    private func checkModel(_ model: ModelFolder) throws {
        let identity = try Self.identity(in: url)
        guard try model.fingerprint() == identity.fingerprint else {
            throw FramePackError.job(
                "The job \(url.path) was begun with another model than \(model.url.path) is now; "
                    + "give it the same one (\(identity.path)), or begin anew.")
        }
        guard try magnitudeRatios(model) == identity.magnitudeRatios else {
            throw FramePackError.job(
                "The model \(model.url.path) was calibrated anew since the job \(url.path) was "
                    + "begun, and its step cache would skip other steps; begin anew.")
        }
    }

    private func magnitudeRatios(_ model: ModelFolder) throws -> MagnitudeRatios? {
        request.stepCache == .magcache ? try model.magnitudeRatios() : nil
    }

    /// The LoRA files may have changed since the job was begun.
    private func checkLoRAs() throws {
        let known = try Self.identity(in: url).loras ?? []
        for (lora, (now, then)) in zip(request.lora, zip(try loraFingerprints() ?? [], known))
        where now != then {
            throw FramePackError.job(
                "The job \(url.path) was begun with another LoRA than \(lora.file) is now; put that "
                    + "one back, or begin anew.")
        }
    }

    private func loraFingerprints() throws -> [String]? {
        request.lora.isEmpty ? nil : try request.lora.map { try $0.fingerprint() }
    }

    private static func identity(in folder: URL) throws -> ModelIdentity {
        guard let data = try? Data(contentsOf: folder.appendingPathComponent("model.json")),
            let identity = try? JSONDecoder().decode(ModelIdentity.self, from: data)
        else {
            throw FramePackError.job(
                "\(folder.path) is not a job that can be continued: it has no usable model.json.")
        }
        return identity
    }

    /// Whether the latents of a section at least are there.
    private var holdsSections: Bool { Self.holdsSections(url) }

    /// Whether a job's folder holds the latents of a section at least: what a resumed run need not
    /// make again.
    public static func holdsSections(_ folder: URL) -> Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.contains { $0.hasPrefix("section-") && $0.hasSuffix(".safetensors") }
    }

    /// The size that was planned.
    func plannedSize() throws -> FrameSize {
        guard let data = try? Data(contentsOf: file("plan.json")),
            let size = try? JSONDecoder().decode(PlannedSize.self, from: data)
        else {
            throw FramePackError.job(
                "\(url.path) has no usable plan.json; remove the folder and begin anew.")
        }
        return FrameSize(height: size.height, width: size.width)
    }

    /// What of a plan's report a continued job needs; the rest may be another version's.
    private struct PlannedSize: Decodable {
        let height, width: Int
    }

    /// A file of the job.
    func file(_ name: String) -> URL { url.appendingPathComponent(name) }

    /// Whether a file is there.
    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name).path) }

    /// Writes a file, whole or not at all.
    func write(_ data: Data, _ name: String) throws {
        try AtomicFile.write(data, to: file(name))
    }

    /// Writes tensors as a safetensors file, whole or not at all.
    func write(_ tensors: [String: Tensor], _ name: String) throws {
        try writeSafetensors(tensors, to: file(name))
        try seal(name)
    }

    /// Notes the checksum of a file that is finished.
    func seal(_ name: String) throws { try seals.seal(name) }

    /// Whether a file is there, just as it was finished.
    func isWhole(_ name: String) -> Bool { seals.isWhole(name) }

    /// The tensors of a file, copied into memory; nil where it is not there or not whole.
    func tensors(_ name: String) throws -> [String: Tensor]? {
        guard isWhole(name), let file = try? SafetensorsFile(file(name)) else { return nil }
        return try file.tensors().mapValues { try $0.clone() }
    }

    /// Adds a line to `events.jsonl`.
    func append(_ event: PipelineEvent) throws {
        var line = try event.json()
        line.append(0x0A)
        try AtomicFile.append(line, to: file("events.jsonl"))
    }

    /// Whether there is anything that took time to make.
    var holdsWork: Bool { holdsSections || has("embeddings.safetensors") }

    /// Removes the folder.
    func remove() throws { try FileManager.default.removeItem(at: url) }

    /// Removes files that an earlier run was writing when it ended.
    private func removeRemains() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
        for name in names where name.hasPrefix(".") {
            try? FileManager.default.removeItem(at: file(name))
        }
    }
}

extension GenerationRequest {
    /// The request of a job that may have been moved: the output lies beside the job's folder.
    fileprivate func beside(_ folder: URL) -> GenerationRequest {
        guard Job.folder(for: output).resolvingSymlinksInPath() != folder.resolvingSymlinksInPath()
        else { return self }
        let old = URL(fileURLWithPath: output)
        var name = folder.deletingPathExtension().lastPathComponent
        if !old.pathExtension.isEmpty { name += ".\(old.pathExtension)" }
        var request = self
        request.output = folder.deletingLastPathComponent().appendingPathComponent(name).path
        return request
    }
}
