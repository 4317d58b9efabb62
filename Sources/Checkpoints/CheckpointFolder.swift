public import Foundation

/// A folder with `config.json` and weights: one safetensors file, shards with an index, or a GGUF file.
public struct CheckpointFolder: Sendable {
    /// Where the folder lies.
    public let url: URL
    /// The files that hold the weights, in the order of their names.
    public let files: [any TensorFile]
    /// Which file has a tensor.
    private let owners: [String: Int]

    /// The names that weights go by in the published folders.
    static let stems = ["diffusion_pytorch_model", "model"]

    /// Opens every file of the folder and checks headers, sizes and the index.
    ///
    /// - Throws: `CheckpointError` that names the file or tensor that is missing or broken.
    public init(_ url: URL) throws {
        self.url = url
        let names = try Self.fileNames(in: url)
        files = try names.map { name -> any TensorFile in
            let file = url.appendingPathComponent(name)
            return name.lowercased().hasSuffix(".gguf")
                ? try GGUFFile(file) : try SafetensorsFile(file)
        }
        var owners: [String: Int] = [:]
        for (index, file) in files.enumerated() {
            for name in file.entries.keys {
                if let other = owners.updateValue(index, forKey: name) {
                    throw CheckpointError(
                        "\(name) stands in both \(names[other]) and \(names[index]) of \(url.path)")
                }
            }
        }
        self.owners = owners
        try checkIndex()
    }

    /// Every tensor of the folder.
    public var entries: [String: TensorEntry] {
        owners.reduce(into: [:]) { $0[$1.key] = files[$1.value].entries[$1.key] }
    }

    /// The file that holds a tensor, or nil.
    public func file(of name: String) -> (any TensorFile)? { owners[name].map { files[$0] } }

    /// Decodes a JSON file of a folder.
    ///
    /// - Throws: `CheckpointError` that names the file and the key that is missing or wrong.
    public static func json<Value: Decodable>(
        _ type: Value.Type, _ name: String = "config.json", in folder: URL
    ) throws -> Value {
        let url = folder.appendingPathComponent(name)
        guard let data = try? Data(contentsOf: url) else {
            throw CheckpointError("\(url.path) is missing or can't be read")
        }
        do { return try JSONDecoder().decode(type, from: data) } catch let error as DecodingError {
            throw CheckpointError("\(url.path): \(error.sentence(of: data))")
        }
    }

    private static func index(in folder: URL, stem: String) throws -> [String: String]? {
        let url = folder.appendingPathComponent("\(stem).safetensors.index.json")
        guard FileManager.default.fileExists(atPath: url.path) else { return nil }
        struct Index: Decodable { let weight_map: [String: String] }
        let map = try json(Index.self, url.lastPathComponent, in: folder).weight_map
        if let path = map.values.first(where: { $0.contains("/") }) {
            throw CheckpointError("\(url.path) points outside its folder: \(path)")
        }
        return map
    }

    private static func fileNames(in folder: URL) throws -> [String] {
        for stem in stems {
            let single = "\(stem).safetensors"
            if FileManager.default.fileExists(atPath: folder.appendingPathComponent(single).path) {
                return [single]
            }
            guard let map = try index(in: folder, stem: stem) else { continue }
            let names = Set(map.values).sorted()
            for name in names
            where !FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path)
            {
                throw CheckpointError(
                    "\(folder.path) lacks \(name), which its index names as a shard")
            }
            return names
        }
        let others = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        let named = others.filter { $0.lowercased().hasSuffix(".gguf") }.sorted()
        guard named.count < 2 else {
            throw CheckpointError(
                "\(folder.path) has \(named.count) GGUF files, \(named[0]) and \(named[1]) among "
                    + "them; leave one")
        }
        guard let file = named.first else {
            throw CheckpointError(
                """
                \(folder.path) has no weights: expected diffusion_pytorch_model.safetensors, \
                model.safetensors, shards with their .safetensors.index.json, or a .gguf file
                """)
        }
        return [file]
    }

    private func checkIndex() throws {
        guard files.count > 1 else { return }
        for stem in Self.stems {
            for (name, file) in try Self.index(in: url, stem: stem) ?? [:]
            where self.file(of: name)?.url.lastPathComponent != file {
                throw CheckpointError(
                    "\(url.path): the index places \(name) in \(file), which does not hold it")
            }
        }
    }
}

extension DecodingError {
    /// The error as a sentence with the key's path, without a full stop.
    ///
    /// - Parameter data: What was decoded.
    package func sentence(of data: Data) -> String {
        func path(_ context: Context, _ last: (any CodingKey)? = nil) -> String {
            (context.codingPath + (last.map { [$0] } ?? [])).map(\.stringValue)
                .joined(separator: ".")
        }
        switch self {
        case .keyNotFound(let key, let context):
            return "the key \"\(path(context, key))\" is missing"
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            return "\"\(path(context))\" should be a \(type)"
        case .dataCorrupted(let context):
            // What a type found wrong has words of its own. A number that does not fit its type ends as
            // a syntax error does, and its key is lost.
            let isGeneral = context.debugDescription.hasPrefix("The given data was not valid JSON")
            if context.underlyingError != nil || isGeneral {
                return (try? JSONSerialization.jsonObject(with: data)) == nil
                    ? "the file is not valid JSON"
                    : "a number in it is too large, or is no whole one where one belongs"
            }
            return path(context).isEmpty
                ? context.debugDescription : "\"\(path(context))\": \(context.debugDescription)"
        @unknown default: return "\(self)"
        }
    }
}
