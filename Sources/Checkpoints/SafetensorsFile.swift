public import Foundation
public import Torch

/// A safetensors file, mapped into memory.
public final class SafetensorsFile: TensorFile {
    /// Where the file lies.
    public let url: URL
    /// What the file holds, by name.
    public let entries: [String: TensorEntry]
    /// The texts that the writer put beside the tensors.
    public let metadata: [String: String]
    private let file: MappedFile

    /// Opens a file and checks its header against its size; no tensor is read yet.
    ///
    /// - Throws: `CheckpointError` if it is no whole safetensors file.
    public init(_ url: URL) throws {
        self.url = url
        file = try MappedFile(url)
        let header = try SafetensorsHeader(UnsafeRawBufferPointer(file.bytes), file: url.path)
        (entries, metadata) = (header.entries, header.metadata)
    }

    /// Whether a file begins as one of this kind does, whole or not.
    ///
    /// - Throws: `CheckpointError` for a file that cannot be read.
    public static func isSafetensors(_ url: URL) throws -> Bool {
        let file = try MappedFile(url)
        return withExtendedLifetime(file) { SafetensorsHeader.isBeginning(file.bytes.prefix(9)) }
    }

    /// The names in the file, sorted.
    public var names: [String] { entries.keys.sorted() }

    /// A tensor on the mapped bytes: nothing is copied, and pages are read when they are used.
    ///
    /// - Throws: `CheckpointError` if the file has no such tensor.
    public func tensor(_ name: String) throws -> Tensor {
        guard let entry = entries[name] else {
            throw CheckpointError("\(url.path) has no tensor \(name)")
        }
        return try file.tensor(entry.range, entry.shape, entry.dtype)
    }

    /// Every tensor of the file by name.
    public func tensors() throws -> [String: Tensor] {
        try Dictionary(uniqueKeysWithValues: entries.keys.map { ($0, try tensor($0)) })
    }
}
