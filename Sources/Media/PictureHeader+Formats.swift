extension PictureHeader {
    /// Walks the chunks up to the last one.
    ///
    /// Source: PNG specification, third edition, section 5.
    mutating func readPNG(_ bytes: PictureBytes) throws(PictureProblem) {
        guard bytes.count > 33 else { throw .truncated }
        guard bytes.has("IHDR", at: 12) else { throw .damaged("its header is missing") }
        width = try bytes.big32(16)
        height = try bytes.big32(20)
        var at = 8
        var hasData = false
        while true {
            let length = try bytes.big32(at)
            guard at + 12 + length <= bytes.count else { throw .truncated }
            if bytes.has("IDAT", at: at + 4) { hasData = true }
            if bytes.has("eXIf", at: at + 4) {
                orientation = Self.orientation(exif: bytes.bytes[(at + 8)..<(at + 8 + length)])
            }
            if bytes.has("IEND", at: at + 4) { break }
            at += 12 + length
        }
        guard hasData else { throw .damaged("it has no picture") }
    }

    /// Checks that rows that are not compressed are all there.
    mutating func readBMP(_ bytes: PictureBytes) throws(PictureProblem) {
        let isOld = try bytes.little32(14) == 12
        let bits: Int
        var compression = 0
        if isOld {
            width = try bytes.little16(18)
            height = try bytes.little16(20)
            bits = try bytes.little16(24)
        } else {
            width = Int(Int32(truncatingIfNeeded: try bytes.little32(18)))
            // Rows from the top are told by a negative height.
            height = abs(Int(Int32(truncatingIfNeeded: try bytes.little32(22))))
            bits = try bytes.little16(28)
            compression = try bytes.little32(30)
        }
        guard compression == 0 || compression == 3, width > 0 else { return }
        let rowBytes = (width * bits + 31) / 32 * 4
        // Sides are of 31 bits each, and their product is not in 64 with every depth.
        let (pixelBytes, isTooMany) = rowBytes.multipliedReportingOverflow(by: height)
        guard !isTooMany, try bytes.little32(10) <= bytes.count - min(pixelBytes, bytes.count),
            pixelBytes <= bytes.count
        else { throw .truncated }
    }

    /// Walks the blocks up to the end of the first picture.
    mutating func readGIF(_ bytes: PictureBytes) throws(PictureProblem) {
        width = try bytes.little16(6)
        height = try bytes.little16(8)
        var at = 13 + Self.tableBytes(try bytes.byte(10))
        while true {
            switch try bytes.byte(at) {
            case 0x21: at = try Self.endOfBlocks(bytes, from: at + 2)
            case 0x2C:
                at += 10 + Self.tableBytes(try bytes.byte(at + 9))
                _ = try Self.endOfBlocks(bytes, from: at + 1)
                return
            case 0x3B: throw .damaged("it has no picture")
            default: throw .damaged("an unknown block is in it")
            }
        }
    }

    private static func tableBytes(_ flags: Int) -> Int {
        flags & 0x80 == 0 ? 0 : 3 << (flags & 7 + 1)
    }

    private static func endOfBlocks(_ bytes: PictureBytes, from start: Int) throws(PictureProblem)
        -> Int
    {
        var at = start
        while true {
            let length = try bytes.byte(at)
            at += 1 + length
            if length == 0 { return at }
        }
    }

    /// Reads size and orientation, and checks that every strip or tile is there.
    mutating func readTIFF(_ bytes: PictureBytes) throws(PictureProblem) {
        let directory = try TIFFDirectory(bytes)
        if let compression = directory.numbers(259)?.first, [6, 7].contains(compression) {
            throw PictureProblem(
                reason: "its pixels are compressed as JPEG inside of TIFF, which is not read; "
                    + "save it as PNG")
        }
        width = directory.numbers(256)?.first ?? 0
        height = directory.numbers(257)?.first ?? 0
        orientation = directory.numbers(274)?.first ?? 1
        let offsets = directory.numbers(273) ?? directory.numbers(324) ?? []
        let counts = directory.numbers(279) ?? directory.numbers(325) ?? []
        for (offset, count) in zip(offsets, counts) where offset + count > bytes.count {
            throw .truncated
        }
    }
}

/// The first directory of a TIFF file or of an EXIF block.
///
/// Source: TIFF 6.0, section 2.
struct TIFFDirectory {
    private let bytes: PictureBytes
    private let isBigEndian: Bool
    private var entries: [Int: Int] = [:]

    init(_ bytes: PictureBytes) throws(PictureProblem) {
        self.bytes = bytes
        isBigEndian = bytes.has("MM", at: 0)
        guard isBigEndian || bytes.has("II", at: 0) else { throw .damaged("its header is wrong") }
        let start = try bytes.number(4, size: 4, isBigEndian: isBigEndian)
        let count = try bytes.number(start, size: 2, isBigEndian: isBigEndian)
        for index in 0..<count {
            let at = start + 2 + index * 12
            guard let tag = try? bytes.number(at, size: 2, isBigEndian: isBigEndian) else {
                throw .truncated
            }
            entries[tag] = at
        }
    }

    /// The whole numbers of a tag; nil when it is absent or of another type.
    func numbers(_ tag: Int) -> [Int]? {
        guard let at = entries[tag], let type = try? number(at + 2, 2),
            let count = try? number(at + 4, 4), let size = [3: 2, 4: 4][type],
            count * size <= bytes.count
        else { return nil }
        guard let start = count * size <= 4 ? at + 8 : try? number(at + 8, 4) else { return nil }
        var values: [Int] = []
        for index in 0..<count {
            guard let value = try? number(start + index * size, size) else { return nil }
            values.append(value)
        }
        return values
    }

    private func number(_ at: Int, _ size: Int) throws(PictureProblem) -> Int {
        try bytes.number(at, size: size, isBigEndian: isBigEndian)
    }
}
