package import Foundation
package import Media

/// Reads a video at an even rate, whatever its own is.
///
/// Frame k is the one that is shown at k / rate seconds: frames of a slower video come again, some
/// of a quicker one are left out.
package final class SteadyReader {
    /// One frame at the even rate.
    package struct Frame {
        /// The pixels.
        package let picture: Picture
        /// Whether the frame before was the same one.
        package let isRepeated: Bool
    }

    /// The video.
    package let video: VideoReader
    private let rate: Double
    private let size: (width: Int, height: Int)
    /// The frame that is shown, and the one after it.
    private var shown: (picture: Picture, seconds: Double)?
    private var following: (picture: Picture, seconds: Double)?
    private var isRepeated = false
    private var number = 0
    /// Frames that were read of the file.
    private var read = 0
    /// When the last of them is shown.
    private var last = 0.0
    /// By how much times of the file are moved.
    private var shift = 0.0

    /// Opens a video.
    ///
    /// - Parameters:
    ///   - rate: Frames a second that are given.
    ///   - size: What frames are reduced to, from the video's own size; nil for that.
    /// - Throws: `MediaError.cannotRead` for a file that is no video.
    package init(
        _ file: URL, rate: Double, size: ((VideoReader) -> (width: Int, height: Int))? = nil
    ) throws(MediaError) {
        video = try VideoReader(contentsOf: file)
        self.rate = rate
        self.size = size?(video) ?? (video.width, video.height)
        following = try nextOfFile()
    }

    /// The next frame; nil after the last one.
    ///
    /// - Throws: `MediaError.cannotRead` for a damaged frame.
    package func next() throws(MediaError) -> Frame? {
        // A thousandth of a frame for times that were rounded.
        let time = (Double(number) + 0.001) / rate
        while let candidate = following, candidate.seconds <= time || shown == nil {
            shown = candidate
            isRepeated = false
            following = try nextOfFile()
        }
        // The last frame is shown for as long as one is.
        guard let shown, following != nil || time < shown.seconds + interval else { return nil }
        defer { isRepeated = true }
        number += 1
        return Frame(picture: shown.picture, isRepeated: isRepeated)
    }

    /// The next frame of the file, and when it is shown.
    ///
    /// Joined recordings have times that jump, by hours or backwards; they go on without a gap.
    private func nextOfFile() throws(MediaError) -> (picture: Picture, seconds: Double)? {
        guard let frame = try video.nextTimed(width: size.width, height: size.height) else {
            return nil
        }
        var seconds = frame.seconds.map { $0 + shift } ?? Double(read) * interval
        if read > 0, seconds < last || seconds - last > Self.longestGap {
            shift += last + interval - seconds
            seconds = last + interval
        }
        (read, last) = (read + 1, seconds)
        return (frame.picture, seconds)
    }

    /// Seconds from one frame of the file to the next, as it says.
    private var interval: Double { 1 / (video.framesPerSecond > 0 ? video.framesPerSecond : rate) }

    /// The longest time that one frame is shown, in seconds.
    private static let longestGap = 10.0
}
