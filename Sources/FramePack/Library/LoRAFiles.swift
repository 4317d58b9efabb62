import Checkpoints
public import Foundation
public import Models
public import Torch
public import TorchNN

extension AdapterFile {
    /// Reads a safetensors file of adapters for a transformer.
    ///
    /// - Throws: `CheckpointError` for a file that cannot be read; `ModelError` for one that does
    ///   not fit.
    public init(contentsOf url: URL, for transformer: Transformer) throws {
        let file = try SafetensorsFile(url)
        try self.init(
            url.path, tensors: file.tensors(), metadata: file.metadata, for: transformer)
    }
}

extension AdapterSet {
    /// Writes adapters as a LoRA file, whole or not at all.
    ///
    /// - Parameters:
    ///   - url: The safetensors file.
    ///   - form: Whose keys.
    ///   - dtype: The type of what is written; that of the adapters if nil.
    ///   - metadata: Texts to be kept beside those that the form calls for.
    /// - Throws: `ModelError` for adapters that are no LoRA; `CheckpointError` where the file cannot
    ///   be written.
    public func write(
        to url: URL, form: AdapterForm, dtype: DType? = nil, metadata: [String: String] = [:]
    ) throws {
        try writeSafetensors(
            tensors(in: form, dtype: dtype),
            metadata: self.metadata(in: form).merging(metadata) { _, new in new }, to: url)
    }
}

extension AppliedLoRA {
    /// Where the file lies.
    ///
    /// - Throws: `FramePackError.model` where there is none.
    func url() throws(FramePackError) -> URL {
        let url = URL(fileURLWithPath: file)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
            throw .model(
                "There is no LoRA file \(url.path); strengths are written behind it, as "
                    + "FILE:0.8 or FILE:0.8,0.3@2.5.")
        }
        guard !isFolder.boolValue else {
            throw .model("\(url.path) is a folder; name a LoRA's safetensors file in it.")
        }
        return url
    }

    /// A number that changes with the file's content, as ``ModelFolder/fingerprint()``.
    func fingerprint() throws -> String {
        var sum = Fingerprint()
        sum.add(sampling: try Data(contentsOf: url(), options: .alwaysMapped))
        return sum.text
    }
}

extension LoRAReport {
    /// What a plan says of LoRA files; no weight of a network is read.
    ///
    /// - Parameters:
    ///   - loras: The files with their strengths.
    ///   - plan: The plan.
    ///   - config: The transformer's sizes; the released model's if left out.
    /// - Throws: `FramePackError.model` for a file that is not there; `CheckpointError` and
    ///   `ModelError` for one that does not fit.
    public static func reports(
        _ loras: [AppliedLoRA], plan: SectionPlan, config: TransformerConfig = TransformerConfig()
    ) throws -> [LoRAReport] {
        guard !loras.isEmpty else { return [] }
        let transformer = try Transformer(config, Weights(ShapesOnly()))
        return try loras.map {
            let file = try AdapterFile(contentsOf: $0.url(), for: transformer)
            return LoRAReport($0, file.summary, plan: plan)
        }
    }
}

extension ModelFolder {
    /// The transformer's sizes.
    ///
    /// - Throws: `FramePackError.model` for a model without a transformer; `CheckpointError` and
    ///   `ModelError` for a configuration that cannot be read.
    func transformerConfig() throws -> TransformerConfig {
        try TransformerConfig(folder: folder(of: .transformer))
    }
}
