import Foundation

/// The framing of TensorFlow's record files: each record between its length and checks.
///
/// A record is its length (8 bytes), the masked check of those (4), the data, and their masked
/// check (4), numbers in little-endian order.
///
/// Source: TensorFlow, "TFRecord and tf.train.Example", TFRecords format details.
enum RecordFile {
    /// A record with its frame.
    static func framed(_ data: [UInt8]) -> [UInt8] {
        let length = bytes(UInt64(data.count))
        return length + bytes(CRC32C.masked(length)) + data + bytes(CRC32C.masked(data))
    }

    /// The whole records at the beginning of a file: the data of each, and where it ends.
    ///
    /// What follows a record that is cut off or harmed is left out.
    static func records(_ file: [UInt8]) -> [(data: [UInt8], end: Int)] {
        var records: [(data: [UInt8], end: Int)] = []
        var at = 0
        while let record = record(file, at: at) {
            records.append(record)
            at = record.end
        }
        return records
    }

    private static func record(_ file: [UInt8], at: Int) -> (data: [UInt8], end: Int)? {
        let frame = 12
        guard at + frame <= file.count else { return nil }
        let length = file[at..<at + 8]
        guard number(file, at + 8) == CRC32C.masked(length),
            let count = Int(exactly: length.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }),
            count <= file.count - at - frame - 4
        else { return nil }
        let end = at + frame + count
        let data = file[at + frame..<end]
        guard number(file, end) == CRC32C.masked(data) else { return nil }
        return (Array(data), end + 4)
    }

    private static func number(_ file: [UInt8], _ at: Int) -> UInt32 {
        file[at..<at + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian, Array.init)
    }
}
