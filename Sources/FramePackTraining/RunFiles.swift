import Checkpoints
public import Foundation
import FramePack
import Torch
public import TorchNN

/// Writes a network's weights in bf16, in shards where one file would be too large.
///
/// - Parameters:
///   - stem: `diffusion_pytorch_model` or `model`.
///   - config: Written as `config.json`.
///   - limit: Largest size of one file, in bytes.
public func writeNetwork(
    _ store: ParameterStore, stem: String, config: some Encodable, to folder: URL,
    limit: Int = 14_000_000
) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    var shards: [[String: Tensor]] = [[:]]
    var size = 0
    for parameter in store.parameters {
        let value = try parameter.value.detach().to(.bfloat16)
        if size + value.count * 2 > limit {
            shards.append([:])
            size = 0
        }
        size += value.count * 2
        shards[shards.count - 1][parameter.name] = value
    }
    for file in try FileManager.default.contentsOfDirectory(atPath: folder.path)
    where file.contains(".safetensors") {
        try FileManager.default.removeItem(at: folder.appendingPathComponent(file))
    }
    let total = String(shards.count + 100000).dropFirst()
    var index: [String: String] = [:]
    for (number, shard) in shards.enumerated() {
        let part = String(number + 100001).dropFirst()
        let name =
            shards.count == 1 ? "\(stem).safetensors" : "\(stem)-\(part)-of-\(total).safetensors"
        try writeSafetensors(
            shard, metadata: ["format": "pt"], to: folder.appendingPathComponent(name))
        for key in shard.keys { index[key] = name }
    }
    if shards.count > 1 {
        try writeJSON(
            ShardIndex(weight_map: index),
            to: folder.appendingPathComponent("\(stem).safetensors.index.json"))
    }
    try writeJSON(config, to: folder.appendingPathComponent("config.json"))
}

private struct ShardIndex: Encodable {
    let metadata: [String: String] = [:]
    let weight_map: [String: String]
}

/// Writes a value as a JSON file with sorted keys, whole or not at all.
public func writeJSON(_ value: some Encodable, to url: URL) throws {
    try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try AtomicFile.write(JSONEncoder.sorted.encode(value) + Data("\n".utf8), to: url)
}

/// Copies a part's files into another folder, whose own weights go.
func copyFiles(of source: URL, to target: URL) throws {
    let files = FileManager.default
    try files.createDirectory(at: target, withIntermediateDirectories: true)
    for name in try files.contentsOfDirectory(atPath: target.path)
    where name.hasSuffix(".safetensors") {
        try files.removeItem(at: target.appendingPathComponent(name))
    }
    for name in try files.contentsOfDirectory(atPath: source.path) where !name.hasPrefix(".") {
        let data = try Data(contentsOf: source.appendingPathComponent(name))
        try AtomicFile.write(data, to: target.appendingPathComponent(name))
    }
}
