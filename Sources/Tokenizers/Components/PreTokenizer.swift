/// How a text is cut into words: one entry of `pre_tokenizer` in `tokenizer.json`.
indirect enum PreTokenizer: Sendable {
    case split(Pattern, behavior: Behavior, isInverted: Bool)
    /// Words as scalars of the byte alphabet, with or without GPT-2's own split.
    case byteLevel(addsPrefixSpace: Bool, usesPattern: Bool)
    case sequence([PreTokenizer])

    /// What becomes of the matches of a split.
    enum Behavior: String, CaseIterable, Sendable {
        case removed = "Removed"
        case isolated = "Isolated"
        case mergedWithPrevious = "MergedWithPrevious"
        case mergedWithNext = "MergedWithNext"
        case contiguous = "Contiguous"
    }

    private static let known = ["ByteLevel", "Sequence", "Split"]

    /// Source: GPT-2's encoder.
    static let bytePattern =
        #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    private static let compiledBytePattern = Result {
        () throws(TokenizerError) in try PatternParser.parse(bytePattern)
    }

    init(_ node: JSONNode) throws(TokenizerError) {
        let type = try node.require("type").string
        switch type {
        case "ByteLevel":
            self = .byteLevel(
                addsPrefixSpace: try node.require("add_prefix_space").bool,
                usesPattern: try node.bool("use_regex", default: true))
        case "Split":
            let behavior = try node.require("behavior")
            guard let value = Behavior(rawValue: try behavior.string) else {
                throw behavior.wrong(
                    "one of " + Behavior.allCases.map(\.rawValue).joined(separator: ", "))
            }
            self = .split(
                try Pattern(node.require("pattern")), behavior: value,
                isInverted: try node.require("invert").bool)
        case "Sequence":
            var parts: [PreTokenizer] = []
            for part in try node.require("pretokenizers").elements {
                parts.append(try PreTokenizer(part))
            }
            self = .sequence(parts)
        default:
            throw .unknownComponent(
                file: node.file, kind: "pre-tokenizer", type: type, known: Self.known)
        }
    }

    /// The words of some texts, none of them empty.
    func words(of texts: [AlignedText]) -> [AlignedText] {
        switch self {
        case .sequence(let parts):
            parts.reduce(texts) { texts, part in part.words(of: texts) }
        case .split(let pattern, let behavior, let isInverted):
            texts.flatMap { Self.split($0, pattern, behavior, isInverted: isInverted) }
        case .byteLevel(let addsPrefixSpace, let usesPattern):
            texts.flatMap { text in
                Self.byteWords(text, addsPrefixSpace: addsPrefixSpace, usesPattern: usesPattern)
            }
        }
    }

    private static func byteWords(
        _ text: AlignedText, addsPrefixSpace: Bool, usesPattern: Bool
    ) -> [AlignedText] {
        var text = text
        if addsPrefixSpace, text.first != " " { text.prepend(" ") }
        var words = [text]
        if usesPattern, case .success(let pattern) = compiledBytePattern {
            words = split(text, pattern, .isolated, isInverted: false)
        }
        for index in words.indices {
            let changes = words[index].scalars.flatMap { scalar in
                ByteAlphabet.encode([scalar]).enumerated().map {
                    AlignedText.Change(scalar: $0.element, change: $0.offset == 0 ? 0 : 1)
                }
            }
            words[index].apply(changes)
        }
        return words
    }
}

// MARK: - Splits

extension PreTokenizer {
    private struct Part {
        var range: Range<Int>
        var isMatch: Bool
    }

    private static func split(
        _ text: AlignedText, _ pattern: Pattern, _ behavior: Behavior, isInverted: Bool
    ) -> [AlignedText] {
        let parts = parts(of: text, pattern, isInverted: isInverted)
        let ranges: [Range<Int>] =
            switch behavior {
            case .isolated: parts.map(\.range)
            case .removed: parts.filter { !$0.isMatch }.map(\.range)
            case .contiguous: joined(parts) { $0.isMatch == $1 }
            case .mergedWithPrevious: joined(parts) { $0.isMatch && !$1 }
            case .mergedWithNext:
                joined(parts.reversed()) { $0.isMatch && !$1 }.reversed()
            }
        return ranges.filter { !$0.isEmpty }.map { text.slice($0) }
    }

    /// Matches and what lies between them, in order and without gaps.
    private static func parts(
        of text: AlignedText, _ pattern: Pattern, isInverted: Bool
    ) -> [Part] {
        var parts: [Part] = []
        var end = 0
        for match in pattern.matches(in: text.scalars) {
            if match.lowerBound > end {
                parts.append(Part(range: end..<match.lowerBound, isMatch: isInverted))
            }
            parts.append(Part(range: match, isMatch: !isInverted))
            end = match.upperBound
        }
        if end < text.count {
            parts.append(Part(range: end..<text.count, isMatch: isInverted))
        }
        return parts
    }

    /// Joins a part to the one before it where the rule says so, given the part and whether
    /// the one before was a match (at the start: not).
    private static func joined(
        _ parts: [Part], where rule: (Part, _ previous: Bool) -> Bool
    ) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var previous = false
        for part in parts {
            if let last = ranges.last, rule(part, previous) {
                ranges[ranges.count - 1] =
                    min(
                        last.lowerBound, part.range.lowerBound)..<max(
                        last.upperBound, part.range.upperBound)
            } else {
                ranges.append(part.range)
            }
            previous = part.isMatch
        }
        return ranges
    }
}
