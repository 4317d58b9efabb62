import Foundation

/// A file that gets its name only when it is complete, so that it is there whole or not at all.
struct UnfinishedFile {
    let destination: URL
    /// Where the bytes go meanwhile: in the same folder, so that the last step is one rename.
    let temporary: URL

    /// Throws when the folder is missing or cannot be written.
    init(for destination: URL) throws(MediaError) {
        let folder = destination.deletingLastPathComponent()
        let name = destination.lastPathComponent
        self.destination = destination
        temporary = folder.appendingPathComponent(".\(name).partial")
        try Self.check(folder: folder, for: destination)
        if isFolder(destination) {
            throw .cannotWrite(file: destination.path, reason: "a folder has that name")
        }
    }

    /// Gives the file its name.
    func complete() throws(MediaError) {
        let descriptor = open(temporary.path, O_RDONLY)
        // What the disk refuses late, it refuses here.
        let isSynced = descriptor >= 0 && fsync(descriptor) == 0
        let problem = errno
        if descriptor >= 0 { close(descriptor) }
        guard isSynced else { throw failure(problem) }
        guard rename(temporary.path, destination.path) == 0 else { throw failure(errno) }
    }

    /// Removes what was written so far.
    func discard() {
        unlink(temporary.path)
    }

    /// Writes `data` whole or not at all.
    static func write(_ data: Data, to destination: URL) throws(MediaError) {
        let file = try UnfinishedFile(for: destination)
        do {
            try file.append(data)
            try file.complete()
        } catch {
            file.discard()
            throw error
        }
    }

    private func append(_ data: Data) throws(MediaError) {
        let descriptor = open(temporary.path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard descriptor >= 0 else { throw failure(errno) }
        let problem = data.withUnsafeBytes { bytes -> Int32 in
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = Foundation.write(descriptor, rest.baseAddress, rest.count)
                if written < 0 && errno == EINTR { continue }
                if written < 0 { return errno }
                rest = rest.dropFirst(written)
            }
            return 0
        }
        let closing = close(descriptor) == 0 ? 0 : errno
        if problem != 0 || closing != 0 { throw failure(problem != 0 ? problem : closing) }
    }

    private func failure(_ code: Int32) -> MediaError {
        if code == ENOSPC { return .diskFull(file: destination.path) }
        return .cannotWrite(file: destination.path, reason: String(cString: strerror(code)))
    }

    private static func check(folder: URL, for destination: URL) throws(MediaError) {
        guard isFolder(folder) else {
            throw .cannotWrite(
                file: destination.path, reason: "the folder \(folder.path) does not exist")
        }
        guard FileManager.default.isWritableFile(atPath: folder.path) else {
            throw .cannotWrite(
                file: destination.path,
                reason: "the folder \(folder.path) does not allow new files")
        }
    }
}

extension Slice where Base == UnsafeRawBufferPointer {
    fileprivate var baseAddress: UnsafeRawPointer? {
        UnsafeRawBufferPointer(rebasing: self).baseAddress
    }
}

/// Whether a folder lies at `url`.
func isFolder(_ url: URL) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory)
        && isDirectory.boolValue
}
