/// Why the bytes of a file are no picture: a clause without the file's name.
struct PictureProblem: Error {
    let reason: String

    static let truncated = PictureProblem(
        reason: "it is truncated: the file ends before its picture does")

    static func damaged(_ what: String) -> PictureProblem {
        PictureProblem(reason: "it is damaged: \(what)")
    }
}

/// A file's bytes, read with bounds: what lies outside is a truncated file.
struct PictureBytes {
    let bytes: [UInt8]
    var count: Int { bytes.count }

    func byte(_ at: Int) throws(PictureProblem) -> Int {
        guard at >= 0, at < bytes.count else { throw .truncated }
        return Int(bytes[at])
    }

    /// An unsigned number of `size` bytes.
    func number(_ at: Int, size: Int, isBigEndian: Bool) throws(PictureProblem) -> Int {
        guard at >= 0, at + size <= bytes.count else { throw .truncated }
        var value = 0
        for index in 0..<size {
            let byte = Int(bytes[at + (isBigEndian ? index : size - 1 - index)])
            value = value << 8 | byte
        }
        return value
    }

    func big16(_ at: Int) throws(PictureProblem) -> Int {
        try number(at, size: 2, isBigEndian: true)
    }

    func big32(_ at: Int) throws(PictureProblem) -> Int {
        try number(at, size: 4, isBigEndian: true)
    }

    func little16(_ at: Int) throws(PictureProblem) -> Int {
        try number(at, size: 2, isBigEndian: false)
    }

    func little24(_ at: Int) throws(PictureProblem) -> Int {
        try number(at, size: 3, isBigEndian: false)
    }

    func little32(_ at: Int) throws(PictureProblem) -> Int {
        try number(at, size: 4, isBigEndian: false)
    }

    /// Whether `text` (ASCII) stands at `at`.
    func has(_ text: String, at: Int) -> Bool {
        let wanted = Array(text.utf8)
        return at >= 0 && at + wanted.count <= bytes.count
            && bytes[at..<(at + wanted.count)].elementsEqual(wanted)
    }
}
