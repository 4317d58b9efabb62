import CMedia
public import Foundation

/// Writes frames as a GIF that repeats forever.
///
/// The file is there whole or not at all. A writer belongs to one task at a time.
public final class GIFWriter {
    private let track: VideoTrack
    private var lookup: Palette.Lookup

    /// Begins a file.
    ///
    /// - Parameters:
    ///   - file: The GIF to write; its folder has to be there.
    ///   - width: Pixels in a row, 1 to 16,384.
    ///   - height: Rows, 1 to 16,384.
    ///   - framesPerSecond: 1 to 50; a GIF counts time in hundredths of a second, so 30 becomes
    ///     delays of 3 and 4 that are right on the whole, and viewers slow down above 50.
    ///   - palette: The colours of all frames.
    public init(
        to file: URL, width: Int, height: Int, framesPerSecond: Int = 30, palette: Palette
    ) throws(MediaError) {
        guard (1...50).contains(framesPerSecond) else {
            throw .invalidArgument(
                reason: "a GIF cannot show \(framesPerSecond) frames a second; use 1 to 50")
        }
        lookup = Palette.Lookup(palette)
        track = try VideoTrack(
            to: file, kind: MediaVideoKindGIF, width: width, height: height,
            framesPerSecond: framesPerSecond, palette: palette.bytes)
    }

    /// Adds one frame; its size has to be the writer's.
    public func write(_ frame: Picture) throws(MediaError) {
        guard frame.width == track.width, frame.height == track.height else {
            return try track.write(frame)
        }
        try track.write(lookup.indices(of: frame))
    }

    /// Completes the file and gives it its name.
    public func finish() throws(MediaError) {
        try track.finish()
    }
}

/// Writes frames as an animated WebP that repeats forever.
///
/// The file is there whole or not at all. A writer belongs to one task at a time.
public final class WebPWriter {
    private let track: VideoTrack

    /// Begins a file.
    ///
    /// - Parameters:
    ///   - file: The WebP to write; its folder has to be there.
    ///   - width: Pixels in a row, 1 to 16,383.
    ///   - height: Rows, 1 to 16,383.
    ///   - framesPerSecond: 1 to 240.
    ///   - quality: 0 (smallest) to 100 (best).
    ///
    /// Throws `MediaError`, also when FFmpeg was built without libwebp.
    public init(
        to file: URL, width: Int, height: Int, framesPerSecond: Int = 30, quality: Int = 85
    ) throws(MediaError) {
        guard (0...100).contains(quality) else {
            throw .invalidArgument(reason: "the WebP quality \(quality) is not in 0...100")
        }
        track = try VideoTrack(
            to: file, kind: MediaVideoKindWebP, width: width, height: height,
            framesPerSecond: framesPerSecond, quality: quality)
    }

    /// Adds one frame; its size has to be the writer's.
    public func write(_ frame: Picture) throws(MediaError) {
        try track.write(frame)
    }

    /// Completes the file and gives it its name.
    public func finish() throws(MediaError) {
        try track.finish()
    }
}

/// Writes frames as `00000.png`, `00001.png` and so on into a folder, each whole or not at all.
public struct FrameFolderWriter {
    /// Where the frames go.
    public let folder: URL
    /// How many were written.
    public private(set) var frameCount = 0

    /// Uses `folder`, and makes it when it is not there.
    ///
    /// Throws `MediaError.cannotWrite` when it cannot be made.
    public init(folder: URL) throws(MediaError) {
        self.folder = folder
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw .cannotWrite(
                file: folder.path,
                reason: "the folder cannot be made: \(error.localizedDescription)")
        }
    }

    /// Where frame `index` lies.
    public func file(_ index: Int) -> URL {
        let digits = String(index)
        let zeros = String(repeating: "0", count: max(0, 5 - digits.count))
        return folder.appendingPathComponent("\(zeros)\(digits).png")
    }

    /// Writes the next frame.
    public mutating func write(_ frame: Picture) throws(MediaError) {
        try frame.writePNG(to: file(frameCount))
        frameCount += 1
    }
}

/// The most frames a second that a GIF shows: its delays are whole hundredths of a second, and
/// viewers slow down what is shorter than two.
public let highestGIFRate = 50

/// Turns a video into a GIF with one palette for all of its frames; it is read twice.
///
/// - Parameter onFrame: Called before each frame is written; what it throws ends the writing.
/// - Throws: `MediaError` for a video that cannot be read, a file that cannot be written, or one of
///   more frames a second than ``highestGIFRate``.
public func writeGIF(of video: URL, to file: URL, onFrame: () throws -> Void = {}) throws {
    let first = try VideoReader(contentsOf: video)
    let palette = try Palette { () throws(MediaError) -> Picture? in try first.next() }
    let second = try VideoReader(contentsOf: video)
    let rate = wholeRate(of: second)
    guard rate <= highestGIFRate else {
        throw MediaError.cannotWrite(
            file: file.path,
            reason: "\(rate) frames a second are more than a GIF's \(highestGIFRate)")
    }
    let writer = try GIFWriter(
        to: file, width: second.width, height: second.height, framesPerSecond: rate,
        palette: palette)
    while let frame = try second.next() {
        try onFrame()
        try writer.write(frame)
    }
    try writer.finish()
}

/// Turns a video into an animated WebP; `quality` is 0 to 100.
///
/// - Parameter onFrame: Called before each frame is written; what it throws ends the writing.
/// - Throws: `MediaError` for a video that cannot be read or a file that cannot be written.
public func writeWebP(
    of video: URL, to file: URL, quality: Int = 85, onFrame: () throws -> Void = {}
) throws {
    let reader = try VideoReader(contentsOf: video)
    let writer = try WebPWriter(
        to: file, width: reader.width, height: reader.height,
        framesPerSecond: wholeRate(of: reader), quality: quality)
    while let frame = try reader.next() {
        try onFrame()
        try writer.write(frame)
    }
    try writer.finish()
}

/// Writes every frame of a video as a PNG into a folder and says how many there are.
@discardableResult
public func writeFrames(of video: URL, to folder: URL) throws(MediaError) -> Int {
    let reader = try VideoReader(contentsOf: video)
    var writer = try FrameFolderWriter(folder: folder)
    while let frame = try reader.next() { try writer.write(frame) }
    return writer.frameCount
}

private func wholeRate(of reader: VideoReader) -> Int {
    let rate = reader.framesPerSecond
    return rate.isFinite && rate > 0 ? max(1, Int(min(rate, 240).rounded())) : 30
}
