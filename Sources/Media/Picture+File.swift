import CMedia
public import Foundation

/// A picture as read from a file, and what was done to it on the way.
public struct DecodedPicture: Sendable {
    /// The pixels, upright.
    public let picture: Picture
    /// The file's format, by its content.
    public let format: PictureFormat
    /// The EXIF orientation that was applied; 1 when it was upright already.
    public let orientation: Int
    /// Whether some pixel was not opaque and was laid on white.
    public let wasTransparent: Bool
}

extension Picture {
    /// Reads a JPEG, PNG, WebP, BMP, GIF or TIFF file; of an animation, the first picture.
    ///
    /// Grey, 16-bit (the high byte counts), CMYK and palette pictures become 8-bit RGB,
    /// transparent ones are laid on white, and the EXIF orientation is applied.
    ///
    /// Throws `MediaError.cannotRead` when the file is missing, empty, a folder, no picture,
    /// truncated, damaged, or larger than 16,384 pixels one way.
    public init(contentsOf file: URL) throws(MediaError) {
        self = try Picture.decoded(contentsOf: file).picture
    }

    /// Reads a picture file and tells what was done to it; see ``init(contentsOf:)``.
    public static func decoded(contentsOf file: URL) throws(MediaError) -> DecodedPicture {
        let bytes = try PictureBytes(bytes: fileBytes(file))
        let header = try header(of: bytes, in: file)
        let source = header.firstFrame?.bytes ?? header.withUntouchedInks(bytes.bytes)
        let hints = MediaPictureHints(format: header.format.media, inks: header.inks.media)
        let functions = try MediaLibrary.functions()
        var pixels = MediaPixels()
        try reading(file) { failure in
            functions.decodePicture(source, Int64(source.count), hints, &pixels, &failure)
        }
        defer { functions.release(pixels.bytes) }
        let count = Int(pixels.width) * Int(pixels.height) * 3
        var picture = Picture(
            width: Int(pixels.width), height: Int(pixels.height),
            pixels: Array(UnsafeBufferPointer(start: pixels.bytes, count: count)))
        if let frame = header.firstFrame,
            (picture.width, picture.height) != (header.width, header.height)
        {
            picture = picture.onWhite(
                x: frame.x, y: frame.y, width: header.width, height: header.height)
        }
        return DecodedPicture(
            picture: picture.oriented(header.orientation), format: header.format,
            orientation: header.orientation, wasTransparent: pixels.wasTransparent != 0)
    }

    /// The header of a file, its completeness checked.
    static func header(in file: URL) throws(MediaError) -> PictureHeader {
        try header(of: PictureBytes(bytes: fileBytes(file)), in: file)
    }

    private static func header(of bytes: PictureBytes, in file: URL) throws(MediaError)
        -> PictureHeader
    {
        do {
            return try PictureHeader(bytes)
        } catch {
            throw .cannotRead(file: file.path, reason: error.reason)
        }
    }

    /// The picture as a PNG file.
    ///
    /// Throws `MediaError.cannotWrite`, naming `picture.png`, when the encoder fails.
    public func pngData() throws(MediaError) -> Data {
        try encoded(MediaPictureFormatPNG, quality: 0, name: URL(fileURLWithPath: "picture.png"))
    }

    /// The picture as a JPEG file at full chroma resolution.
    ///
    /// - Parameter quality: 1 (smallest) to 100 (best).
    ///
    /// Throws `MediaError.cannotWrite`, naming `picture.jpg`, when the encoder fails.
    public func jpegData(quality: Int = 90) throws(MediaError) -> Data {
        try encoded(
            MediaPictureFormatJPEG, quality: quality, name: URL(fileURLWithPath: "picture.jpg"))
    }

    /// Writes the picture as a PNG file, whole or not at all.
    public func writePNG(to file: URL) throws(MediaError) {
        try UnfinishedFile.write(
            encoded(MediaPictureFormatPNG, quality: 0, name: file), to: file)
    }

    /// Writes the picture as a JPEG file, whole or not at all; `quality` is 1 to 100.
    public func writeJPEG(to file: URL, quality: Int = 90) throws(MediaError) {
        try UnfinishedFile.write(
            encoded(MediaPictureFormatJPEG, quality: quality, name: file), to: file)
    }

    private func encoded(_ format: MediaPictureFormat, quality: Int, name: URL) throws(MediaError)
        -> Data
    {
        let functions = try MediaLibrary.functions()
        var bytes = MediaBytes()
        try writing(name) { failure in
            functions.encodePicture(
                pixels, Int32(width), Int32(height), format, Int32(quality), &bytes, &failure)
        }
        defer { functions.release(bytes.bytes) }
        return bytes.bytes.map { Data(bytes: $0, count: Int(bytes.count)) } ?? Data()
    }
}

extension PictureHeader.Inks {
    var media: MediaInks {
        switch self {
        case .none: MediaInksNone
        case .cmyk: MediaInksCMYK
        case .ycck: MediaInksYCCK
        }
    }
}

extension PictureFormat {
    var media: MediaPictureFormat {
        switch self {
        case .jpeg: MediaPictureFormatJPEG
        case .png: MediaPictureFormatPNG
        case .webp: MediaPictureFormatWebP
        case .bmp: MediaPictureFormatBMP
        case .gif: MediaPictureFormatGIF
        case .tiff: MediaPictureFormatTIFF
        }
    }
}

/// Throws unless `file` is a file that can be read and has some content.
func checkReadable(_ file: URL) throws(MediaError) {
    guard FileManager.default.fileExists(atPath: file.path) else {
        throw .cannotRead(file: file.path, reason: "there is no such file")
    }
    guard !isFolder(file) else {
        throw .cannotRead(file: file.path, reason: "it is a folder")
    }
    guard FileManager.default.isReadableFile(atPath: file.path) else {
        throw .cannotRead(file: file.path, reason: "its permissions do not allow it")
    }
    let size = (try? FileManager.default.attributesOfItem(atPath: file.path))?[.size] as? NSNumber
    if size?.intValue == 0 { throw .cannotRead(file: file.path, reason: "it is empty") }
}

private func fileBytes(_ file: URL) throws(MediaError) -> [UInt8] {
    try checkReadable(file)
    let size = (try? FileManager.default.attributesOfItem(atPath: file.path))?[.size] as? NSNumber
    guard size?.intValue ?? 0 < 1 << 31 else {
        throw .cannotRead(file: file.path, reason: "it is larger than 2 GB")
    }
    do {
        return try Array(Data(contentsOf: file, options: .mappedIfSafe))
    } catch {
        throw .cannotRead(file: file.path, reason: error.localizedDescription)
    }
}
