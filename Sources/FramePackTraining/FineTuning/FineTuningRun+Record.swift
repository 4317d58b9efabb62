public import Foundation
import FramePack

extension FineTuningRun {
    /// Where a run keeps the configuration that it was last started with.
    public var configurationFile: URL { folder.appendingPathComponent("configuration.json") }

    /// Settings that a run may change on its way without becoming another one.
    private static let free: Set<String> = [
        "output", "steps", "cache", "compute.threads", "compute.device", "checkpoints.interval",
        "checkpoints.sample_interval", "samples",
    ]

    /// Settings that decide what a stored state holds, so that a run keeps them to its end.
    private var fixed: [String] {
        let adapters = ["method.rank", "method.targets", "method.excluded"]
        // A LoRA that is gone on from has ranks and layers of its own.
        return ["method.kind", "optimizer.kind"] + (config.method.weights == nil ? adapters : [])
    }

    /// Checks that a run that has a state is still the one that stored it.
    ///
    /// - Throws: `TrainingError` that names a setting that a run cannot change.
    func checkUnchanged() throws {
        guard FileManager.default.fileExists(atPath: stateFile.path) else { return }
        for change in try differences() {
            guard fixed.contains(where: { change.key == $0 || change.key.hasPrefix("\($0)[") })
            else { continue }
            throw TrainingError(
                "\(change.sentence), which a run cannot change, since its state \(stateFile.path) is "
                    + "of the former; set it back, or name another folder as output")
        }
    }

    private var stateFile: URL { stateFolder.appendingPathComponent("state.safetensors") }

    /// What differs from the configuration that the run was last started with, a sentence each.
    ///
    /// - Throws: What keeps the file from being read; a run without one has no changes.
    public func changes() throws -> [String] {
        try differences().map { "\($0.sentence); it goes on with that" }
    }

    private func differences() throws -> [(key: String, sentence: String)] {
        guard let data = try? Data(contentsOf: configurationFile) else { return [] }
        let before = try Self.settings(JSONSerialization.jsonObject(with: data))
        let now = try Self.settings(
            JSONSerialization.jsonObject(with: JSONEncoder.sorted.encode(config)))
        return Set(before.keys).union(now.keys).sorted().compactMap { key in
            let isFree = Self.free.contains { key == $0 || key.hasPrefix("\($0)[") }
            guard !isFree, before[key] != now[key] else { return nil }
            let values = [before, now].map { $0[key] ?? "not set" }
            return (
                key, "\(key) was \(values[0]) when the run was last started and is \(values[1]) now"
            )
        }
    }

    /// Keeps the configuration beside the run.
    public func writeConfiguration() throws { try writeJSON(config, to: configurationFile) }

    /// The configuration as text, for logs.
    public func configurationText() throws -> String {
        let text = String(decoding: try JSONEncoder.sorted.encode(config), as: UTF8.self)
        return text.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
    }

    /// Every setting by its path.
    private static func settings(_ value: Any, at path: String = "") -> [String: String] {
        if let table = value as? [String: Any] {
            return table.reduce(into: [:]) { all, item in
                all.merge(settings(item.value, at: path.isEmpty ? item.key : "\(path).\(item.key)"))
                { $1 }
            }
        }
        if let list = value as? [Any] {
            return list.enumerated().reduce(into: [:]) { all, item in
                all.merge(settings(item.element, at: "\(path)[\(item.offset + 1)]")) { $1 }
            }
        }
        return [path: "\(value)"]
    }
}
