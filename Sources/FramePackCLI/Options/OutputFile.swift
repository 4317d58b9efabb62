import Foundation

/// A file that a command writes beside its work, checked before the work begins.
struct OutputFile {
    private let option: String
    private let path: String
    private let ending: String

    /// - Parameters:
    ///   - option: The option that names it, without dashes.
    ///   - ending: What its name must end in, without the dot.
    init(_ option: String, _ path: String, ending: String) {
        (self.option, self.path, self.ending) = (option, path, ending)
    }

    /// Checks that it can be written, and that nothing is lost by it.
    ///
    /// - Parameter inputs: What the command reads, which the file must not replace.
    /// - Throws: `CommandError.usage` that says why not.
    func check(not inputs: [String] = []) throws(CommandError) {
        let files = FileManager.default
        let url = URL(fileURLWithPath: path)
        let folder = url.deletingLastPathComponent().path
        func isFolder(_ path: String) -> Bool {
            var isFolder: ObjCBool = false
            return files.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
        }
        guard !isFolder(url.path) else {
            throw .usage("--\(option) is \(path), a folder; it must be a .\(ending) file.")
        }
        guard url.pathExtension.lowercased() == ending else {
            throw .usage("--\(option) is \(path); its name must end in .\(ending).")
        }
        let others = inputs.map { URL(fileURLWithPath: $0).resolvingSymlinksInPath().path }
        guard !others.contains(url.resolvingSymlinksInPath().path) else {
            throw .usage("--\(option) is \(path), which the work begins with; choose another name.")
        }
        guard isFolder(folder) else {
            throw .usage("--\(option) is \(path); the folder \(folder) does not exist.")
        }
        guard files.isWritableFile(atPath: folder) else {
            throw .usage("--\(option) is \(path); the folder \(folder) takes no files.")
        }
    }
}
