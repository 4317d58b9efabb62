/// How tokens become text again: one entry of `decoder` in `tokenizer.json`.
indirect enum Decoder: Sendable {
    /// The bytes that the scalars of the byte alphabet stand for, as UTF-8.
    case byteLevel
    case fuse
    case replace(Pattern, with: String)
    case sequence([Decoder])

    private static let known = ["ByteLevel", "Fuse", "Replace", "Sequence"]

    init(_ node: JSONNode) throws(TokenizerError) {
        let type = try node.require("type").string
        switch type {
        case "ByteLevel": self = .byteLevel
        case "Fuse": self = .fuse
        case "Replace":
            self = .replace(
                try Pattern(node.require("pattern")), with: try node.require("content").string)
        case "Sequence":
            var parts: [Decoder] = []
            for part in try node.require("decoders").elements {
                parts.append(try Decoder(part))
            }
            self = .sequence(parts)
        default:
            throw .unknownComponent(
                file: node.file, kind: "decoder", type: type, known: Self.known)
        }
    }

    /// The parts that tokens become; joined they are the text.
    func decode(_ tokens: [String]) -> [String] {
        switch self {
        case .fuse: [tokens.joined()]
        case .sequence(let parts): parts.reduce(tokens) { $1.decode($0) }
        case .byteLevel: [String(decoding: tokens.flatMap(Self.bytes), as: UTF8.self)]
        case .replace(let pattern, let replacement):
            tokens.map { Self.replace(pattern, with: replacement, in: $0) }
        }
    }

    private static func bytes(of token: String) -> [UInt8] {
        let bytes = token.unicodeScalars.compactMap { ByteAlphabet.bytes[$0] }
        return bytes.count == token.unicodeScalars.count ? bytes : Array(token.utf8)
    }

    private static func replace(
        _ pattern: Pattern, with replacement: String, in token: String
    ) -> String {
        let scalars = Array(token.unicodeScalars)
        var result = String.UnicodeScalarView()
        var end = 0
        for match in pattern.matches(in: scalars) {
            result.append(contentsOf: scalars[end..<match.lowerBound])
            result.append(contentsOf: replacement.unicodeScalars)
            end = match.upperBound
        }
        result.append(contentsOf: scalars[end...])
        return String(result)
    }
}
