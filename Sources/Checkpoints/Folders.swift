public import Foundation

/// Makes a folder, and those above it, unless it is there.
///
/// - Throws: `CheckpointError` that names the folder, and says what stands in its way.
public func makeFolder(_ url: URL) throws {
    do {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
        throw CheckpointError(
            "the folder \(url.path) cannot be made: \(obstacle(url) ?? systemReason(error))")
    }
}

/// Checks that a folder is there, or can be made; nothing is made.
///
/// - Throws: `CheckpointError` that names the folder, and says what stands in its way.
public func checkFolder(_ url: URL) throws {
    if let obstacle = obstacle(url) {
        throw CheckpointError("the folder \(url.path) cannot be made: \(obstacle)")
    }
}

/// The folder `framepack` in the user's cache: `XDG_CACHE_HOME`, or `.cache` in the home folder.
package func userCacheFolder(
    environment: [String: String] = ProcessInfo.processInfo.environment
) -> URL {
    let home = FileManager.default.homeDirectoryForCurrentUser
    let cache = environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
    let base = cache.map { URL(fileURLWithPath: $0) } ?? home.appendingPathComponent(".cache")
    return base.appendingPathComponent("framepack")
}

/// The system's own words for one of Foundation's errors.
package func systemReason(_ error: any Error) -> String {
    let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
    return cause.map { String(cString: strerror(Int32($0.code))) } ?? error.localizedDescription
}

/// What keeps a folder from being made, where that can be seen before.
private func obstacle(_ url: URL) -> String? {
    var folder = url
    while folder.path != "/" {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder) {
            guard isFolder.boolValue else { return "\(folder.path) is a file" }
            guard FileManager.default.isWritableFile(atPath: folder.path) else {
                return "\(folder.path) takes no new folders"
            }
            return nil
        }
        folder = folder.deletingLastPathComponent()
    }
    return nil
}
