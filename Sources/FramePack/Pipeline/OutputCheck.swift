import Foundation
import Media

/// Checks early that an output can be written, and that nobody else's file is lost by it.
struct OutputCheck {
    private let request: GenerationRequest
    private let output: URL

    /// - Parameter request: A request whose paths are absolute.
    init(_ request: GenerationRequest) {
        self.request = request
        output = URL(fileURLWithPath: request.output).standardizedFileURL
    }

    /// - Parameter isResumed: Whether the job has begun before, and may have written frames.
    /// - Throws: `MediaError.cannotWrite` that says why not.
    func run(isResumed: Bool) throws {
        try checkPlace()
        try checkPictures()
        try checkSidecar()
        let hasJob = FileManager.default.fileExists(atPath: Job.folder(for: request.output).path)
        if !isResumed, !hasJob { try checkFrames() }
    }

    private func refuse(_ reason: String) -> MediaError {
        .cannotWrite(file: output.path, reason: reason)
    }

    private func checkPlace() throws {
        guard output.path != "/" else { throw refuse("it is the root of the disk") }
        // The job's and unfinished files have longer names than the output.
        let length = output.lastPathComponent.utf8.count
        guard length <= 200 else {
            throw refuse("its name has \(length) bytes; it must have 200 at most")
        }
        let folder = output.deletingLastPathComponent()
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder)
        guard exists, isFolder.boolValue else {
            throw refuse("the folder \(folder.path) does not exist")
        }
        guard FileManager.default.isWritableFile(atPath: folder.path) else {
            throw refuse("the folder \(folder.path) does not allow new files")
        }
        let isTaken = FileManager.default.fileExists(atPath: output.path, isDirectory: &isFolder)
        if isTaken, isFolder.boolValue, try request.outputFormat() != .png {
            throw refuse("a folder has that name")
        }
        if isTaken, !isFolder.boolValue, try request.outputFormat() == .png {
            throw refuse("a file has that name, where a folder of frames is to be")
        }
    }

    /// The output must not replace a picture that it is made from.
    private func checkPictures() throws {
        let own = output.resolvingSymlinksInPath().path
        for picture in [request.image, request.endImage].compactMap({ $0 })
        where URL(fileURLWithPath: picture).resolvingSymlinksInPath().path == own {
            throw refuse(
                "it is the picture that the video begins or ends with; choose another name")
        }
    }

    /// The request's JSON file must not replace one that is not ours.
    private func checkSidecar() throws {
        let file = Sidecar.file(for: request.output)
        guard let data = try? Data(contentsOf: file), !Sidecar.isOne(data) else { return }
        throw refuse(
            "the request would go into \(file.path), which holds something else; choose another "
                + "name for the output")
    }

    /// Frames in a folder must not mix with others'.
    private func checkFrames() throws {
        guard try request.outputFormat() == .png else { return }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: output.path)) ?? []
        let frame = names.sorted().first {
            $0.hasSuffix(".png") && $0.count >= 9 && $0.dropLast(4).allSatisfy(\.isNumber)
        }
        if let frame {
            throw refuse("the folder holds frames already, such as \(frame); choose an empty one")
        }
    }
}
