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
        let (codedWidth, codedHeight) = (Int(info.width), Int(info.height))
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
        try nextTimed(width: width, height: height)?.picture
    }

    /// The next frame at another size, and when it is shown; nil after the last one.
    ///
    /// Pixels are averaged over areas, which is quick and good enough to look at and to measure;
    /// for pictures to be kept read whole frames and use
    /// ``Picture/resizedAndCentreCropped(width:height:)``.
    ///
    /// - Parameters:
    ///   - width: Pixels in a row, 1 to 16,384.
    ///   - height: Rows, 1 to 16,384.
    /// - Returns: The frame, and the seconds from the beginning of the video at which it is shown;
    ///   nil for a file that does not say.
    ///
    /// Throws `MediaError.cannotRead` when a frame is damaged.
    public func nextTimed(width: Int, height: Int) throws(MediaError) -> (
        picture: Picture, seconds: Double?
    )? {
        for (name, size) in [("width", width), ("height", height)]
        where !(1...Picture.largestEdge).contains(size) {
            throw .invalidArgument(reason: "\(name) \(size) is not in 1...\(Picture.largestEdge)")
        }
        let isSideways = orientation >= 5
        let (columns, rows) = isSideways ? (height, width) : (width, height)
        var pixels = [UInt8](repeating: 0, count: columns * rows * 3)
        var seconds = -1.0
        let status = try reading(file) {
            functions.readFrame(reader, Int32(columns), Int32(rows), &pixels, &seconds, &$0)
        }
        if status == MediaStatusEnd { return nil }
        let picture = Picture(width: columns, height: rows, pixels: pixels).oriented(orientation)
        return (picture, seconds < 0 ? nil : seconds)
    }

    /// All frames that are left, in memory.
    public func remainingFrames() throws(MediaError) -> [Picture] {
        var frames: [Picture] = []
        while let frame = try next() { frames.append(frame) }
        return frames
    }
}
