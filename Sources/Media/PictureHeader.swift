/// The picture formats that are read.
public enum PictureFormat: String, CaseIterable, Sendable {
    /// ITU-T T.81, one to four components.
    case jpeg = "JPEG"
    /// Portable Network Graphics, 1 to 16 bits.
    case png = "PNG"
    /// WebP, lossy or lossless; of an animation, its first picture.
    case webp = "WebP"
    /// Windows bitmap.
    case bmp = "BMP"
    /// Graphics Interchange Format; of an animation, its first picture.
    case gif = "GIF"
    /// TIFF 6.0; not compressed as JPEG inside.
    case tiff = "TIFF"
}

/// What a picture file says of itself, known before anything is decoded.
struct PictureHeader {
    var format: PictureFormat
    var width: Int
    var height: Int
    /// As in EXIF; 1 is upright.
    var orientation = 1
    /// What a JPEG's four components are.
    var inks = Inks.none
    /// Where a JPEG of four components says what they are.
    var adobeTransform: Int?
    /// Where the components of a JPEG are named, in its frame and in its scans.
    var componentNames: [Int] = []
    /// An animated WebP's first picture, for a decoder that knows only still ones.
    var firstFrame: (bytes: [UInt8], x: Int, y: Int)?

    /// Four components of a JPEG: none of them, the inks themselves, or luma and chroma of them.
    enum Inks {
        case none
        case cmyk
        case ycck
    }

    /// The size as shown, the orientation applied.
    var shownSize: (width: Int, height: Int) {
        orientation >= 5 && orientation <= 8 ? (height, width) : (width, height)
    }

    /// Reads the header and checks that the file is complete.
    init(_ bytes: PictureBytes) throws(PictureProblem) {
        guard let format = Self.format(of: bytes) else {
            throw PictureProblem(reason: Self.whatElse(bytes))
        }
        self.init(format: format, width: 0, height: 0)
        switch format {
        case .jpeg: try readJPEG(bytes)
        case .png: try readPNG(bytes)
        case .webp: try readWebP(bytes)
        case .bmp: try readBMP(bytes)
        case .gif: try readGIF(bytes)
        case .tiff: try readTIFF(bytes)
        }
        guard width > 0, height > 0 else { throw .damaged("its size is \(width) by \(height)") }
        guard max(width, height) <= Picture.largestEdge else {
            throw PictureProblem(
                reason: "it has \(width) by \(height) pixels; at most \(Picture.largestEdge) "
                    + "each way are read, so make it smaller first")
        }
    }

    private init(format: PictureFormat, width: Int, height: Int) {
        self.format = format
        self.width = width
        self.height = height
    }

    private static func format(of bytes: PictureBytes) -> PictureFormat? {
        if bytes.bytes.starts(with: [0xFF, 0xD8, 0xFF]) { return .jpeg }
        if bytes.bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            return .png
        }
        if bytes.has("RIFF", at: 0) && bytes.has("WEBP", at: 8) { return .webp }
        if bytes.has("GIF87a", at: 0) || bytes.has("GIF89a", at: 0) { return .gif }
        if bytes.has("II*\0", at: 0) || bytes.has("MM\0*", at: 0) { return .tiff }
        // Two letters alone would make a picture of many a text: the header's size counts too.
        if bytes.has("BM", at: 0), let size = try? bytes.little32(14), (12...124).contains(size) {
            return .bmp
        }
        return nil
    }

    private static func whatElse(_ bytes: PictureBytes) -> String {
        let known = "JPEG, PNG, WebP, BMP, GIF or TIFF"
        if bytes.bytes.isEmpty { return "it is empty" }
        if bytes.has("ftypavif", at: 4) || bytes.has("ftyphei", at: 4)
            || bytes.has("ftypmif1", at: 4)
        {
            return "HEIC and AVIF pictures are not read; convert it to \(known)"
        }
        if bytes.has("ftyp", at: 4) || bytes.bytes.starts(with: [0x1A, 0x45, 0xDF, 0xA3]) {
            return "it is a video; a picture (\(known)) is wanted"
        }
        if bytes.bytes.starts(with: [0x89, 0x50]) || bytes.bytes.starts(with: [0xFF, 0xD8])
            || (bytes.has("RIFF", at: 0) && bytes.count < 12)
        {
            return PictureProblem.truncated.reason
        }
        return "it is not a picture; \(known) is wanted, whatever its name says"
    }

    /// The orientation in an EXIF block, which is a small TIFF file; 1 when it has none.
    static func orientation(exif block: ArraySlice<UInt8>) -> Int {
        let hasPrefix = block.starts(with: Array("Exif\0\0".utf8))
        let bytes = PictureBytes(bytes: Array(hasPrefix ? block.dropFirst(6) : block))
        guard let directory = try? TIFFDirectory(bytes),
            let value = directory.numbers(0x0112)?.first, (1...8).contains(value)
        else { return 1 }
        return value
    }
}
