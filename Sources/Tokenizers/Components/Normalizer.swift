/// What happens to a text before it is split: one entry of `normalizer` in `tokenizer.json`.
indirect enum Normalizer: Sendable {
    case canonicalDecomposition
    case canonicalComposition
    case lowercase
    case replace(Pattern, with: [Unicode.Scalar])
    case prepend(String)
    case strip(left: Bool, right: Bool)
    case sequence([Normalizer])

    private static let known = [
        "Lowercase", "NFC", "NFD", "Prepend", "Replace", "Sequence", "Strip",
    ]

    init(_ node: JSONNode) throws(TokenizerError) {
        let type = try node.require("type").string
        switch type {
        case "NFC": self = .canonicalComposition
        case "NFD": self = .canonicalDecomposition
        case "Lowercase": self = .lowercase
        case "Prepend": self = .prepend(try node.require("prepend").string)
        case "Strip":
            self = .strip(
                left: try node.require("strip_left").bool,
                right: try node.require("strip_right").bool)
        case "Replace":
            self = .replace(
                try Pattern(node.require("pattern")),
                with: Array(try node.require("content").string.unicodeScalars))
        case "Sequence":
            var parts: [Normalizer] = []
            for part in try node.require("normalizers").elements {
                parts.append(try Normalizer(part))
            }
            self = .sequence(parts)
        default:
            throw .unknownComponent(
                file: node.file, kind: "normalizer", type: type, known: Self.known)
        }
    }

    func apply(to text: inout AlignedText) {
        switch self {
        case .canonicalDecomposition: text.apply(CanonicalForms.decomposed(text.scalars))
        case .canonicalComposition:
            if let changes = CanonicalForms.composed(text.scalars) { text.apply(changes) }
        case .lowercase: text.apply(Self.lowercased(text.scalars))
        case .replace(let pattern, let replacement):
            text.replace(pattern, with: replacement)
        case .prepend(let prefix): text.prepend(prefix)
        case .strip(let left, let right): text.strip(left: left, right: right)
        case .sequence(let parts):
            for part in parts { part.apply(to: &text) }
        }
    }

    /// Each scalar by itself: the final sigma is as any other.
    private static func lowercased(_ text: [Unicode.Scalar]) -> [AlignedText.Change] {
        var changes: [AlignedText.Change] = []
        changes.reserveCapacity(text.count)
        for scalar in text {
            if scalar.isASCII {
                let isUpper = (0x41...0x5A).contains(scalar.value)
                let lower = isUpper ? Unicode.Scalar(UInt8(scalar.value + 32)) : scalar
                changes.append(AlignedText.Change(scalar: lower, change: 0))
                continue
            }
            for (index, lower) in scalar.properties.lowercaseMapping.unicodeScalars.enumerated() {
                changes.append(AlignedText.Change(scalar: lower, change: index == 0 ? 0 : 1))
            }
        }
        return changes
    }
}

extension Pattern {
    /// Reads `{"Regex": …}` or `{"String": …}`.
    init(_ node: JSONNode) throws(TokenizerError) {
        if let regex = node["Regex"] {
            self = try PatternParser.parse(try regex.string)
        } else if let literal = node["String"] {
            self.init(literal: try literal.string)
        } else {
            throw node.wrong("an object with Regex or String")
        }
    }
}
