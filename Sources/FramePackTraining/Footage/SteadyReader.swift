package import Foundation
package import Media

/// Reads a video at an even rate, whatever its own is.
///
/// Frame k is the one that is shown at k / rate seconds: frames of a slower video come again, some
/// of a quicker one are left out. A video of nearly the rate, as 29.97 for 30, is taken to have it.
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
    private let sourceRate: Double?
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
    ///   - sourceRate: Frames a second that the video is taken to have, whatever its times say; nil for
    ///     those.
    ///   - size: What frames are reduced to, from the video's own size; nil for that.
    /// - Throws: `MediaError.cannotRead` for a file that is no video.
    package init(
        _ file: URL, rate: Double, sourceRate: Double? = nil,
        size: ((VideoReader) -> (width: Int, height: Int))? = nil
    ) throws(MediaError) {
        video = try VideoReader(contentsOf: file)
        (self.rate, self.sourceRate) = (rate, sourceRate)
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
        guard let shown, following != nil || time < end(after: shown.seconds) else { return nil }
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
        var seconds = Double(read) * interval
        if sourceRate == nil, let own = frame.seconds { seconds = own * stretch + shift }
        if read > 0, seconds < last || seconds - last > Self.longestGap {
            shift += last + interval - seconds
            seconds = last + interval
        }
        (read, last) = (read + 1, seconds)
        return (frame.picture, seconds)
    }

    /// The video's frames a second, as it says or as it is told.
    private var ownRate: Double {
        sourceRate ?? (video.framesPerSecond > 0 ? video.framesPerSecond : rate)
    }

    /// By what the video's times are multiplied, so that nearly the rate is the rate.
    private var stretch: Double { Self.isNear(ownRate, rate) ? ownRate / rate : 1 }

    /// Seconds from one frame of the file to the next.
    private var interval: Double { stretch / ownRate }

    /// How many frames there are, as far as the file's header says.
    package var expectedCount: Int { max(0, Int((length * rate - 0.001).rounded(.up))) }

    /// Seconds of the video: of its frames where they last alike, else of its times.
    private var length: Double {
        let byCount = Double(video.frameCount) * interval
        guard sourceRate == nil, video.seconds > 0 else { return byCount }
        let byTime = video.seconds * stretch
        // Containers round times, to milliseconds at worst.
        return abs(byTime - byCount) * rate < 0.25 ? byCount : byTime
    }

    /// When the last frame goes, once it is shown.
    ///
    /// It stays for as long as the file says, where the file holds all that it says; else as long as
    /// frames last on the whole.
    private func end(after seconds: Double) -> Double {
        let isWhole = read == video.frameCount && shift == 0
        let longest = isWhole ? min(length, seconds + Self.longestGap) : 0
        return max(seconds + interval, longest)
    }

    /// Whether frames at a rate are taken as they are for another.
    package static func isNear(_ rate: Double, _ wanted: Double) -> Bool {
        abs(rate - wanted) < wanted / 600
    }

    /// The longest time that one frame is shown, in seconds.
    private static let longestGap = 10.0
}
