import Foundation

/// A file's bytes, mapped into memory; pages are read when they are touched.
///
/// The mapping is private: writing to it copies the page and never reaches the file.
final class MappedFile: @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer

    init(_ url: URL) throws {
        let descriptor = open(url.path, O_RDONLY | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw CheckpointError(
                "\(url.path) can't be opened: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, (status.st_mode & S_IFMT) == S_IFREG else {
            throw CheckpointError("\(url.path) is not a file")
        }
        let size = Int(status.st_size)
        guard size > 0 else { throw CheckpointError("\(url.path) is empty") }
        let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0)
        guard let memory, memory != MAP_FAILED else {
            throw CheckpointError(
                "\(url.path) can't be mapped: \(String(cString: strerror(errno)))")
        }
        bytes = UnsafeMutableRawBufferPointer(start: memory, count: size)
    }

    deinit { munmap(bytes.baseAddress, bytes.count) }
}
