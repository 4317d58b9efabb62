import Foundation
import FramePack
import FramePackMetrics
import Media

/// A video's frames one after another, from a file or from a folder of pictures.
final class VideoFrames {
    /// Frames a second; 0 where nobody says.
    let framesPerSecond: Double
    private let file: URL
    private let reader: VideoReader?
    private let pictures: [URL]
    private var next = 0
    private var size: (width: Int, height: Int)?

    /// What the file's metadata say of it.
    var comment: String? { reader?.comment }

    /// Opens a video.
    ///
    /// - Throws: `MediaError` for what cannot be read, `TrainingError` for a folder without frames.
    init(_ file: URL) throws {
        self.file = file
        guard Self.isFolder(file) else {
            guard !Self.isAnimatedWebP(file) else {
                throw TrainingError(
                    "\(file.path) is an animated WebP, which cannot be read back; measure the mp4 or "
                        + "GIF of the same video")
            }
            let reader = try VideoReader(contentsOf: file)
            (self.reader, pictures, framesPerSecond) = (reader, [], reader.framesPerSecond)
            return
        }
        (reader, framesPerSecond) = (nil, 0)
        pictures = try Self.content(file, FileEndings.pictures)
        guard !pictures.isEmpty else { throw TrainingError("\(file.path) holds no frames") }
    }

    /// The next frame; nil after the last.
    ///
    /// - Throws: `TrainingError` for a frame of another size than the first.
    func frame() throws -> Picture? {
        let picture: Picture?
        if let reader {
            picture = try reader.next()
        } else {
            picture = next < pictures.count ? try Picture(contentsOf: pictures[next]) : nil
        }
        guard let picture else { return nil }
        let size = size ?? (picture.width, picture.height)
        guard size == (picture.width, picture.height) else {
            throw TrainingError(
                """
                \(file.path) changes its size: frame \(next) has \(picture.width) x \
                \(picture.height) pixels, those before \(size.width) x \(size.height)
                """)
        }
        self.size = size
        next += 1
        return picture
    }

    /// The videos that a path stands for: a file itself, a folder's videos, or a folder of frames.
    ///
    /// - Throws: `TrainingError` where there is nothing to measure.
    static func videos(at url: URL) throws -> [URL] {
        guard FileManager.default.fileExists(atPath: url.path) else {
            throw TrainingError("\(url.path) is not there; name a video or a folder of videos")
        }
        guard isFolder(url) else { return [url] }
        let pictures = try content(url, FileEndings.pictures)
        let animations = pictures.filter(isAnimatedWebP)
        let videos = try content(url, FileEndings.videos) + animations
        if !videos.isEmpty {
            return videos.sorted { $0.lastPathComponent < $1.lastPathComponent }
        }
        if !pictures.isEmpty { return [url] }
        throw TrainingError(
            """
            \(url.path) holds no videos and no frames; videos end in \
            \(FileEndings.videos.sorted().joined(separator: ", ")), frames in .png or .jpg
            """)
    }

    /// Whether a file is a WebP with several frames: a video, where one with a single frame is a
    /// picture.
    ///
    /// Source: WebP container specification, extended file format: bit 1 of the flags of `VP8X`.
    private static func isAnimatedWebP(_ file: URL) -> Bool {
        guard file.pathExtension.lowercased() == "webp",
            let handle = try? FileHandle(forReadingFrom: file),
            let head = try? handle.read(upToCount: 21), head.count == 21
        else { return false }
        return head.prefix(4) == Data("RIFF".utf8) && head[8..<16] == Data("WEBPVP8X".utf8)
            && head[20] & 2 != 0
    }

    private static func isFolder(_ url: URL) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
            && isFolder.boolValue
    }

    private static func content(_ folder: URL, _ endings: [String]) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: nil, options: [.skipsHiddenFiles]
        ).filter { endings.contains($0.pathExtension.lowercased()) }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
    }
}

/// A video's sections, and how they are known.
struct VideoSections {
    /// The frames of each section, in the order of time.
    let frames: [Range<Int>]
    /// "request", where the video says how it was made, or "pieces", of equal length.
    let source: String

    /// Finds the sections of a video.
    ///
    /// - Parameters:
    ///   - length: Frames of equal pieces; nil for what the video's request says, if it has one.
    init(of file: URL, frames count: Int, length: Int?) {
        if length == nil, let plan = try? GenerationRequest(likeFile: file).plan(),
            plan.frameCount == count
        {
            let kept = plan.keptFrames
            let pieces: [Range<Int>] = plan.sections.flatMap(\.pieces).map { piece in
                let frames = piece.frames.clamped(to: kept)
                return frames.lowerBound - kept.lowerBound..<frames.upperBound - kept.lowerBound
            }
            frames = pieces.sorted { $0.lowerBound < $1.lowerBound }
            source = "request"
        } else {
            frames = VideoMeasures.pieces(
                of: count, length: length ?? VideoMeasures.sectionFrames)
            source = "pieces"
        }
    }
}
