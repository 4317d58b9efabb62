/// The one-to-one map between bytes and printable scalars that byte-level tokenizers use.
///
/// Source: `bytes_to_unicode` of GPT-2's encoder.
enum ByteAlphabet {
    /// The scalar of each byte, by byte.
    static let scalars: [Unicode.Scalar] = {
        var next: UInt32 = 0x100
        return (UInt8.min...UInt8.max).map { byte in
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return Unicode.Scalar(byte)
            default:
                defer { next += 1 }
                return Unicode.Scalar(next) ?? Unicode.Scalar(byte)
            }
        }
    }()

    static let bytes: [Unicode.Scalar: UInt8] = Dictionary(
        uniqueKeysWithValues: scalars.enumerated().map { ($0.element, UInt8($0.offset)) })

    static let space = scalars[0x20]

    /// The UTF-8 bytes of a text as scalars of the alphabet.
    static func encode(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        text.flatMap { UTF8.encode($0).map { $0.map { scalars[Int($0)] } } ?? [] }
    }
}
