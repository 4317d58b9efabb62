import Checkpoints
public import Foundation
import Media

/// What is written beside a video and into its metadata: the request it came from.
struct Sidecar: Encodable {
    var framepack = 1
    var request: GenerationRequest
    var model: String?

    /// The JSON file beside an output: NAME.json for NAME.mp4 and for frames in NAME/, NAME.gif.json
    /// for NAME.gif, which carries no request itself.
    static func file(for output: String) -> URL {
        let url = URL(fileURLWithPath: output).standardizedFileURL
        let isAnimation = ["gif", "webp"].contains(url.pathExtension.lowercased())
        return (isAnimation ? url : url.deletingPathExtension()).appendingPathExtension("json")
    }

    /// Whether a file's content was written here.
    static func isOne(_ data: Data) -> Bool {
        struct Mark: Decodable { let framepack: Int }
        return (try? JSONDecoder().decode(Mark.self, from: data)) != nil
    }

    /// Writes the file.
    func write(to file: URL) throws {
        try AtomicFile.write(JSONEncoder.sorted.encode(self), to: file)
    }

    /// The JSON text in one line.
    func line() throws -> String {
        String(decoding: try JSONEncoder.line.encode(self), as: UTF8.self)
    }
}

extension GenerationRequest {
    /// Takes up the request of an earlier video.
    ///
    /// - Parameter likeFile: The video, or the JSON file beside it, or a request's JSON.
    /// - Throws: `FramePackError.malformedJSON` where the file holds no request, `MediaError` where
    ///   it cannot be read.
    public init(likeFile: URL) throws {
        var data = Data()
        if likeFile.pathExtension.lowercased() == "json" {
            guard let content = try? Data(contentsOf: likeFile) else {
                throw FramePackError.malformedJSON("\(likeFile.path) cannot be read.")
            }
            data = content
        } else if let comment = try? VideoReader(contentsOf: likeFile).comment {
            data = Data(comment.utf8)
        } else if let content = try? Data(contentsOf: Sidecar.file(for: likeFile.path)) {
            // GIF, WebP and folders of frames have no metadata of ours.
            data = content
        } else {
            _ = try VideoReader(contentsOf: likeFile)
        }
        struct Wrapped: Decodable { let request: GenerationRequest }
        do {
            self =
                Sidecar.isOne(data)
                ? try JSONDecoder().decode(Wrapped.self, from: data).request
                : try GenerationRequest(json: data)
        } catch {
            throw FramePackError.malformedJSON(
                "\(likeFile.path) holds no request of framepack (\(error))")
        }
    }
}
