import CMedia
public import Foundation

/// How a video is encoded.
public struct VideoEncoding: Equatable, Sendable {
    /// Frames a second, 1 to 240.
    public var framesPerSecond: Int
    /// libx264's constant rate factor, 0 (best) to 51 (smallest).
    public var constantRateFactor: Int

    /// 30 frames a second at rate factor 16 unless said otherwise.
    public init(framesPerSecond: Int = 30, constantRateFactor: Int = 16) {
        self.framesPerSecond = framesPerSecond
        self.constantRateFactor = constantRateFactor
    }
}

/// Writes frames as H.264 in MP4: yuv420p, BT.709 in limited range, index at the front.
///
/// Each file begins with a key frame, refers to nothing outside of it and has no B-frames, so
/// files of one size and encoding are segments that ``joinSegments(_:to:comment:)`` puts together.
/// The file gets its name when it is finished; a writer that is let go before leaves nothing.
/// A writer belongs to one task at a time.
public final class VideoWriter {
    private let track: VideoTrack

    /// Begins a file.
    ///
    /// - Parameters:
    ///   - file: The MP4 to write; its folder has to be there.
    ///   - width: Pixels in a row: even, 2 to 16,384.
    ///   - height: Rows: even, 2 to 16,384.
    ///   - encoding: Rate and quality.
    ///   - comment: Text for the file's metadata, such as the request as JSON.
    ///
    /// Throws `MediaError`: an odd size, a value out of range, a folder that cannot be written.
    public init(
        to file: URL, width: Int, height: Int, encoding: VideoEncoding = VideoEncoding(),
        comment: String? = nil
    ) throws(MediaError) {
        for (name, size) in [("width", width), ("height", height)] where size % 2 != 0 {
            throw .invalidArgument(
                reason: "\(name) \(size) is odd, and H.264 in yuv420p needs an even one; "
                    + "use \(size - 1) or \(size + 1)")
        }
        guard (0...51).contains(encoding.constantRateFactor) else {
            throw .invalidArgument(
                reason: "the constant rate factor \(encoding.constantRateFactor) is not in 0...51; "
                    + "16 is the default")
        }
        track = try VideoTrack(
            to: file, kind: MediaVideoKindMP4, width: width, height: height,
            framesPerSecond: encoding.framesPerSecond, quality: encoding.constantRateFactor,
            comment: comment)
    }

    /// Adds one frame; its size has to be the writer's.
    public func write(_ frame: Picture) throws(MediaError) {
        try track.write(frame)
    }

    /// Completes the file and gives it its name.
    ///
    /// Nothing can be written afterwards.
    public func finish() throws(MediaError) {
        try track.finish()
    }
}

/// Puts segments one after another into one MP4, packet by packet, without encoding anew.
///
/// The segments are files of ``VideoWriter`` of one size and encoding. The result has exactly
/// their frames, evenly spaced, and is there whole or not at all.
///
/// - Parameters:
///   - segments: The files in time order, at least one.
///   - file: The MP4 to write.
///   - comment: Text for the file's metadata.
///
/// Throws `MediaError`: a segment that is missing, was encoded otherwise or is none of ours.
public func joinSegments(_ segments: [URL], to file: URL, comment: String? = nil)
    throws(MediaError)
{
    guard !segments.isEmpty else {
        throw .invalidArgument(reason: "no segments were given to join into \(file.path)")
    }
    for segment in segments { try checkReadable(segment) }
    let functions = try MediaLibrary.functions()
    let output = try UnfinishedFile(for: file)
    do {
        var paths = segments.map { UnsafePointer<CChar>(strdup($0.path)) }
        defer { for path in paths { free(UnsafeMutablePointer(mutating: path)) } }
        try writing(file) { failure in
            functions.join(
                &paths, Int32(paths.count), output.temporary.path, comment, &failure)
        }
        try output.complete()
    } catch {
        output.discard()
        throw error
    }
}
