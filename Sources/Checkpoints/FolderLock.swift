public import Foundation

/// Keeps two processes from working in one folder; it ends with its process, however that ends.
public final class FolderLock {
    private let descriptor: Int32

    /// Takes the lock of a folder, the file `lock` in it.
    ///
    /// - Throws: `CheckpointError` where another process has it, or the file cannot be written.
    public init(_ folder: URL) throws(CheckpointError) {
        let path = folder.appendingPathComponent("lock").path
        descriptor = open(path, O_RDWR | O_CREAT, 0o644)
        guard descriptor >= 0 else {
            throw CheckpointError("\(path) cannot be written: \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw CheckpointError(
                "another process is working in \(folder.path); wait for it or stop it")
        }
    }

    deinit { close(descriptor) }
}
