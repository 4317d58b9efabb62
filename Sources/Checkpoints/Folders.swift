public import Foundation

/// Makes a folder, and those above it, unless it is there.
///
/// - Throws: `CheckpointError` that names the folder, and says what stands in its way.
public func makeFolder(_ url: URL) throws {
    do {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
        throw CheckpointError("the folder \(url.path) cannot be made: \(systemReason(error, url))")
    }
}

private func systemReason(_ error: any Error, _ url: URL) -> String {
    var folder = url
    while folder.path != "/" {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder) {
            guard isFolder.boolValue else { return "\(folder.path) is a file" }
            guard FileManager.default.isWritableFile(atPath: folder.path) else {
                return "\(folder.path) takes no new folders"
            }
            break
        }
        folder = folder.deletingLastPathComponent()
    }
    return (error as? CocoaError)?.underlying.map { String(cString: strerror(Int32($0.code))) }
        ?? error.localizedDescription
}

extension CocoaError {
    fileprivate var underlying: NSError? { userInfo[NSUnderlyingErrorKey] as? NSError }
}
