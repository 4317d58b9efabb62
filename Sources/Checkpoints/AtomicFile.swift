public import Foundation
import Synchronization

/// A file that appears under its name only when it is whole.
public struct AtomicFile {
    private let descriptor: Int32
    private let path: String
    private static let writers = Atomic<Int>(0)

    /// Writes a file beside its place, flushes it to the disk and gives it its name.
    ///
    /// - Throws: `CheckpointError` with the system's reason; what `body` throws. The name then
    ///   shows what it showed before.
    public static func write(to url: URL, _ body: (AtomicFile) throws -> Void) throws {
        // Two threads may write one name: the later rename wins, and both files are whole.
        let number = writers.wrappingAdd(1, ordering: .relaxed).newValue
        let temporary = url.deletingLastPathComponent()
            .appendingPathComponent(".\(url.lastPathComponent).\(getpid())-\(number).part").path
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard descriptor >= 0 else { throw failure(url.path) }
        var renamed = false
        defer { if !renamed { unlink(temporary) } }
        do {
            defer { close(descriptor) }
            try body(AtomicFile(descriptor: descriptor, path: url.path))
            guard fsync(descriptor) == 0 else { throw failure(url.path) }
        }
        guard rename(temporary, url.path) == 0 else { throw failure(url.path) }
        renamed = true
    }

    /// Writes data as a whole file.
    public static func write(_ data: Data, to url: URL) throws {
        try write(to: url) { try $0.write(data) }
    }

    /// Adds data at the end of a file, which is made if it isn't there.
    ///
    /// - Throws: `CheckpointError` with the system's reason; a part of the data may then stand there.
    public static func append(_ data: Data, to url: URL) throws {
        let descriptor = open(url.path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        guard descriptor >= 0 else { throw failure(url.path) }
        defer { close(descriptor) }
        try AtomicFile(descriptor: descriptor, path: url.path).write(data)
    }

    /// Adds bytes.
    public func write(_ data: Data) throws {
        try data.withUnsafeBytes { try write($0) }
    }

    /// Adds bytes.
    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        var done = 0
        while done < bytes.count, let base = bytes.baseAddress {
            let count = Foundation.write(descriptor, base + done, min(bytes.count - done, 1 << 30))
            if count < 0 {
                if errno == EINTR { continue }
                throw Self.failure(path)
            }
            done += count
        }
    }

    private static func failure(_ path: String) -> CheckpointError {
        let reason =
            errno == ENOSPC ? "the disk is full; free some space" : String(cString: strerror(errno))
        return CheckpointError("\(path) can't be written: \(reason)")
    }
}
