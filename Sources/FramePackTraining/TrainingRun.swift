import Checkpoints
public import Foundation
import FramePack
public import Models
public import Torch
public import TorchNN

/// The folder of a small model's training: runs, clips, and the model as it stands.
public struct TrainingRun: Sendable {
    /// Where everything lies.
    public let folder: URL

    /// Names a run; the folder is made when something is written.
    public init(folder: URL) { self.folder = folder }

    /// Names a run by its path.
    public init(path: String) { self.init(folder: URL(fileURLWithPath: path)) }

    /// The encoded clips: of the same scenes in every run, for each step of it.
    public func clipCache(side: Int) -> ClipCache {
        ClipCache(folder: clips, clips: WorldClips(side: side, seed: 11))
    }

    /// The VAE's training state.
    public var vaeState: URL { folder.appendingPathComponent("vae-run") }
    /// The transformer's training state.
    public var transformerState: URL { folder.appendingPathComponent("transformer-run") }
    /// The sizes of the networks.
    public var sizesFile: URL { folder.appendingPathComponent("sizes.json") }
    /// The state of the guidance's distillation.
    public var guidanceState: URL { folder.appendingPathComponent("guidance-run") }
    /// What `framepack eval` measured of the exported model: the run's files `eval*.json`, by name.
    ///
    /// - Throws: `DecodingError` for a file that holds something else.
    public func evaluations() throws -> [EvaluationReport] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return try names.filter { $0.hasPrefix("eval") && $0.hasSuffix(".json") }.sorted()
            .compactMap { try EvaluationReport.stored(at: folder.appendingPathComponent($0)) }
    }
    /// Encoded clips.
    public var clips: URL { folder.appendingPathComponent("clips") }
    /// The model in the released layout.
    public var model: URL { folder.appendingPathComponent("model") }

    /// The finished VAE of this run.
    ///
    /// - Throws: `CheckpointError` if there is none yet.
    public func finishedVAE(on device: Device = .cpu) throws -> VAE {
        try VAE(folder: model.appendingPathComponent("vae"), device: device, dtype: .float32)
    }
}

/// The averaged weights that a training run stored, as a source for a model.
public final class AveragedWeights: WeightSource {
    private let file: SafetensorsFile
    private static let prefix = "average."

    /// Opens the state in a run's folder.
    public init(_ folder: URL) throws {
        file = try SafetensorsFile(folder.appendingPathComponent("state.safetensors"))
    }

    /// The step at which the state was stored.
    public var step: Int { file.metadata["step"].flatMap(Int.init) ?? 0 }

    /// The step of the teacher that taught them; nil where there was none.
    public var teacherStep: Int? { file.metadata["teacher"].flatMap(Int.init) }

    /// A copy of one averaged weight.
    ///
    /// - Throws: `TrainingError` that names a weight that is missing or misshapen.
    public func tensor(_ name: String, shape: [Int], initialization: Initialization) throws
        -> Tensor
    {
        guard contains(name), file.entries[Self.prefix + name]?.shape == shape else {
            throw TrainingError("\(file.url.path) has no averaged \(name) of shape \(shape)")
        }
        return try file.tensor(Self.prefix + name).clone()
    }

    /// The shape of one averaged weight; nil if there is none of that name.
    public func shape(_ name: String) -> [Int]? { file.entries[Self.prefix + name]?.shape }

    /// Whether the state has that weight.
    public func contains(_ name: String) -> Bool { file.entries[Self.prefix + name] != nil }
}

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
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try AtomicFile.write(encoder.encode(value) + Data("\n".utf8), to: url)
}

extension TrainingRun {
    /// The grey level of the picture that stands for no start picture.
    public static let plainLevel: UInt8 = 0

    /// The scaled latent of that picture, `(C, 1, h, w)`.
    public func plainStart(side: Int) throws -> Tensor {
        let vae = try finishedVAE()
        let level = Double(Self.plainLevel) / 127.5 - 1
        return try withoutGradients {
            let picture = try Tensor.full([1, 3, 1, side, side], level)
            return try (vae.encode(picture).mean * vae.config.scalingFactor).squeeze(0)
        }
    }
}
