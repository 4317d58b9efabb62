import CMedia
import Foundation

/// What the writers of MP4, GIF and WebP share: one encoder into one unfinished file.
final class VideoTrack {
    let width: Int
    let height: Int
    private let file: UnfinishedFile
    private let functions: MediaFunctions
    private var writer: OpaquePointer?
    private var frames = 0

    init(
        to destination: URL, kind: MediaVideoKind, width: Int, height: Int, framesPerSecond: Int,
        quality: Int = 0, comment: String? = nil, palette: [UInt8]? = nil
    ) throws(MediaError) {
        for (name, size) in [("width", width), ("height", height)]
        where size < 1 || size > Picture.largestEdge {
            throw .invalidArgument(
                reason: "\(name) \(size) is not in 1...\(Picture.largestEdge)")
        }
        guard (1...240).contains(framesPerSecond) else {
            throw .invalidArgument(
                reason: "\(framesPerSecond) frames a second are not in 1...240; 30 is the default")
        }
        self.width = width
        self.height = height
        functions = try MediaLibrary.functions()
        file = try UnfinishedFile(for: destination)
        try open(kind, framesPerSecond, quality, comment, palette)
    }

    private func open(
        _ kind: MediaVideoKind, _ framesPerSecond: Int, _ quality: Int, _ comment: String?,
        _ palette: [UInt8]?
    ) throws(MediaError) {
        let comment = comment.flatMap { strdup($0) }
        defer { free(comment) }
        var settings = MediaVideoSettings()
        settings.kind = kind
        settings.width = Int32(width)
        settings.height = Int32(height)
        settings.rateNumerator = Int32(framesPerSecond)
        settings.rateDenominator = 1
        settings.quality = Int32(quality)
        settings.comment = UnsafePointer(comment)
        do {
            try writing(file.destination) { failure in
                (palette ?? []).withUnsafeBufferPointer { colors in
                    settings.palette = palette == nil ? nil : colors.baseAddress
                    return functions.openWriter(
                        file.temporary.path, &settings, &writer, &failure)
                }
            }
        } catch {
            file.discard()
            throw error
        }
    }

    deinit { abandon() }

    func write(_ frame: Picture) throws(MediaError) {
        guard frame.width == width, frame.height == height else {
            throw .invalidArgument(
                reason: "a frame of \(frame.width) by \(frame.height) pixels does not fit into "
                    + "\(file.destination.path), whose frames have \(width) by \(height)")
        }
        try write(frame.pixels)
    }

    /// Adds the pixels, or the indices, of one frame.
    func write(_ pixels: [UInt8]) throws(MediaError) {
        guard let writer else { throw finished }
        do {
            try writing(file.destination) { functions.writeFrame(writer, pixels, &$0) }
        } catch {
            abandon()
            throw error
        }
        frames += 1
    }

    func finish() throws(MediaError) {
        guard let writer else { throw finished }
        guard frames > 0 else {
            abandon()
            throw .invalidArgument(reason: "\(file.destination.path) was given no frame")
        }
        do {
            try writing(file.destination) { functions.finishWriter(writer, &$0) }
            functions.closeWriter(writer)
            self.writer = nil
            try file.complete()
        } catch {
            abandon()
            file.discard()
            throw error
        }
    }

    private func abandon() {
        guard let writer else { return }
        functions.closeWriter(writer)
        self.writer = nil
        file.discard()
    }

    private var finished: MediaError {
        .invalidArgument(reason: "\(file.destination.path) is finished or was given up already")
    }
}
