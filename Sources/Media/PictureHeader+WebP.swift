extension PictureHeader {
    /// Walks the chunks; an animation's first picture becomes a still one of its own.
    ///
    /// Source: WebP container specification; RFC 6386, section 9.1, for VP8; the WebP lossless
    /// specification, section 3, for VP8L.
    mutating func readWebP(_ bytes: PictureBytes) throws(PictureProblem) {
        let end = try bytes.little32(4) + 8
        guard end <= bytes.count else { throw .truncated }
        var at = 12
        while at + 8 <= end {
            let length = try bytes.little32(at + 4)
            let data = at + 8
            guard data + length <= end else { throw .truncated }
            if bytes.has("VP8X", at: at) {
                width = try bytes.little24(data + 4) + 1
                height = try bytes.little24(data + 7) + 1
            } else if width == 0, bytes.has("VP8 ", at: at) {
                width = try bytes.little16(data + 6) & 0x3FFF
                height = try bytes.little16(data + 8) & 0x3FFF
            } else if width == 0, bytes.has("VP8L", at: at) {
                let packed = try bytes.little32(data + 1)
                width = packed & 0x3FFF + 1
                height = packed >> 14 & 0x3FFF + 1
            } else if bytes.has("EXIF", at: at) {
                orientation = Self.orientation(exif: bytes.bytes[data..<(data + length)])
            } else if firstFrame == nil, length > 16, bytes.has("ANMF", at: at) {
                firstFrame = (
                    try Self.still(bytes, at: data, length: length),
                    try bytes.little24(data) * 2, try bytes.little24(data + 3) * 2
                )
            }
            at = data + length + length % 2
        }
    }

    /// A WebP file of the picture in an animation's frame at `at`.
    private static func still(_ bytes: PictureBytes, at: Int, length: Int) throws(PictureProblem)
        -> [UInt8]
    {
        let chunks = bytes.bytes[(at + 16)..<(at + length)]
        let hasAlpha = bytes.has("ALPH", at: at + 16)
        var body = Array("WEBP".utf8)
        if hasAlpha {
            body += Array("VP8X".utf8) + [10, 0, 0, 0, 0x10, 0, 0, 0]
            body += bytes.bytes[(at + 6)..<(at + 12)]
        }
        body += chunks
        let size = UInt32(body.count)
        return Array("RIFF".utf8) + (0..<4).map { UInt8(truncatingIfNeeded: size >> ($0 * 8)) }
            + body
    }
}
