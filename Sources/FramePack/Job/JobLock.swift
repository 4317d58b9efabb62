import Foundation

/// Keeps two processes from working on one job; it ends with its process, however that ends.
final class JobLock {
    private let descriptor: Int32

    /// Takes the lock of a job's folder.
    ///
    /// - Throws: `FramePackError.job` where another process has it.
    init(_ folder: URL) throws(FramePackError) {
        let path = folder.appendingPathComponent("lock").path
        descriptor = open(path, O_RDWR | O_CREAT, 0o644)
        guard descriptor >= 0 else {
            throw .job("\(path) cannot be written: \(String(cString: strerror(errno))).")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw .job(
                "Another process is working on the job \(folder.path); wait for it or stop it.")
        }
    }

    deinit { close(descriptor) }
}
