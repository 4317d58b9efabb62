import Checkpoints
public import Foundation
import FramePack
import Torch
public import TorchNN

/// Writes a network's weights in bf16, in shards where one file would be too large, as a folder that
/// is whole whenever somebody looks.
///
/// Weights are converted one at a time, as they are written. Files of the folder that are no weights
/// stay.
///
/// - Parameters:
///   - stem: `diffusion_pytorch_model` or `model`.
///   - config: Written as `config.json`.
///   - limit: Largest size of one file, in bytes; a larger tensor has a file of its own.
///   - further: Writes more files into the folder that it is given.
/// - Throws: `CheckpointError` where the folder cannot be written, which is then as it was; what
///   `further` throws.
public func writeNetwork(
    _ store: ParameterStore, stem: String, config: some Encodable, to folder: URL,
    limit: Int = 14_000_000, further: (URL) throws -> Void = { _ in }
) throws {
    let shards = shards(of: store, limit: limit)
    let total = String(shards.count + 100000).dropFirst()
    var index: [String: String] = [:]
    try AtomicFolder.write(to: folder, keeping: isNoWeight) { folder in
        for (number, shard) in shards.enumerated() {
            let part = String(number + 100001).dropFirst()
            let name =
                shards.count == 1
                ? "\(stem).safetensors" : "\(stem)-\(part)-of-\(total).safetensors"
            try writeSafetensors(
                shard.inFileOrder, metadata: ["format": "pt"],
                to: folder.appendingPathComponent(name)
            ) { outline in
                guard let parameter = store[outline.name] else {
                    throw TrainingError("there is no \(outline.name) to be written")
                }
                return parameter.value
            }
            for outline in shard { index[outline.name] = name }
        }
        if shards.count > 1 {
            try writeJSON(
                ShardIndex(weight_map: index),
                to: folder.appendingPathComponent("\(stem).safetensors.index.json"))
        }
        try writeJSON(config, to: folder.appendingPathComponent("config.json"))
        try further(folder)
    }
}

/// The parameters in their order, cut where a file would be too large.
private func shards(of store: ParameterStore, limit: Int) -> [[TensorOutline]] {
    var shards: [[TensorOutline]] = [[]]
    var size = 0
    for parameter in store.parameters {
        let bytes = parameter.value.count * DType.bfloat16.size
        if size > 0, size + bytes > limit {
            shards.append([])
            size = 0
        }
        size += bytes
        shards[shards.count - 1].append(
            TensorOutline(parameter.name, parameter.value.shape, .bfloat16))
    }
    return shards
}

private struct ShardIndex: Encodable {
    let metadata: [String: String] = [:]
    let weight_map: [String: String]
}

/// Writes a value as a JSON file with sorted keys, whole or not at all.
public func writeJSON(_ value: some Encodable, to url: URL) throws {
    try makeFolder(url.deletingLastPathComponent())
    try AtomicFile.write(JSONEncoder.sorted.encode(value) + Data("\n".utf8), to: url)
}

/// Whether a file of a part's folder stays where the weights are replaced.
private func isNoWeight(_ name: String) -> Bool {
    !name.hasPrefix(".") && !name.contains(".safetensors")
}

/// Copies a part's files into another folder, whose own weights go; that folder is whole whenever
/// somebody looks.
func copyFiles(of source: URL, to target: URL) throws {
    try AtomicFolder.write(to: target, keeping: isNoWeight) { folder in
        for name in try FileManager.default.contentsOfDirectory(atPath: source.path)
        where !name.hasPrefix(".") {
            let data = try Data(contentsOf: source.appendingPathComponent(name))
            try AtomicFile.write(data, to: folder.appendingPathComponent(name))
        }
    }
}
