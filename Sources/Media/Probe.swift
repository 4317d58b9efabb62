public import Foundation

/// What a media file holds, without its pixels.
public struct MediaSummary: Equatable, Sendable {
    /// A still picture or a video.
    public enum Kind: String, Sendable {
        /// One picture.
        case picture
        /// Frames in time.
        case video
    }

    /// What the file is.
    public let kind: Kind
    /// Pixels in a row, as shown.
    public let width: Int
    /// Rows, as shown.
    public let height: Int
    /// Frames; 1 for a picture.
    public let frames: Int
}

/// Tells what a media file holds; a GIF counts as a video when it has more than one frame.
///
/// Throws `MediaError.cannotRead` when it is neither a picture nor a video.
public func probe(_ file: URL) throws(MediaError) -> MediaSummary {
    let header: PictureHeader
    do {
        header = try Picture.header(in: file)
    } catch {
        guard let video = try? VideoReader(contentsOf: file) else { throw error }
        return MediaSummary(
            kind: .video, width: video.width, height: video.height, frames: video.frameCount)
    }
    if header.format == .gif {
        let video = try VideoReader(contentsOf: file)
        if video.frameCount > 1 {
            return MediaSummary(
                kind: .video, width: video.width, height: video.height, frames: video.frameCount)
        }
    }
    let size = header.shownSize
    return MediaSummary(kind: .picture, width: size.width, height: size.height, frames: 1)
}
