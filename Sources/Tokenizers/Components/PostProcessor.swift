/// A token with its place in the original text, before special tokens are added.
struct PlacedToken: Sendable {
    var id: Int
    /// The token as a string, whose white space trimming looks at.
    var text: String
    /// In scalars of the original.
    var range: Range<Int>
}

/// What is added and trimmed at the end: one entry of `post_processor` in `tokenizer.json`.
indirect enum PostProcessor: Sendable {
    case byteLevel(trim: Trim?)
    case template([Piece])
    /// Start and end token around the text, for RoBERTa and BERT.
    case enclosing(start: PlacedToken, end: PlacedToken, trim: Trim?)
    case sequence([PostProcessor])

    enum Piece: Sendable {
        case text
        case special([PlacedToken])
    }

    /// How offsets lose the white space that tokens have at their ends.
    struct Trim: Sendable {
        var addsPrefixSpace: Bool
    }

    private static let known = [
        "BertProcessing", "ByteLevel", "RobertaProcessing", "Sequence", "TemplateProcessing",
    ]

    init(_ node: JSONNode) throws(TokenizerError) {
        let type = try node.require("type").string
        switch type {
        case "ByteLevel": self = .byteLevel(trim: try Self.trim(node))
        case "TemplateProcessing": self = .template(try Self.pieces(node))
        case "RobertaProcessing":
            self = .enclosing(
                start: try Self.token(node.require("cls")),
                end: try Self.token(node.require("sep")), trim: try Self.trim(node))
        case "BertProcessing":
            self = .enclosing(
                start: try Self.token(node.require("cls")),
                end: try Self.token(node.require("sep")), trim: nil)
        case "Sequence":
            var parts: [PostProcessor] = []
            for part in try node.require("processors").elements {
                parts.append(try PostProcessor(part))
            }
            self = .sequence(parts)
        default:
            throw .unknownComponent(
                file: node.file, kind: "post-processor", type: type, known: Self.known)
        }
    }

    /// How many tokens it adds.
    var added: Int {
        switch self {
        case .byteLevel: 0
        case .enclosing: 2
        case .sequence(let parts): parts.map(\.added).reduce(0, +)
        case .template(let pieces):
            pieces.map { piece in
                if case .special(let tokens) = piece { tokens.count } else { 0 }
            }.reduce(0, +)
        }
    }

    /// Works on runs of tokens, the text's and those that were added before.
    func process(_ runs: [[PlacedToken]], addsSpecial: Bool) -> [[PlacedToken]] {
        switch self {
        case .byteLevel(let trim): trim.map { Self.trimmed(runs, $0) } ?? runs
        case .sequence(let parts):
            parts.reduce(runs) { $1.process($0, addsSpecial: addsSpecial) }
        case .enclosing(let start, let end, let trim):
            Self.enclosed(trim.map { Self.trimmed(runs, $0) } ?? runs, start, end, addsSpecial)
        case .template(let pieces):
            pieces.compactMap { piece in
                switch piece {
                case .text: runs.first
                case .special(let tokens): addsSpecial ? tokens : nil
                }
            }
        }
    }

    /// Later runs begin with the end token, as the second text of a pair does.
    private static func enclosed(
        _ runs: [[PlacedToken]], _ start: PlacedToken, _ end: PlacedToken, _ addsSpecial: Bool
    ) -> [[PlacedToken]] {
        guard addsSpecial else { return runs }
        return runs.enumerated().map { index, run in
            [index == 0 ? start : end] + run + [end]
        }
    }
}

// MARK: - Reading

extension PostProcessor {
    private static func trim(_ node: JSONNode) throws(TokenizerError) -> Trim? {
        let addsPrefixSpace = try node.bool("add_prefix_space", default: true)
        guard try node.bool("trim_offsets", default: true) else { return nil }
        return Trim(addsPrefixSpace: addsPrefixSpace)
    }

    /// `[content, id]`.
    private static func token(_ node: JSONNode) throws(TokenizerError) -> PlacedToken {
        let parts = try node.elements
        guard parts.count == 2 else { throw node.wrong("a token and its id") }
        return PlacedToken(id: try parts[1].integer, text: try parts[0].string, range: 0..<0)
    }

    private static func pieces(_ node: JSONNode) throws(TokenizerError) -> [Piece] {
        var pieces: [Piece] = []
        for piece in try node.require("single").elements {
            if let sequence = piece["Sequence"] {
                guard try sequence.require("id").string == "A" else {
                    throw piece.wrong("the sequence A, the only one of a single text")
                }
                pieces.append(.text)
                continue
            }
            let name = try piece.require("SpecialToken").require("id").string
            let special = try node.require("special_tokens").require(name)
            let texts = try special.require("tokens").elements
            var tokens: [PlacedToken] = []
            for (index, id) in try special.require("ids").elements.enumerated() {
                guard index < texts.count else { throw special.wrong("as many tokens as ids") }
                tokens.append(
                    PlacedToken(id: try id.integer, text: try texts[index].string, range: 0..<0))
            }
            pieces.append(.special(tokens))
        }
        return pieces
    }
}

// MARK: - Trimming

extension PostProcessor {
    private static func trimmed(_ runs: [[PlacedToken]], _ trim: Trim) -> [[PlacedToken]] {
        runs.map { run in
            run.enumerated().map { index, token in
                var token = token
                token.range = range(of: token, isFirst: index == 0, trim)
                return token
            }
        }
    }

    private static func range(
        of token: PlacedToken, isFirst: Bool, _ trim: Trim
    ) -> Range<Int> {
        func isSpace(_ scalar: Unicode.Scalar) -> Bool {
            scalar == ByteAlphabet.space || scalar.properties.isWhitespace
        }
        let scalars = token.text.unicodeScalars
        var leading = scalars.prefix(while: isSpace).count
        let trailing = scalars.reversed().prefix(while: isSpace).count
        var (start, end) = (token.range.lowerBound, token.range.upperBound)
        if leading > 0 {
            // One space at the start of the text is the one that was put there.
            if isFirst || start == 0, trim.addsPrefixSpace, leading == 1 { leading = 0 }
            start = min(start + leading, end)
        }
        if trailing > 0, end >= trailing { end = max(end - trailing, start) }
        return start..<end
    }
}
