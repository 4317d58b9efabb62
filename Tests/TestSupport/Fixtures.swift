import Checkpoints
public import Foundation
public import Torch

/// Files that tests read; all of them lie in the checkout.
public enum Fixtures {
    /// `Tests/Fixtures`.
    public static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fixtures")

    /// A file or folder below `Tests/Fixtures`.
    public static func url(_ path: String) -> URL { folder.appendingPathComponent(path) }

    /// The tensors of a safetensors file below `Tests/Fixtures`.
    public static func tensors(_ path: String) throws -> [String: Tensor] {
        try SafetensorsFile(url(path)).tensors()
    }
}

/// Runs `body` with a folder that is removed afterwards.
public func withTemporaryFolder<R>(_ body: (URL) throws -> R) throws -> R {
    let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("framepack-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
}
