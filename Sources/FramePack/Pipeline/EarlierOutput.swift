import Foundation

/// What lies where an output is to go, from an earlier run or from somebody else.
struct EarlierOutput {
    private let output: URL
    private let sidecar: URL

    /// - Parameter output: The output's path, absolute.
    init(_ output: String) {
        self.output = URL(fileURLWithPath: output).standardizedFileURL
        sidecar = Sidecar.file(for: output)
    }

    /// Gives a file of another request a name of its own, `NAME.1.mp4` for `NAME.mp4` and so on, and
    /// its request with it: nothing that took time to make is lost.
    ///
    /// The video of the very same request is the same video, and may be replaced.
    ///
    /// - Parameter request: What is about to be written beside the new output.
    /// - Returns: The new name; nil where nothing lay there that is to be kept.
    /// - Throws: The system's error where the file cannot be renamed.
    func keep(unlessOf request: Sidecar) throws -> URL? {
        let files = FileManager.default
        var isFolder: ObjCBool = false
        guard files.fileExists(atPath: output.path, isDirectory: &isFolder), !isFolder.boolValue,
            try JSONEncoder.sorted.encode(request) != (try? Data(contentsOf: sidecar))
        else { return nil }
        var number = 1
        while [name(number), Sidecar.file(for: name(number).path)].contains(where: {
            files.fileExists(atPath: $0.path)
        }) {
            number += 1
        }
        let kept = name(number)
        try files.moveItem(at: output, to: kept)
        if files.fileExists(atPath: sidecar.path) {
            try files.moveItem(at: sidecar, to: Sidecar.file(for: kept.path))
        }
        return kept
    }

    private func name(_ number: Int) -> URL {
        let (stem, ending) = (
            output.deletingPathExtension().lastPathComponent, output.pathExtension
        )
        return output.deletingLastPathComponent()
            .appendingPathComponent("\(stem).\(number).\(ending)")
    }
}
