public import Foundation

/// A text tokenizer read from a folder in the file formats of the tokenizers library.
///
/// Llama 3's and CLIP's tokenizers are what it is meant for: byte-level byte-pair encoding
/// with everything around it. It gives the same ids and offsets as the library.
///
/// Source: the tokenizers library's `tokenizer.json`.
public struct Tokenizer: Sendable {
    let normalizer: Normalizer?
    let preTokenizer: PreTokenizer?
    let model: BytePairModel
    let added: AddedVocabulary
    let postProcessor: PostProcessor?
    let decoder: Decoder?
    let specialTokens: SpecialTokens

    /// A text as tokens.
    public struct Encoding: Equatable, Sendable {
        /// The ids, in order.
        public var ids: [Int]
        /// Where each token stands in the text, in Unicode scalars; `0..<0` for special
        /// tokens that were added.
        public var offsets: [Range<Int>]
    }

    /// A text as a given number of tokens.
    public struct PaddedEncoding: Equatable, Sendable {
        /// The ids, in order, with the padding behind.
        public var ids: [Int]
        /// 1 for the text's tokens, 0 for padding.
        public var attentionMask: [Int]
    }

    /// Reads a tokenizer's folder.
    ///
    /// `tokenizer.json` says everything; without one, `vocab.json` and `merges.txt` are read as
    /// CLIP's, with the added tokens of `tokenizer_config.json`. The special tokens' roles come
    /// from `tokenizer_config.json` and `special_tokens_map.json`.
    ///
    /// - Throws: ``TokenizerError`` that names the file and the value that is wrong.
    public init(folder: URL) throws(TokenizerError) {
        let config = try TokenizerConfig(folder: folder)
        let file = folder.appendingPathComponent("tokenizer.json")
        if FileManager.default.fileExists(atPath: file.path) {
            let document = try JSONNode(file: file, advice: "check that it may be read")
            self = try Tokenizer(document, config: config)
        } else {
            self = try Tokenizer(clipFolder: folder, config: config)
        }
    }

    init(
        normalizer: Normalizer?, preTokenizer: PreTokenizer?, model: BytePairModel,
        addedTokens: [AddedToken], postProcessor: (AddedVocabulary) -> PostProcessor?,
        decoder: Decoder?, config: TokenizerConfig
    ) {
        self.normalizer = normalizer
        self.preTokenizer = preTokenizer
        self.model = model
        added = AddedVocabulary(addedTokens, model: model, normalizer: normalizer)
        self.postProcessor = postProcessor(added)
        self.decoder = decoder
        specialTokens = config.specialTokens
    }
}

// MARK: - Encoding

extension Tokenizer {
    /// The tokens of a text, neither padded nor truncated.
    ///
    /// - Parameter addSpecialTokens: whether the tokens that begin and end a text are added.
    public func encode(_ text: String, addSpecialTokens: Bool = true) -> Encoding {
        encoding(finish(tokens(of: text), addSpecialTokens: addSpecialTokens))
    }

    /// The tokens of a text in exactly `length` places: cut on the right, padded on the right.
    ///
    /// Tokens that are added at the ends stay when the text is cut.
    ///
    /// - Throws: ``TokenizerError/lengthTooSmall(length:added:)`` where the added tokens have no
    ///   room, ``TokenizerError/missingToken(role:token:)`` where a padding token is needed and
    ///   there is none.
    ///
    /// Source: transformers, `padding="max_length", truncation=True`.
    public func encode(_ text: String, length: Int) throws(TokenizerError) -> PaddedEncoding {
        var encoding = try encode(text, maximumLength: length)
        let missing = length - encoding.ids.count
        if missing > 0 {
            guard let pad = padTokenID else {
                throw .missingToken(role: "padding", token: specialTokens.padding)
            }
            encoding.ids += [Int](repeating: pad, count: missing)
            encoding.attentionMask += [Int](repeating: 0, count: missing)
        }
        return encoding
    }

    /// The tokens of a text, at most `maximumLength` of them, cut on the right.
    ///
    /// - Throws: ``TokenizerError/lengthTooSmall(length:added:)``.
    ///
    /// Source: transformers, `truncation=True`.
    public func encode(
        _ text: String, maximumLength: Int
    ) throws(TokenizerError) -> PaddedEncoding {
        let added = postProcessor?.added ?? 0
        guard maximumLength >= added else {
            throw .lengthTooSmall(length: maximumLength, added: added)
        }
        let tokens = Array(tokens(of: text).prefix(maximumLength - added))
        let ids = finish(tokens, addSpecialTokens: true).map(\.id)
        return PaddedEncoding(ids: ids, attentionMask: [Int](repeating: 1, count: ids.count))
    }

    private func encoding(_ tokens: [PlacedToken]) -> Encoding {
        Encoding(ids: tokens.map(\.id), offsets: tokens.map(\.range))
    }

    private func finish(_ tokens: [PlacedToken], addSpecialTokens: Bool) -> [PlacedToken] {
        guard let postProcessor else { return tokens }
        return postProcessor.process([tokens], addsSpecial: addSpecialTokens).flatMap { $0 }
    }

    private func tokens(of text: String) -> [PlacedToken] {
        added.parts(of: AlignedText(text)).flatMap { part in
            if let id = part.id {
                return [
                    PlacedToken(
                        id: id, text: LiteralText(part.text.scalars).text,
                        range: part.text.originalRange(of: 0..<part.text.count))
                ]
            }
            let words = preTokenizer?.words(of: [part.text]) ?? [part.text]
            return words.flatMap(tokens)
        }
    }

    private func tokens(of word: AlignedText) -> [PlacedToken] {
        model.encode(word.scalars).map { token in
            PlacedToken(
                id: token.id, text: model.token(token.id) ?? "",
                range: word.originalRange(of: token.range))
        }
    }
}

// MARK: - Decoding and ids

extension Tokenizer {
    /// The text of some tokens; ids that are no tokens are passed over.
    public func decode(_ ids: [Int], skipSpecialTokens: Bool = true) -> String {
        let tokens = ids.compactMap { added.text(of: $0) ?? model.token($0) }
            .filter { !skipSpecialTokens || !added.isSpecial($0) }
        return decoder?.decode(tokens).joined() ?? tokens.joined(separator: " ")
    }

    /// The id of a token, nil where there is no such token.
    public func tokenToID(_ token: String) -> Int? {
        added.ids[LiteralText(token)] ?? model.vocabulary[LiteralText(token)]
    }

    /// The token of an id, as its file writes it; nil where there is no such id.
    public func idToToken(_ id: Int) -> String? {
        added.tokens[id]?.content ?? model.token(id)
    }

    /// How many tokens there are, added ones included.
    public var vocabularySize: Int {
        model.vocabulary.count + added.ids.keys.count { model.vocabulary[$0] == nil }
    }

    /// The id of the token that begins a text, if the folder names one.
    public var beginTokenID: Int? { specialTokens.begin.flatMap(tokenToID) }

    /// The id of the token that ends a text, if the folder names one.
    public var endTokenID: Int? { specialTokens.end.flatMap(tokenToID) }

    /// The id of the token that fills up, if the folder names one.
    public var padTokenID: Int? { specialTokens.padding.flatMap(tokenToID) }

    /// The id of the token for what is unknown, if the folder names one.
    public var unknownTokenID: Int? { specialTokens.unknown.flatMap(tokenToID) }
}
