import Checkpoints
public import Foundation
import Models
import Torch
import TorchNN

/// What the weights of a network are converted into.
public enum ConversionFormat: String, CaseIterable, Sendable, Codable {
    /// 32-bit floating point, in safetensors.
    case f32
    /// bfloat16, in safetensors.
    case bf16
    /// 16-bit floating point, in safetensors.
    case f16
    /// fp8 with a scale for each row, in safetensors.
    case fp8
    /// fp8 with a scale for each 64 weights, in safetensors.
    case fp8Block = "fp8-block"
    /// int8 with a scale for each row, in safetensors.
    case int8
    /// int4 with a scale for each 64 weights, in safetensors.
    case int4
    /// ggml's blocks of 8 bits, in GGUF.
    case q8_0
    /// ggml's blocks of 6 bits, in GGUF.
    case q6_k
    /// ggml's blocks of 4 bits, in GGUF.
    case q4_k
    /// bfloat16, in GGUF.
    case ggufBF16 = "gguf-bf16"
    /// 16-bit floating point, in GGUF.
    case ggufF16 = "gguf-f16"

    /// What the blocks' weights are rounded to; nil where they stay floating point.
    var target: QuantizationTarget? { QuantizationTarget(rawValue: rawValue) }

    /// The type of all that is not rounded; nil for its own.
    var dtype: DType? {
        switch self {
        case .f32: .float32
        case .bf16, .ggufBF16: .bfloat16
        case .f16, .ggufF16: .float16
        default: nil
        }
    }

    /// Whether it is written as GGUF.
    var isGGUF: Bool { target?.format.isGGML ?? rawValue.hasPrefix("gguf") }

    /// `general.file_type` of a GGUF file.
    var fileType: UInt32 {
        switch self {
        case .f16, .ggufF16: 1
        case .q8_0: 7
        case .q4_k: 14
        case .q6_k: 18
        case .bf16, .ggufBF16: 32
        default: 0
        }
    }
}

/// What came of a conversion.
public struct ConversionReport: Codable, Equatable, Sendable {
    /// The folder that was read.
    public let source: String
    /// The file that was written.
    public let file: String
    /// What was written.
    public let format: ConversionFormat
    /// Tensors that were rounded to few bits.
    public let roundedTensors: Int
    /// All tensors.
    public let tensors: Int
    /// Bytes of the weights that were read.
    public let bytesBefore: Int
    /// Bytes of the file that was written.
    public let bytesAfter: Int
    /// Signal to noise of what was rounded, over all of it, in decibels; nil where nothing was.
    public let signalToNoise: Double?
    /// Bits of a weight of what was rounded, scales and all; nil where nothing was.
    public let bitsPerWeight: Double?
}

/// Writes the weights of a transformer or of a Llama text encoder in another format.
///
/// Weights of the blocks' linear layers are rounded; those whose rows do not fill whole groups, and
/// everything else, stay as they are. One tensor is in memory at a time.
public struct WeightConversion {
    private let source: URL
    private let checkpoint: CheckpointFolder
    private let stem: String
    private let mayBeQuantized: (String) -> Bool

    /// Opens the folder of a transformer or of a text encoder.
    ///
    /// - Throws: `FramePackError` for a folder of another network, `CheckpointError` for weights that
    ///   are missing or broken.
    public init(_ source: URL) throws {
        self.source = source
        let (kind, name) = try NetworkKind.inFolder(source)
        switch kind {
        case .transformer:
            (stem, mayBeQuantized) = ("diffusion_pytorch_model", Transformer.mayBeQuantized)
        case .llama: (stem, mayBeQuantized) = ("model", LlamaTextEncoder.mayBeQuantized)
        default:
            throw FramePackError.model(
                "\(source.path) holds a \(name); transformers and Llama text encoders are "
                    + "converted.")
        }
        checkpoint = try CheckpointFolder(source)
    }

    /// Writes a folder with the weights in another format, and the other files as they are.
    ///
    /// - Parameters:
    ///   - format: What is written.
    ///   - folder: Appears when it is whole; one that stands there is an error.
    ///   - onTensor: Called before each tensor with its number, from 0, and the number of all; what it
    ///     throws ends the work.
    /// - Throws: `FramePackError` where something stands in the folder's place; `CheckpointError` for
    ///   a full disk; what `onTensor` throws.
    public func write(
        _ format: ConversionFormat, to folder: URL,
        onTensor: (Int, Int) throws -> Void = { _, _ in }
    ) throws -> ConversionReport {
        var report: ConversionReport?
        try Self.makeNew(folder) { part in
            report = try write(format, into: part, shownAs: folder, onTensor)
        }
        guard let report else { throw CheckpointError("\(folder.path) was not written") }
        return report
    }

    /// Writes a whole model's folder with some parts converted.
    ///
    /// - Parameters:
    ///   - model: The folder of a whole model.
    ///   - parts: What is converted: the transformer, the text encoder, or both.
    ///   - format: What is written.
    ///   - folder: Appears when it is whole; one that stands there is an error.
    ///   - copies: Whether the other parts are copied; else links lead to them.
    ///   - onTensor: As of ``write(_:to:onTensor:)``, for each part anew.
    /// - Throws: As ``write(_:to:onTensor:)``.
    public static func writeModel(
        _ model: URL, converting parts: [ModelPart], _ format: ConversionFormat, to folder: URL,
        copies: Bool = false, onTensor: (Int, Int) throws -> Void = { _, _ in }
    ) throws -> [ConversionReport] {
        var reports: [ConversionReport] = []
        let files = FileManager.default
        let opened = try ModelFolder(model)
        guard !folder.standardizedFileURL.path.hasPrefix("\(model.standardizedFileURL.path)/")
        else {
            throw FramePackError.model(
                "\(folder.path) lies in the model itself; name a folder elsewhere.")
        }
        try makeNew(folder) { place in
            for name in try files.contentsOfDirectory(atPath: model.path).sorted()
            where !name.hasPrefix(".") {
                let old = model.appendingPathComponent(name).standardizedFileURL
                    .resolvingSymlinksInPath()
                let new = place.appendingPathComponent(name)
                if parts.contains(where: { $0.rawValue == name }) {
                    try makeFolder(new)
                    let shown = folder.appendingPathComponent(name)
                    reports.append(
                        try WeightConversion(old).write(format, into: new, shownAs: shown, onTensor)
                    )
                } else if copies || name.hasSuffix(".json") {
                    try copy(old, to: new)
                } else {
                    try files.createSymbolicLink(at: new, withDestinationURL: old)
                }
            }
            // The released F1 model is known by its folder's name, which is another one now.
            var settings = opened.settings
            guard settings.order == nil else { return }
            settings.order = opened.defaultOrder
            try JSONEncoder.sorted.encode(settings)
                .write(to: place.appendingPathComponent("framepack.json"))
        }
        return reports
    }

    /// Copies a file or a folder with what its links lead to.
    private static func copy(_ old: URL, to new: URL) throws {
        let files = FileManager.default
        let source = old.resolvingSymlinksInPath()
        var isFolder: ObjCBool = false
        guard files.fileExists(atPath: source.path, isDirectory: &isFolder), isFolder.boolValue
        else {
            return try files.copyItem(at: source, to: new)
        }
        try makeFolder(new)
        for name in try files.contentsOfDirectory(atPath: source.path) {
            try copy(source.appendingPathComponent(name), to: new.appendingPathComponent(name))
        }
    }

    private static func makeNew(_ folder: URL, _ body: (URL) throws -> Void) throws {
        guard !FileManager.default.fileExists(atPath: folder.path) else {
            throw FramePackError.model("\(folder.path) is there already; name a new folder.")
        }
        try makeFolder(folder.deletingLastPathComponent())
        try AtomicFolder.write(to: folder, body)
    }

    private func write(
        _ format: ConversionFormat, into folder: URL, shownAs shown: URL,
        _ onTensor: (Int, Int) throws -> Void
    ) throws -> ConversionReport {
        for file in try others() {
            try FileManager.default.copyItem(
                at: source.appendingPathComponent(file).resolvingSymlinksInPath(),
                to: folder.appendingPathComponent(file))
        }
        let name = "\(stem).\(format.isGGUF ? "gguf" : "safetensors")"
        let file = folder.appendingPathComponent(name)
        let writer = try ConversionWriter(checkpoint, format, mayBeQuantized)
        try writer.write(to: file, onTensor: onTensor)
        let size = try FileManager.default.attributesOfItem(atPath: file.path)[.size] as? NSNumber
        return ConversionReport(
            source: source.path, file: shown.appendingPathComponent(name).path, format: format,
            roundedTensors: writer.roundedCount, tensors: writer.outlines.count,
            bytesBefore: checkpoint.entries.values.reduce(0) { $0 + $1.range.count },
            bytesAfter: size?.intValue ?? 0, signalToNoise: writer.signalToNoise,
            bitsPerWeight: writer.bitsPerWeight)
    }

    /// Files beside the weights.
    private func others() throws -> [String] {
        let weights = Set(checkpoint.files.map(\.url.lastPathComponent))
        return try FileManager.default.contentsOfDirectory(atPath: source.path).filter { name in
            guard name != HistoryCodebook.fileName else { return true }
            return !name.hasPrefix(".") && !weights.contains(name)
                && !name.hasSuffix(".safetensors.index.json")
                && !["safetensors", "gguf", "bin", "pth", "pt"].contains {
                    name.lowercased().hasSuffix(".\($0)")
                }
        }
    }
}

/// The weights of one conversion, tensor by tensor.
private final class ConversionWriter {
    /// A weight as it will stand in the file.
    struct Outline {
        let name: String
        let shape: [Int]
        let dtype: DType
        let target: QuantizationTarget?
    }

    let outlines: [Outline]
    private let checkpoint: CheckpointFolder
    private let format: ConversionFormat
    private(set) var roundedCount = 0
    private var (signal, noise) = (0.0, 0.0)
    private var (bits, weights) = (0, 0)
    private var latest: QuantizedWeight?

    init(
        _ checkpoint: CheckpointFolder, _ format: ConversionFormat,
        _ mayBeQuantized: @escaping (String) -> Bool
    ) throws {
        (self.checkpoint, self.format) = (checkpoint, format)
        if let (name, type) = checkpoint.unread.min(by: { $0.key < $1.key }) {
            throw CheckpointError(
                "\(checkpoint.url.path): \(name) has the type \(type), which is not read")
        }
        let entries = checkpoint.entries
        let names = entries.keys.filter {
            !CheckpointFolder.isMark($0) && !checkpoint.isScale($0)
        }
        outlines = try names.sorted().compactMap { name in
            guard let shape = checkpoint.shape(of: name), let entry = entries[name]
            else {
                return nil
            }
            let quantization = format.target.map { WeightQuantization($0, layers: mayBeQuantized) }
            let target = quantization?.takes(name, shape: shape) == true ? format.target : nil
            // What has few bits already, and is not rounded again, becomes numbers.
            let isQuantized = try checkpoint.quantizedWeight(name) != nil
            guard isQuantized || entry.dtype.isFloatingPoint else {
                throw CheckpointError(
                    "\(checkpoint.url.path): \(name) has the type \(entry.typeName), which is not read"
                )
            }
            let own = isQuantized || entry.dtype.size == 1 ? DType.bfloat16 : entry.dtype
            return Outline(
                name: name, shape: shape, dtype: format.dtype ?? own, target: target)
        }
    }

    /// Over all weights that were rounded, in decibels.
    var signalToNoise: Double? { noise > 0 ? 10 * log10(signal / noise) : nil }

    /// Of what was rounded, scales and all.
    var bitsPerWeight: Double? { weights > 0 ? Double(bits) / Double(weights) : nil }

    func write(to file: URL, onTensor: (Int, Int) throws -> Void) throws {
        var count = 0
        func begin() throws {
            try onTensor(count, outlines.count)
            count += 1
        }
        if format.isGGUF {
            let tensors = outlines.map {
                GGUFOutline(
                    $0.name, $0.shape,
                    $0.target.map { .quantized($0.format) } ?? .plain($0.dtype))
            }
            let byName = Dictionary(uniqueKeysWithValues: outlines.map { ($0.name, $0) })
            try writeGGUF(tensors, metadata: metadata, to: file) { tensor in
                try begin()
                guard let outline = byName[tensor.name] else { return try .empty(tensor.shape) }
                return try outline.target == nil ? plain(outline) : rounded(outline).codes
            }
            return
        }
        // Plain tensors in the order that keeps them aligned; then each weight's scales and codes, so
        // that it is rounded once.
        let plainOnes = outlines.filter { $0.target == nil }
        let quantized = outlines.filter { $0.target != nil }
        var tensors = plainOnes.map { TensorOutline($0.name, $0.shape, $0.dtype) }.inFileOrder
        for outline in quantized { tensors += parts(outline) }
        let byName = Dictionary(uniqueKeysWithValues: outlines.map { ($0.name, $0) })
        try writeSafetensors(tensors, metadata: ["weight_format": format.rawValue], to: file) {
            if let outline = byName[$0.name], outline.target == nil {
                try begin()
                return try plain(outline)
            }
            if let outline = byName[$0.name], let latest, latest.name == outline.name {
                return latest.codes
            }
            let name = $0.name.dropLast(Self.scaleEnding.count) + Self.weightEnding
            guard let outline = byName[String(name)] else { return try .empty($0.shape) }
            try begin()
            return try rounded(outline).scales ?? .empty($0.shape)
        }
    }

    private static let (weightEnding, scaleEnding) = (".weight", ".scale_weight")

    private var metadata: [String: GGUFValue] {
        [
            "general.architecture": .text("hyvid"), "general.quantization_version": .number(2),
            "general.file_type": .number(format.fileType),
        ]
    }

    /// Scales, then codes.
    private func parts(_ outline: Outline) -> [TensorOutline] {
        guard let target = outline.target else { return [] }
        let (rows, columns) = (outline.shape[0], outline.shape[1])
        let groups = target.groupSize == 1 ? 1 : columns / target.groupSize
        let name = outline.name.dropLast(Self.weightEnding.count) + Self.scaleEnding
        return [
            TensorOutline(
                String(name), [rows, groups], target.format == .int4 ? .bfloat16 : .float32),
            TensorOutline(
                outline.name, [rows, columns / target.format.blockSize * target.format.blockBytes],
                target.format.codeType),
        ]
    }

    private func plain(_ outline: Outline) throws -> Tensor {
        if let stored = try checkpoint.quantizedWeight(outline.name) {
            return try stored.dequantized(to: outline.dtype).reshape(outline.shape)
        }
        guard let file = checkpoint.file(of: outline.name) else { return try .empty(outline.shape) }
        return try file.tensor(outline.name).to(outline.dtype)
    }

    private func rounded(_ outline: Outline) throws -> QuantizedWeight {
        guard let target = outline.target else {
            throw CheckpointError("\(outline.name) is not rounded")
        }
        let weight =
            try checkpoint.quantizedWeight(outline.name)?.dequantized(to: .float32)
            ?? plain(outline).to(.float32)
        let result = try QuantizedWeight(outline.name, weight, as: target)
        let difference = try result.dequantized(to: .float32) - weight
        signal += try weight.square().sum().item()
        noise += try difference.square().sum().item()
        (bits, weights) = (bits + 8 * result.byteCount, weights + weight.count)
        roundedCount += 1
        latest = result
        return result
    }
}
