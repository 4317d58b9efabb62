public import Foundation

/// A folder that appears under its name only when it is whole.
public enum AtomicFolder {
    /// Writes a folder beside its place and lets it take that place; until then, and after a kill at
    /// any moment, the name shows what it showed before.
    ///
    /// - Parameters:
    ///   - keeps: Which files of the folder that stood there are taken over, by name, where the new
    ///     one has no such file.
    ///   - body: Writes into the folder that it is given.
    /// - Throws: `CheckpointError` with the system's reason; what `body` throws.
    public static func write(
        to url: URL, keeping keeps: (String) -> Bool = { _ in false }, _ body: (URL) throws -> Void
    ) throws {
        let place = url.resolvingSymlinksInPath()
        let files = FileManager.default
        let parent = place.deletingLastPathComponent()
        // Always the same name: what a killed process left goes with the next attempt.
        let part = parent.appendingPathComponent(".\(place.lastPathComponent).part")
        try? files.removeItem(at: part)
        try files.createDirectory(at: part, withIntermediateDirectories: true)
        defer { try? files.removeItem(at: part) }
        try body(part)
        for name in (try? files.contentsOfDirectory(atPath: place.path)) ?? [] where keeps(name) {
            let new = part.appendingPathComponent(name)
            guard !files.fileExists(atPath: new.path) else { continue }
            try files.copyItem(at: place.appendingPathComponent(name), to: new)
        }
        guard files.fileExists(atPath: place.path) else { return try move(part, to: place) }
        guard !exchange(part.path, place.path) else { return }
        // Some file systems cannot exchange two names.
        let old = parent.appendingPathComponent(".\(place.lastPathComponent).old")
        try? files.removeItem(at: old)
        try move(place, to: old)
        try move(part, to: place)
        try? files.removeItem(at: old)
    }

    private static func move(_ old: URL, to new: URL) throws(CheckpointError) {
        guard rename(old.path, new.path) == 0 else {
            throw CheckpointError(
                "\(new.path) can't be written: \(String(cString: strerror(errno)))")
        }
    }

    /// Lets two names change places in one step; false where that cannot be done.
    private static func exchange(_ a: String, _ b: String) -> Bool {
        #if canImport(Darwin)
            return renamex_np(a, b, UInt32(RENAME_SWAP)) == 0
        #else
            // Glibc has it, and its Swift overlay hides it.
            typealias Rename =
                @convention(c) (
                    Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32
                ) -> Int32
            guard let symbol = dlsym(nil, "renameat2") else { return false }
            let swap: UInt32 = 2
            return unsafeBitCast(symbol, to: Rename.self)(AT_FDCWD, a, AT_FDCWD, b, swap) == 0
        #endif
    }
}
