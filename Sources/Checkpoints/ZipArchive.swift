import Foundation

/// The files in a zip archive that are stored as they are, as PyTorch's are.
///
/// Source: PKWARE's APPNOTE, 4.3: local headers, central directory and its end record.
struct ZipArchive {
    /// Where each file's bytes lie in the archive, by name.
    let entries: [String: Range<Int>]

    /// Reads the central directory.
    ///
    /// - Throws: `CheckpointError` where it is no archive, is cut off, or is packed.
    init(_ bytes: UnsafeRawBufferPointer, file: String) throws {
        let reader = ZipReader(bytes: bytes, file: file)
        let end = try reader.endRecord()
        let count = Int(try reader.integer(UInt16.self, at: end + 10))
        var offset = Int(try reader.integer(UInt32.self, at: end + 16))
        guard count < 0xFFFF, offset < 0xFFFF_FFFF else {
            throw CheckpointError("\(file) is an archive of more than 4 GiB, which is not read")
        }
        var entries: [String: Range<Int>] = [:]
        for _ in 0..<count {
            let (name, range, length) = try reader.entry(at: offset)
            entries[name] = range
            offset += length
        }
        self.entries = entries
    }
}

private struct ZipReader {
    let bytes: UnsafeRawBufferPointer
    let file: String

    func integer<Value: FixedWidthInteger>(_ type: Value.Type, at offset: Int) throws -> Value {
        guard offset >= 0, offset <= bytes.count - MemoryLayout<Value>.size else {
            throw CheckpointError("\(file) is cut off: its archive goes on after the file's end")
        }
        return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
    }

    /// Where the record at the end of the archive begins; a comment may follow it.
    func endRecord() throws -> Int {
        for offset in stride(from: bytes.count - 22, through: max(bytes.count - 70_000, 0), by: -1)
        where try integer(UInt32.self, at: offset) == 0x0605_4B50 {
            return offset
        }
        throw CheckpointError("\(file) is no whole archive: the record at its end is missing")
    }

    /// One file of the central directory: its name, its bytes, and the length of what says so.
    func entry(at offset: Int) throws -> (name: String, range: Range<Int>, length: Int) {
        guard try integer(UInt32.self, at: offset) == 0x0201_4B50 else {
            throw CheckpointError("\(file) has a broken directory of its archive")
        }
        let nameLength = Int(try integer(UInt16.self, at: offset + 28))
        let extra = Int(try integer(UInt16.self, at: offset + 30))
        let comment = Int(try integer(UInt16.self, at: offset + 32))
        guard offset + 46 + nameLength <= bytes.count else {
            throw CheckpointError("\(file) is cut off within the directory of its archive")
        }
        let name = String(
            decoding: bytes[(offset + 46)..<(offset + 46 + nameLength)], as: UTF8.self)
        guard try integer(UInt16.self, at: offset + 10) == 0 else {
            throw CheckpointError(
                "\(file): \(name) is packed; PyTorch stores its files as they are, so save it anew")
        }
        let size = Int(try integer(UInt32.self, at: offset + 24))
        let local = Int(try integer(UInt32.self, at: offset + 42))
        let start =
            local + 30 + Int(try integer(UInt16.self, at: local + 26))
            + Int(try integer(UInt16.self, at: local + 28))
        guard start <= bytes.count, size <= bytes.count - start else {
            throw CheckpointError("\(file) is cut off: \(name) goes on after the file's end")
        }
        return (name, start..<start + size, 46 + nameLength + extra + comment)
    }
}
