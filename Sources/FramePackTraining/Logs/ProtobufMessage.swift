/// The bytes of a protocol buffer, field by field, and a look into them.
///
/// Source: Protocol Buffers, "Encoding". Zeros and empty texts are left out, as proto3 does.
struct ProtobufMessage {
    private(set) var bytes: [UInt8] = []

    private enum Wire: UInt64 {
        case varint = 0
        case fixed64 = 1
        case counted = 2
        case fixed32 = 5
    }

    /// Adds a whole number; negative ones take 10 bytes.
    mutating func add(_ field: Int, _ value: Int) {
        guard value != 0 else { return }
        key(field, .varint)
        varint(UInt64(bitPattern: Int64(value)))
    }

    /// Adds a number of 8 bytes.
    mutating func add(_ field: Int, _ value: Double) {
        key(field, .fixed64)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
    }

    /// Adds a number of 4 bytes, zero too: of a choice of fields the one that is there counts.
    mutating func add(_ field: Int, _ value: Float) {
        key(field, .fixed32)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
    }

    /// Adds a text.
    mutating func add(_ field: Int, _ text: String) {
        guard !text.isEmpty else { return }
        add(field, Array(text.utf8))
    }

    /// Adds bytes, empty ones too.
    mutating func add(_ field: Int, _ data: [UInt8]) {
        key(field, .counted)
        varint(UInt64(data.count))
        bytes += data
    }

    /// Adds a message within this one.
    mutating func add(_ field: Int, _ build: (inout ProtobufMessage) -> Void) {
        var message = ProtobufMessage()
        build(&message)
        add(field, message.bytes)
    }

    private mutating func key(_ field: Int, _ wire: Wire) {
        varint(UInt64(field) << 3 | wire.rawValue)
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// The whole number in a field of the outermost message; nil where it has none.
    static func number(_ wanted: Int, in message: [UInt8]) -> Int? {
        var reader = Reader(bytes: message)
        while let key = reader.varint() {
            guard let wire = Wire(rawValue: key & 7) else { return nil }
            if key >> 3 == wanted, wire == .varint {
                return reader.varint().map { Int(Int64(bitPattern: $0)) }
            }
            guard reader.skip(wire) else { return nil }
        }
        return nil
    }

    private struct Reader {
        let bytes: [UInt8]
        var at = 0

        mutating func varint() -> UInt64? {
            var value: UInt64 = 0
            for place in 0..<10 where at < bytes.count {
                let byte = bytes[at]
                at += 1
                value |= UInt64(byte & 0x7F) << UInt64(7 * place)
                if byte < 0x80 { return value }
            }
            return nil
        }

        mutating func skip(_ wire: Wire) -> Bool {
            switch wire {
            case .varint: return varint() != nil
            case .fixed64: at += 8
            case .fixed32: at += 4
            case .counted:
                guard let count = varint().flatMap(Int.init(exactly:)), count <= bytes.count
                else { return false }
                at += count
            }
            return at <= bytes.count
        }
    }
}
