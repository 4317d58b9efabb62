public import Foundation

/// A byte-level byte-pair vocabulary that is learned from lines of text.
///
/// The same lines and size always give the same vocabulary: pairs are merged by their count,
/// and among equals the one whose tokens are older goes first.
///
/// Source: arXiv 1508.07909.
public struct BytePairTrainer: Sendable {
    /// Which family of tokenizers the vocabulary is for.
    public enum Style: Sendable {
        /// Llama 3: case and spaces are kept.
        case llama
        /// CLIP: lower case, white space only separates, the last token of a word is marked.
        case clip
    }

    /// Which family the vocabulary is for.
    public let style: Style
    /// Tokens by id: bytes, then what was merged; special tokens follow in the files.
    public let tokens: [String]
    /// The pairs that were merged, in order.
    public let merges: [Merge]

    /// Two tokens that become one.
    public struct Merge: Equatable, Sendable {
        /// The token on the left.
        public var left: String
        /// The token on the right.
        public var right: String

        /// The pair of two tokens.
        public init(left: String, right: String) {
            self.left = left
            self.right = right
        }
    }

    /// Learns a vocabulary.
    ///
    /// - Parameters:
    ///   - lines: the text, in any portions; nothing is learned across their borders.
    ///   - vocabularySize: the number of tokens with special ones; fewer come out where no pair
    ///     is left that occurs twice.
    /// - Throws: ``TokenizerError/vocabularyTooSmall(size:smallest:)`` where the bytes and
    ///   special tokens alone are more.
    public init(
        lines: some Sequence<String>, vocabularySize: Int, style: Style
    ) throws(TokenizerError) {
        let smallest = style.alphabet.count + style.specialTokens.count
        guard vocabularySize >= smallest else {
            throw .vocabularyTooSmall(size: vocabularySize, smallest: smallest)
        }
        var learner = PairLearner(
            words: try Self.words(of: lines, style), alphabet: style.alphabet,
            endSuffix: style.endSuffix)
        learner.learn(tokens: vocabularySize - style.specialTokens.count)
        self.style = style
        tokens = learner.tokens
        merges = learner.merges.map {
            Merge(left: learner.tokens[$0.left], right: learner.tokens[$0.right])
        }
    }

    /// Writes the files of a tokenizer folder, which is made where it is missing.
    ///
    /// Llama 3: `tokenizer.json`, `tokenizer_config.json`, `special_tokens_map.json`; CLIP:
    /// also `vocab.json` and `merges.txt`. Each file is written whole or not at all.
    ///
    /// - Throws: ``TokenizerError/unwritableFile(path:reason:)``.
    public func write(to folder: URL) throws(TokenizerError) {
        do {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true)
        } catch {
            throw .unwritableFile(path: folder.path, reason: error.localizedDescription)
        }
        for (name, text) in style == .llama ? llamaFiles : clipFiles {
            let file = folder.appendingPathComponent(name)
            do {
                try Data(text.utf8).write(to: file, options: .atomic)
            } catch {
                throw .unwritableFile(path: file.path, reason: error.localizedDescription)
            }
        }
    }

    private static func words(
        of lines: some Sequence<String>, _ style: Style
    ) throws(TokenizerError) -> [LiteralText: Int] {
        let normalizer = style == .clip ? try CLIPStyle.normalizer : nil
        let preTokenizer =
            style == .clip
            ? try CLIPStyle.preTokenizer
            : try LlamaStyle.preTokenizer
        var counts: [LiteralText: Int] = [:]
        for line in lines {
            var text = AlignedText(line)
            normalizer?.apply(to: &text)
            for word in preTokenizer.words(of: [text]) {
                counts[LiteralText(word.scalars), default: 0] += 1
            }
        }
        return counts
    }
}

extension BytePairTrainer.Style {
    var endSuffix: String { self == .clip ? CLIPStyle.endOfWord : "" }

    /// The single bytes, in CLIP's style once more as the ends of words.
    var alphabet: [String] {
        let bytes = ByteAlphabet.scalars.sorted().map { String(Character($0)) }
        return self == .clip ? bytes + bytes.map { $0 + endSuffix } : bytes
    }

    var specialTokens: [String] {
        self == .clip ? [CLIPStyle.begin, CLIPStyle.end] : LlamaStyle.specialTokens
    }
}

/// What Llama 3's tokenizers have in common.
enum LlamaStyle {
    static let begin = "<|begin_of_text|>"
    static let end = "<|end_of_text|>"
    static let padding = "<pad>"
    static let specialTokens = [
        begin, end, "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", padding,
    ]
    static let pattern =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"#
        + #" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#

    static var preTokenizer: PreTokenizer {
        get throws(TokenizerError) {
            .sequence([
                .split(
                    try PatternParser.parse(pattern), behavior: .isolated, isInverted: false),
                .byteLevel(addsPrefixSpace: false, usesPattern: false),
            ])
        }
    }
}
