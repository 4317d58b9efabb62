extension PictureHeader {
    /// Walks the segments and the scans up to the end marker.
    ///
    /// Source: ITU-T T.81, annex B; T.872 for the Adobe marker.
    mutating func readJPEG(_ bytes: PictureBytes) throws(PictureProblem) {
        var at = 2
        var components = 0
        while true {
            guard try bytes.byte(at) == 0xFF else { throw .damaged("a marker is missing") }
            while try bytes.byte(at + 1) == 0xFF { at += 1 }
            let marker = try bytes.byte(at + 1)
            at += 2
            if marker == 0xD9 { break }
            if marker == 0x01 || (0xD0...0xD8).contains(marker) { continue }
            let length = try bytes.big16(at)
            guard length >= 2, at + length <= bytes.count else { throw .truncated }
            switch marker {
            case 0xC0...0xCF where ![0xC4, 0xC8, 0xCC].contains(marker):
                height = try bytes.big16(at + 3)
                width = try bytes.big16(at + 5)
                components = try bytes.byte(at + 7)
                componentNames += (0..<components).map { at + 8 + $0 * 3 }
            case 0xDA:
                componentNames += (0..<(try bytes.byte(at + 2))).map { at + 3 + $0 * 2 }
            case 0xE1 where bytes.has("Exif\0\0", at: at + 2):
                orientation = Self.orientation(exif: bytes.bytes[(at + 2)..<(at + length)])
            case 0xEE where bytes.has("Adobe", at: at + 2):
                _ = try bytes.byte(at + 13)
                adobeTransform = at + 13
            default: break
            }
            at += length
            if marker == 0xDA { at = try Self.endOfScan(bytes, from: at) }
        }
        guard components > 0 else { throw .damaged("it has no picture") }
        componentNames.removeAll { $0 >= bytes.count }
        if components == 4 {
            inks = adobeTransform.map { bytes.bytes[$0] } == 2 ? .ycck : .cmyk
        }
    }

    /// The file with its four components marked so that FFmpeg's decoder leaves them alone: its
    /// own conversion rounds down, and only an Adobe marker of another transform together with
    /// components that are not named C, M, Y and K prevents it.
    func withUntouchedInks(_ bytes: [UInt8]) -> [UInt8] {
        guard inks != .none else { return bytes }
        var changed = bytes
        let names = Array("CMYK".utf8)
        if componentNames.prefix(4).map({ bytes[$0] }) == names {
            for at in componentNames {
                if let index = names.firstIndex(of: bytes[at]) { changed[at] = UInt8(index + 1) }
            }
        }
        if let adobeTransform {
            changed[adobeTransform] = 1
        } else {
            let marker: [UInt8] =
                [0xFF, 0xEE, 0, 14] + Array("Adobe".utf8) + [0, 100, 0, 0, 0, 0, 1]
            changed.insert(contentsOf: marker, at: 2)
        }
        return changed
    }

    /// Where the next marker stands that is neither a stuffed byte nor a restart.
    private static func endOfScan(_ bytes: PictureBytes, from start: Int) throws(PictureProblem)
        -> Int
    {
        let end = bytes.bytes.withUnsafeBufferPointer { buffer -> Int? in
            var at = start
            while at + 1 < buffer.count {
                if buffer[at] == 0xFF, buffer[at + 1] != 0, buffer[at + 1] != 0xFF,
                    !(0xD0...0xD7).contains(buffer[at + 1])
                {
                    return at
                }
                at += 1
            }
            return nil
        }
        guard let end else { throw .truncated }
        return end
    }
}
