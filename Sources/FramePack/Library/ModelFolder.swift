import Checkpoints
public import Foundation
import Models

/// A part of a whole model; raw values are its folder's name in diffusers' layout.
public enum ModelPart: String, CaseIterable, Codable, Sendable {
    /// The packed transformer.
    case transformer
    /// The causal VAE.
    case vae
    /// Llama.
    case textEncoder = "text_encoder"
    /// CLIP's text encoder.
    case textEncoder2 = "text_encoder_2"
    /// Llama's tokenizer.
    case tokenizer
    /// CLIP's tokenizer.
    case tokenizer2 = "tokenizer_2"
    /// SigLIP.
    case imageEncoder = "image_encoder"
    /// SigLIP's picture settings.
    case featureExtractor = "feature_extractor"

    /// The files of which the part's folder must have one.
    var files: [String] {
        switch self {
        case .transformer, .vae, .textEncoder, .textEncoder2, .imageEncoder: ["config.json"]
        case .tokenizer, .tokenizer2: ["tokenizer.json", "vocab.json"]
        case .featureExtractor: ["preprocessor_config.json"]
        }
    }
}

/// Where the parts of a whole model lie.
///
/// Either one folder with `model_index.json` and a folder for each part, or a JSON file that names
/// each part's folder, relative to itself: `{"transformer": "../FramePackI2V_HY", ...}`.
public struct ModelFolder: Sendable {
    /// The folder or the JSON file.
    public let url: URL
    /// What `framepack.json` says: the file beside `model_index.json`, or beside the JSON file.
    public let settings: ModelSettings
    private let parts: [ModelPart: URL]

    /// Opens a model; its weights are not read.
    ///
    /// - Throws: `FramePackError.model` where there is no model, or its JSON is wrong.
    public init(_ url: URL) throws {
        self.url = url.standardizedFileURL
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
            throw FramePackError.model(
                "There is no model at \(url.path); name a folder with model_index.json, or a JSON "
                    + "file that names each part's folder.")
        }
        parts = try isFolder.boolValue ? Self.parts(inFolder: url) : Self.parts(inFile: url)
        let home = isFolder.boolValue ? url : url.deletingLastPathComponent()
        settings = try Self.settings(in: home)
    }

    /// The model's name: what `framepack.json` says, or its folder's.
    public var name: String { settings.name ?? url.deletingPathExtension().lastPathComponent }

    /// The order that the model was trained for.
    ///
    /// The released F1 model differs from the other one by its name alone.
    public var defaultOrder: SamplingOrder {
        if let order = settings.order { return order }
        let path = parts[.transformer]?.path ?? url.path
        return path.contains("FramePack_F1") ? .f1 : .inverted
    }

    /// The folder of a part.
    ///
    /// - Throws: `FramePackError.model` that names the part and says where to put it.
    public func folder(of part: ModelPart) throws(FramePackError) -> URL {
        guard let folder = parts[part] else {
            throw .model(
                "\(url.path) names no folder for \(part.rawValue); add the key "
                    + "\"\(part.rawValue)\" with the path of that part's folder.")
        }
        let exists = part.files.contains {
            FileManager.default.fileExists(atPath: folder.appendingPathComponent($0).path)
        }
        guard exists else {
            throw .model(
                "The model \(url.path) lacks its \(part.rawValue): there is no "
                    + "\(part.files.joined(separator: " or ")) in \(folder.path); put that part "
                    + "there, or name the parts' folders in a JSON file.")
        }
        return folder
    }

    /// The file of the history's codebook.
    ///
    /// - Throws: `FramePackError.model` where the model has none.
    func codebookFile() throws(FramePackError) -> URL {
        let file = try folder(of: .transformer).appendingPathComponent(HistoryCodebook.fileName)
        guard FileManager.default.fileExists(atPath: file.path) else {
            throw .model(
                "The packing's +D wants a codebook, and there is no \(file.path); leave +D out, or "
                    + "train the model with a discrete history.")
        }
        return file
    }

    /// Checks that the transformer has every kernel of a packing, and what +D needs.
    ///
    /// - Throws: `FramePackError.model` that names the kernel, `CheckpointError` for a folder without
    ///   a configuration.
    public func check(_ packing: Packing) throws {
        try checkKernels(of: packing)
        if packing.isDiscrete { _ = try codebookFile() }
    }

    /// Checks that the transformer has every kernel of a packing.
    package func checkKernels(of packing: Packing) throws {
        let config = try TransformerConfig(folder: folder(of: .transformer))
        for kernel in packing.kernels where !config.encodes(kernel) {
            throw FramePackError.model(
                "The packing \(packing) has the kernel \(kernel), and the model \(name) has "
                    + "\(config.kernelNames); take another packing, or train that kernel.")
        }
    }

    /// Checks that every part is there.
    ///
    /// - Throws: `FramePackError.model` that names the first part that is missing.
    public func requireAll() throws(FramePackError) {
        for part in ModelPart.allCases { _ = try folder(of: part) }
    }

    private static func parts(inFolder url: URL) throws(FramePackError) -> [ModelPart: URL] {
        let files = FileManager.default
        guard
            files.fileExists(atPath: url.appendingPathComponent("model_index.json").path)
                || files.fileExists(atPath: url.appendingPathComponent("transformer").path)
        else {
            let isPart = files.fileExists(atPath: url.appendingPathComponent("config.json").path)
            throw .model(
                isPart
                    ? "\(url.path) is one part of a model; write a JSON file that names the folders "
                        + "of all parts (\(ModelPart.names)) and give that file."
                    : "\(url.path) is not a model: it has no model_index.json.")
        }
        return Dictionary(
            uniqueKeysWithValues: ModelPart.allCases.map {
                ($0, url.appendingPathComponent($0.rawValue))
            })
    }

    private static func parts(inFile url: URL) throws(FramePackError) -> [ModelPart: URL] {
        guard let data = try? Data(contentsOf: url),
            let paths = try? JSONDecoder().decode([String: String].self, from: data)
        else {
            throw .model(
                "\(url.path) is not a JSON object of parts and paths, such as "
                    + "{\"transformer\": \"folder\", ...}.")
        }
        let home = url.deletingLastPathComponent()
        var parts: [ModelPart: URL] = [:]
        for (name, path) in paths.sorted(by: { $0.key < $1.key }) {
            guard let part = ModelPart(rawValue: name) else {
                throw .unknownKey(
                    name, within: url.path,
                    nearest: KnownKeys.nearest(
                        to: name, among: ModelPart.allCases.map(\.rawValue)))
            }
            parts[part] = URL(fileURLWithPath: path, relativeTo: home).standardizedFileURL
        }
        return parts
    }

    private static func settings(in folder: URL) throws(FramePackError) -> ModelSettings {
        let file = folder.appendingPathComponent("framepack.json")
        guard FileManager.default.fileExists(atPath: file.path) else { return ModelSettings() }
        guard let data = try? Data(contentsOf: file) else {
            throw .model("\(file.path) cannot be read.")
        }
        do {
            let settings = try JSONDecoder().decode(ModelSettings.self, from: data)
            try settings.check(file: file.path)
            return settings
        } catch let error as FramePackError {
            throw error
        } catch {
            let reason = (error as? DecodingError)?.sentence(of: data) ?? "\(error)"
            throw .model("\(file.path) cannot be used: \(reason); correct or remove it.")
        }
    }
}

extension ModelPart {
    /// All names, for errors.
    static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
