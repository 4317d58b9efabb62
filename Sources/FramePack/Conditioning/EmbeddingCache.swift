import Checkpoints
public import Foundation
package import Torch

/// Embeddings of prompts and pictures on disk, found again by what they were made of.
///
/// Each is a safetensors file whose name is a checksum of all that its numbers depend on
/// (``EmbeddingKeys``), and which carries a checksum of its tensors: a file that came to harm is
/// made again. Where the folder cannot be written, runs go on without it.
public struct EmbeddingCache: Sendable {
    /// Where the files lie; it is made with the first one.
    public let folder: URL
    /// Bytes that the files may take together; beyond that those go that were not used for longest.
    public let capacity: Int

    /// A cache in a folder.
    ///
    /// - Parameter capacity: In bytes; 1 GiB holds the prompts and pictures of some 200 videos of
    ///   the released models.
    public init(_ folder: URL, capacity: Int = 1 << 30) {
        (self.folder, self.capacity) = (folder, capacity)
    }

    /// The cache that all runs of a user share: `framepack/embeddings` in the user's cache.
    public static var user: EmbeddingCache {
        EmbeddingCache(userCacheFolder().appendingPathComponent("embeddings"))
    }

    /// The tensors that are kept under a key, or else those that `make` gives, which are then kept.
    package func tensors(_ key: String, _ make: () throws -> [String: Tensor]) throws
        -> [String: Tensor]
    {
        let file = folder.appendingPathComponent("\(key).safetensors")
        if let found = try? Self.read(file) {
            Self.markUsed(file)
            return found
        }
        let made = try make()
        // A full or protected disk costs the next run its time, and nothing else.
        try? keep(made, in: file)
        return made
    }

    /// The tensors of a whole file, copied into memory.
    private static func read(_ file: URL) throws -> [String: Tensor]? {
        let stored = try SafetensorsFile(file)
        let tensors = try stored.tensors().mapValues { try $0.clone() }
        return try stored.metadata[checksumName] == checksum(tensors) ? tensors : nil
    }

    private func keep(_ tensors: [String: Tensor], in file: URL) throws {
        try makeFolder(folder)
        let tensors = try tensors.mapValues { try $0.to(.cpu).contiguous() }
        let sum = try Self.checksum(tensors)
        try writeSafetensors(tensors, metadata: [Self.checksumName: sum], to: file)
        makeRoom()
    }

    // MARK: - Whole files

    private static let checksumName = "checksum"

    private static func checksum(_ tensors: [String: Tensor]) throws -> String {
        var sum = Fingerprint()
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            sum.add(Data("\(name) \(tensor.dtype) \(tensor.shape)".utf8))
            sum.add(try tensor.withBytes { Data($0) })
        }
        return sum.text
    }

    // MARK: - Room

    /// A file's date is the time of its last use.
    private static func markUsed(_ file: URL) {
        try? FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: file.path)
    }

    /// Removes what was not used for longest, until the rest has room.
    private func makeRoom() {
        let keys: Set<URLResourceKey> = [.contentModificationDateKey, .fileSizeKey]
        // Files that another process is writing begin with a dot, and are passed over.
        let files =
            (try? FileManager.default.contentsOfDirectory(
                at: folder, includingPropertiesForKeys: Array(keys), options: .skipsHiddenFiles))
            ?? []
        let known = files.filter { $0.pathExtension == "safetensors" }.map { file in
            let values = try? file.resourceValues(forKeys: keys)
            return (
                file: file, used: values?.contentModificationDate ?? .distantPast,
                size: values?.fileSize ?? 0
            )
        }
        var total = known.reduce(0) { $0 + $1.size }
        for entry in known.sorted(by: { $0.used < $1.used }) where total > capacity {
            try? FileManager.default.removeItem(at: entry.file)
            total -= entry.size
        }
    }
}
