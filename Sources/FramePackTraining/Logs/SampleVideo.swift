public import Foundation
public import Media

/// A video that a training made along the way, and a strip of its frames to look at quickly.
public struct SampleVideo {
    /// What is shown, the same for each step: such as `red-circle-inverted`.
    public let name: String
    /// The mp4.
    public let video: URL
    /// The strip, a PNG of the same name.
    public let strip: URL
    /// The strip's pixels.
    public let picture: Picture

    /// Makes the strip of a video that is there, and writes it beside the video.
    ///
    /// - Throws: `MediaError` for a video that cannot be read, or a folder that cannot be written.
    public init(name: String, video: URL) throws(MediaError) {
        self.name = name
        self.video = video
        strip = video.deletingPathExtension().appendingPathExtension("png")
        picture = try filmStrip(of: video)
        try picture.writePNG(to: strip)
    }
}

/// Frames of a video side by side, the first and the last among them.
///
/// - Parameters:
///   - video: Any file that ``Media/VideoReader`` reads; one frame at a time is in memory.
///   - count: How many frames, evenly spaced; all where the video has no more.
///   - height: The strip's height in pixels; the video's own where that is less.
/// - Throws: `MediaError` for a video that cannot be read.
public func filmStrip(of video: URL, count: Int = 8, height: Int = 256) throws(MediaError)
    -> Picture
{
    precondition(count > 0 && height > 0, "a strip has at least one frame and one row")
    let reader = try VideoReader(contentsOf: video)
    let rows = min(height, reader.height)
    let columns = max(1, reader.width * rows / reader.height)
    let last = max(reader.frameCount - 1, 0)
    let places = Set(
        (0..<count).map { count > 1 ? (last * $0 + (count - 1) / 2) / (count - 1) : 0 })
    var frames: [Picture] = []
    var place = 0
    while let frame = try reader.nextTimed(width: columns, height: rows)?.picture {
        if places.contains(place) { frames.append(frame) }
        place += 1
    }
    guard !frames.isEmpty else {
        throw .cannotRead(file: video.path, reason: "it has no frames")
    }
    return sideBySide(frames)
}

/// Pictures of one size in a row, with two white columns between them.
func sideBySide(_ pictures: [Picture]) -> Picture {
    let gap = 2
    let (width, height) = (pictures[0].width, pictures[0].height)
    let total = pictures.count * (width + gap) - gap
    var row = Picture(width: total, height: height, red: 255, green: 255, blue: 255)
    for (index, picture) in pictures.enumerated() {
        for line in 0..<height {
            let to = 3 * (line * total + index * (width + gap))
            let from = 3 * line * width
            row.pixels.replaceSubrange(
                to..<to + 3 * width, with: picture.pixels[from..<from + 3 * width])
        }
    }
    return row
}
