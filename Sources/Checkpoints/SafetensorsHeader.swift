import Foundation
import Torch

/// The part of a safetensors file in front of the data.
///
/// Source: the format's description: a little-endian 64-bit length, that many bytes of JSON, then
/// the data, which each entry's `data_offsets` count from.
struct SafetensorsHeader {
    /// The longest header that the format allows, in bytes.
    static let limit = 100_000_000

    let entries: [String: TensorEntry]
    let metadata: [String: String]

    init(_ bytes: UnsafeRawBufferPointer, file: String) throws {
        guard bytes.count >= 8 else {
            throw CheckpointError(
                "\(file) has \(bytes.count) bytes, too few for a safetensors file")
        }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard Self.isBeginning(bytes.prefix(9)) else {
            throw CheckpointError(
                "\(file) is no safetensors file: it does not begin with the length of a header and "
                    + "that header")
        }
        guard length <= UInt64(bytes.count - 8) else {
            throw CheckpointError(
                """
                \(file) is not a whole safetensors file: its header claims \(length) bytes, \
                the file has \(bytes.count - 8) after the length
                """)
        }
        let start = 8 + Int(length)
        let json = Data(bytes[8..<start])
        guard
            let root = try? JSONSerialization.jsonObject(with: json) as? [String: Any]
        else { throw CheckpointError("\(file) has a header that is not a JSON object") }
        if let name = Self.repeatedName(in: UnsafeRawBufferPointer(rebasing: bytes[8..<start])) {
            throw CheckpointError("\(file): \(name) stands twice in the header")
        }

        metadata = root["__metadata__"] as? [String: String] ?? [:]
        var entries: [String: TensorEntry] = [:]
        for (name, value) in root where name != "__metadata__" {
            entries[name] = try Self.entry(
                value, name: name, file: file, start: start, size: bytes.count)
        }
        self.entries = entries
        try Self.checkOverlaps(entries, file: file)
        let end = entries.values.map(\.range.upperBound).max() ?? start
        guard end == bytes.count || entries.isEmpty else {
            throw CheckpointError(
                "\(file) has \(bytes.count - end) bytes after its last tensor; it is not what was "
                    + "written")
        }
    }

    /// The first name that an object has twice, of which a reader of JSON keeps one.
    private static func repeatedName(in json: UnsafeRawBufferPointer) -> String? {
        var seen: Set<String> = []
        var (depth, name, isEscaped) = (0, 0..<0, false)
        var start: Int?
        for (index, byte) in json.enumerated() {
            if let first = start {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    (name, start) = (first..<index, nil)
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): start = index + 1
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ":") where depth == 1:
                let text = String(decoding: json[name], as: UTF8.self)
                guard seen.insert(text).inserted else { return text }
            default: break
            }
        }
        return nil
    }

    /// Whether bytes are the beginning of a file of this kind: a length that may be, and a brace
    /// unless they end before it.
    static func isBeginning(_ bytes: some Collection<UInt8>) -> Bool {
        let length = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return bytes.count >= 8 && (2...UInt64(limit)).contains(length)
            && [nil, UInt8(ascii: "{")].contains(bytes.dropFirst(8).first)
    }

    private static func entry(
        _ value: Any, name: String, file: String, start: Int, size: Int
    ) throws -> TensorEntry {
        guard let fields = value as? [String: Any], let type = fields["dtype"] as? String,
            let shape = fields["shape"] as? [Int], let offsets = fields["data_offsets"] as? [Int],
            offsets.count == 2, shape.allSatisfy({ $0 >= 0 })
        else {
            throw CheckpointError(
                "\(file): the header's entry of \(name) has no dtype, shape and data_offsets")
        }
        guard let dtype = safetensorsTypes[type] else {
            throw CheckpointError("\(file): \(name) has the type \(type), which is not known")
        }
        guard offsets[0] >= 0, offsets[0] <= offsets[1], offsets[1] <= size - start else {
            throw CheckpointError(
                """
                \(file): \(name) should lie at bytes \(offsets[0]) to \(offsets[1]), but the file \
                holds \(size - start) bytes of data; it is truncated or its header is wrong
                """)
        }
        var wanted = dtype.size
        for length in shape {
            let (product, overflow) = wanted.multipliedReportingOverflow(by: length)
            guard !overflow else {
                throw CheckpointError("\(file): \(name) has an impossible shape \(shape)")
            }
            wanted = product
        }
        guard wanted == offsets[1] - offsets[0] else {
            throw CheckpointError(
                """
                \(file): \(name) of shape \(shape) and type \(type) needs \(wanted) bytes, its \
                entry has \(offsets[1] - offsets[0])
                """)
        }
        return TensorEntry(
            dtype: dtype, shape: shape, range: start + offsets[0]..<start + offsets[1])
    }

    private static func checkOverlaps(_ entries: [String: TensorEntry], file: String) throws {
        let ordered = entries.filter { !$0.value.range.isEmpty }
            .sorted { $0.value.range.lowerBound < $1.value.range.lowerBound }
        for (a, b) in zip(ordered, ordered.dropFirst())
        where a.value.range.upperBound > b.value.range.lowerBound {
            throw CheckpointError("\(file): \(a.key) and \(b.key) lie on the same bytes")
        }
    }
}

/// The format's names of types.
let safetensorsTypes: [String: DType] = [
    "BOOL": .bool, "U8": .uint8, "I8": .int8, "I16": .int16, "I32": .int32, "I64": .int64,
    "F16": .float16, "BF16": .bfloat16, "F32": .float32, "F64": .float64,
    "F8_E5M2": .float8e5m2, "F8_E4M3": .float8e4m3,
]
