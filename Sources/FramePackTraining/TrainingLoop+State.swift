import Checkpoints
import Foundation
import Torch
import TorchDistributed
public import TorchNN
import TorchOptim

/// The weights or the averages of a state, without a copy.
private struct StateWeights: WeightSource {
    let file: SafetensorsFile
    let prefix: String

    func tensor(_ name: String, shape: [Int], initialization: Initialization) throws -> Tensor {
        guard contains(name), file.entries[prefix + name]?.shape == shape else {
            throw TrainingError("\(file.url.path) has no \(prefix)\(name) of shape \(shape)")
        }
        return try file.tensor(prefix + name)
    }

    func contains(_ name: String) -> Bool { file.entries[prefix + name] != nil }
}

/// A tensor of a state, and how the processes hold it.
private struct StateEntry: Codable {
    /// The whole tensor, by its name in the file.
    let outline: TensorOutline
    /// The parameter of which it has the shape, and is divided as; nil for one that is held whole.
    let parameter: String?
    /// The process that holds it, where it is held whole.
    var owner = 0
    /// Whether it lies on the CPU there, whatever the device.
    let isOnCPU: Bool
}

/// The stored state: weights, averages, moments and the number of steps, in one file that is whole
/// whatever the processes hold of it.
extension TrainingLoop {
    private var stateFile: URL { folder.appendingPathComponent("state.safetensors") }
    private var isFirst: Bool { group?.rank ?? 0 == 0 }
    /// Whether processes divide the weights, so that none has all of them.
    public var isDivided: Bool { layout is ShardedParameters }

    /// The whole weights of the stored state, as they lie in its file.
    ///
    /// - Parameter averaged: Whether they are the averages, or those of the last step.
    /// - Throws: `CheckpointError` if there is no state.
    public func storedWeights(averaged: Bool) throws -> ParameterStore {
        let source = StateWeights(
            file: try SafetensorsFile(stateFile), prefix: averaged ? "average." : "model.")
        let weights = Weights(source)
        for parameter in task.store.parameters {
            _ = try weights.parameter(parameter.name, parameter.value.shape, .zeros)
        }
        return weights.store
    }

    /// Removes what a process left that was killed while it stored a state.
    static func removeUnfinished(in folder: URL) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path)
        where name.hasPrefix(".state.safetensors.") && name.hasSuffix(".part") {
            try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
        }
    }

    /// What this process holds of the state, by the names of the file.
    private func held() throws -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for parameter in layout.parameters { tensors["model.\(parameter.name)"] = parameter.value }
        for (name, value) in averages.averages { tensors["average.\(name)"] = value }
        for (name, value) in try optimizer.state() { tensors["optimizer.\(name)"] = value }
        return tensors
    }

    /// The tensors of the state in the order of the file, the same on all processes.
    private func entries(_ held: [String: Tensor]) throws -> [StateEntry] {
        let parts = Dictionary(uniqueKeysWithValues: layout.parameters.map { ($0.name, $0.value) })
        let found = held.map { name, tensor -> StateEntry in
            let parameter = Self.parameter(of: name)
            let isPart = layout.dividesRows && parts[parameter]?.shape == tensor.shape
            let shape = isPart ? task.store[parameter]?.value.shape : nil
            return StateEntry(
                outline: TensorOutline(name, shape ?? tensor.shape, tensor.dtype),
                parameter: isPart ? parameter : nil, isOnCPU: tensor.device == .cpu)
        }
        return Self.inFileOrder(try isDivided ? ofAll(found) : found)
    }

    private static func inFileOrder(_ entries: [StateEntry]) -> [StateEntry] {
        let byName = Dictionary(uniqueKeysWithValues: entries.map { ($0.outline.name, $0) })
        return entries.map(\.outline).inFileOrder.compactMap { byName[$0.name] }
    }

    /// What any process holds; what several hold whole is the first one's.
    private func ofAll(_ own: [StateEntry]) throws -> [StateEntry] {
        guard let group else { return own }
        let text = String(decoding: try JSONEncoder().encode(own), as: UTF8.self)
        var all: [String: StateEntry] = [:]
        for rank in 0..<group.size {
            let list = try group.broadcast(text, from: rank)
            for var entry in try JSONDecoder().decode([StateEntry].self, from: Data(list.utf8)) {
                entry.owner = rank
                if all[entry.outline.name] == nil { all[entry.outline.name] = entry }
            }
        }
        return Array(all.values)
    }

    /// The name of the parameter in `model.NAME`, `average.NAME` and `optimizer.NAME.KIND`.
    private static func parameter(of name: String) -> String {
        let words = name.split(separator: ".")
        let isMoment = words.first == "optimizer"
        return words.dropFirst().dropLast(isMoment ? 1 : 0).joined(separator: ".")
    }

    /// Stores the state, whole or not at all; all processes call it.
    func store() throws {
        guard isFirst || isDivided else { return }
        let held = try held()
        let entries = try entries(held)
        func whole(_ entry: StateEntry) throws -> Tensor? {
            let part = held[entry.outline.name]
            if let parameter = entry.parameter {
                return try layout.whole(part, of: parameter, dtype: entry.outline.dtype)
            }
            guard let group, entry.owner > 0 else { return part }
            let value =
                try group.rank == entry.owner
                ? part?.detach().contiguous()
                : .empty(
                    entry.outline.shape, dtype: entry.outline.dtype,
                    device: entry.isOnCPU ? .cpu : task.device)
            if let value { try group.broadcast(value, from: entry.owner) }
            return value
        }
        guard isFirst else {
            for entry in entries { _ = try whole(entry) }
            return
        }
        var metadata = ["step": "\(step)", "optimizer": config.optimizer.rawValue]
        metadata["teacher"] = task.teacherStep.map(String.init)
        var remaining = entries[...]
        try writeSafetensors(entries.map(\.outline), metadata: metadata, to: stateFile) { outline in
            guard let entry = remaining.popFirst(), let value = try whole(entry) else {
                throw TrainingError("there is no \(outline.name) to be stored")
            }
            return value
        }
    }

    /// Continues from the stored state, if there is one; rank 0 reads it for all.
    func restore() throws {
        var file: SafetensorsFile?
        if isFirst, FileManager.default.fileExists(atPath: stateFile.path) {
            file = try SafetensorsFile(stateFile)
        }
        let next = try file.map(checkedStep)
        let text = try group?.broadcast(next.map(String.init) ?? "")
        guard let step = text.map(Int.init) ?? next else { return }
        let held = try held()
        try withoutGradients {
            for entry in try entries(held) {
                let value = try stored(entry, in: file)
                let part =
                    try entry.parameter.map { try layout.part(of: value, name: $0) } ?? value
                if let part, let target = held[entry.outline.name] {
                    try target.detach().copy(from: part)
                }
            }
        }
        self.step = step
    }

    /// The step at which a state was stored, if it is one of this run.
    private func checkedStep(_ file: SafetensorsFile) throws -> Int {
        let stored = file.metadata["optimizer"] ?? OptimizerChoice.adamw.rawValue
        guard stored == config.optimizer.rawValue else {
            throw TrainingError(
                """
                \(file.url.path) was trained with \(stored), not \(config.optimizer.rawValue); \
                continue with \(stored), or begin in another folder
                """)
        }
        if let teacher = task.teacherStep, file.metadata["teacher"] != "\(teacher)" {
            throw TrainingError(
                """
                \(file.url.path) was taught by step \(file.metadata["teacher"] ?? "(unknown)") of \
                its teacher, which is at step \(teacher) now; remove that folder to begin anew
                """)
        }
        for parameter in task.store.parameters
        where file.entries["model.\(parameter.name)"]?.shape != parameter.value.shape {
            throw TrainingError(
                """
                \(file.url.path) has no \(parameter.name) of shape \(parameter.value.shape): it was \
                stored with other settings; set them back, or begin in another folder
                """)
        }
        guard let step = file.metadata["step"].flatMap(Int.init) else {
            throw TrainingError("\(file.url.path) does not say at which step it was stored")
        }
        return step
    }

    /// A whole tensor of a state, for all processes.
    private func stored(_ entry: StateEntry, in file: SafetensorsFile?) throws -> Tensor {
        let outline = entry.outline
        var value: Tensor?
        if let file {
            guard file.entries[outline.name]?.shape == outline.shape else {
                throw TrainingError(
                    """
                    \(file.url.path) has no \(outline.name) of shape \(outline.shape); begin in \
                    another folder
                    """)
            }
            value = try file.tensor(outline.name).to(outline.dtype)
        }
        guard let group else { return try value ?? .empty(outline.shape, dtype: outline.dtype) }
        // A copy: the file's own memory can't be written.
        let shared = try value?.clone() ?? .empty(outline.shape, dtype: outline.dtype)
        try group.broadcast(shared)
        return shared
    }
}
