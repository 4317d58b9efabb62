import CMedia
public import Foundation

/// Reads the frames of a video one after another.
///
/// MP4, MOV, Matroska, WebM, AVI, MPEG-TS, GIF and APNG files are read; playlists and addresses
/// of the network are not. A reader belongs to one task at a time.
public final class VideoReader {
    /// Pixels in a row, the rotation applied.
    public let width: Int
    /// Rows, the rotation applied.
    public let height: Int
    /// Frames in all.
    public let frameCount: Int
    /// Frames a second; 0 when the file does not say.
    public let framesPerSecond: Double
    /// Length in seconds.
    public let seconds: Double
    /// The comment in the file's metadata, where ``VideoWriter`` puts the request.
    public let comment: String?

    private let file: URL
    private let functions: MediaFunctions
    private let reader: OpaquePointer
    private let codedWidth: Int
    private let codedHeight: Int
    private let orientation: Int

    /// Opens a video.
    ///
    /// Throws `MediaError.cannotRead` when the file is missing, empty, a folder or no video.
    public init(contentsOf file: URL) throws(MediaError) {
        try checkReadable(file)
        self.file = file
        functions = try MediaLibrary.functions()
        var opened: OpaquePointer?
        var info = MediaVideoInfo()
        let functions = functions
        try reading(file) { functions.openReader(file.path, &opened, &info, &$0) }
        guard let opened else { throw .cannotRead(file: file.path, reason: "it is not a video") }
        reader = opened
        codedWidth = Int(info.width)
        codedHeight = Int(info.height)
        orientation = [90: 6, 180: 3, 270: 8][info.rotation] ?? 1
        let isSideways = orientation >= 5
        width = isSideways ? codedHeight : codedWidth
        height = isSideways ? codedWidth : codedHeight
        frameCount = Int(info.frames)
        framesPerSecond = Double(info.rateNumerator) / Double(info.rateDenominator)
        seconds = info.seconds
        comment = info.comment.map { String(cString: $0) }
    }

    deinit { functions.closeReader(reader) }

    /// The next frame; nil after the last one.
    ///
    /// Throws `MediaError.cannotRead` when a frame is damaged.
    public func next() throws(MediaError) -> Picture? {
        let count = codedWidth * codedHeight * 3
        var pixels = [UInt8](repeating: 0, count: count)
        let status = try reading(file) { functions.readFrame(reader, &pixels, &$0) }
        if status == MediaStatusEnd { return nil }
        return Picture(width: codedWidth, height: codedHeight, pixels: pixels)
            .oriented(orientation)
    }

    /// All frames that are left, in memory.
    public func remainingFrames() throws(MediaError) -> [Picture] {
        var frames: [Picture] = []
        while let frame = try next() { frames.append(frame) }
        return frames
    }
}
