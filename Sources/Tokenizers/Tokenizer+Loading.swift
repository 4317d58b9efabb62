import Foundation

extension Tokenizer {
    /// Reads `tokenizer.json`.
    init(_ document: JSONNode, config: TokenizerConfig) throws(TokenizerError) {
        _ = try document.entries
        var addedTokens: [AddedToken] = []
        if let list = document["added_tokens"] {
            for node in try list.elements { addedTokens.append(try AddedToken(node)) }
        }
        func component<Component>(
            _ name: String, _ read: (JSONNode) throws(TokenizerError) -> Component
        ) throws(TokenizerError) -> Component? {
            guard let node = document[name] else { return nil }
            return try read(node)
        }
        let postProcessor = try component("post_processor") { node throws(TokenizerError) in
            try PostProcessor(node)
        }
        self.init(
            normalizer: try component("normalizer") { node throws(TokenizerError) in
                try Normalizer(node)
            },
            preTokenizer: try component("pre_tokenizer") { node throws(TokenizerError) in
                try PreTokenizer(node)
            },
            model: try BytePairModel(document.require("model")),
            addedTokens: addedTokens, postProcessor: { _ in postProcessor },
            decoder: try component("decoder") { node throws(TokenizerError) in
                try Decoder(node)
            },
            config: config)
    }

    /// Reads `vocab.json` and `merges.txt` as CLIP's fast tokenizer does.
    ///
    /// Source: transformers, `CLIPTokenizerFast`.
    init(clipFolder folder: URL, config: TokenizerConfig) throws(TokenizerError) {
        let advice = "a tokenizer folder holds tokenizer.json, or vocab.json and merges.txt"
        let vocabularyFile = folder.appendingPathComponent("vocab.json")
        let vocabulary = try BytePairModel.vocabulary(
            JSONNode(file: vocabularyFile, advice: advice))
        let config = config.withDefaults(CLIPStyle.defaults)
        let begin = config.token("bos_token") ?? CLIPStyle.begin
        let end = config.token("eos_token") ?? CLIPStyle.end
        var options = BytePairModel.Options()
        options.unknownToken = config.token("unk_token")
        options.endSuffix = CLIPStyle.endOfWord
        let model = try BytePairModel(
            vocabulary: vocabulary,
            merges: try BytePairModel.merges(
                file: folder.appendingPathComponent("merges.txt"), advice: advice),
            options: options, file: "merges.txt")
        self.init(
            normalizer: try CLIPStyle.normalizer,
            preTokenizer: try CLIPStyle.preTokenizer,
            model: model, addedTokens: try config.addedTokens,
            postProcessor: { added in
                func token(_ text: String) -> PlacedToken {
                    let key = LiteralText(text)
                    let id = added.ids[key] ?? model.vocabulary[key] ?? 0
                    return PlacedToken(id: id, text: text, range: 0..<0)
                }
                return .enclosing(start: token(begin), end: token(end), trim: nil)
            },
            decoder: .byteLevel, config: config)
    }
}

/// What CLIP's tokenizers have in common.
enum CLIPStyle {
    static let begin = "<|startoftext|>"
    static let end = "<|endoftext|>"
    static let endOfWord = "</w>"
    static let whitespace = #"\s+"#
    /// The split of transformers 5.
    ///
    /// The two tokens are words of their own also where the added tokens are not looked for in
    /// the normalized text. Published `tokenizer.json` files of
    /// CLIP lack the first two alternatives.
    static let pattern =
        #"<\|startoftext\|>|<\|endoftext\|>|"#
        + #"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"#
    static let defaults = [
        (role: "bos_token", token: begin), (role: "eos_token", token: end),
        (role: "unk_token", token: end), (role: "pad_token", token: end),
    ]

    static var normalizer: Normalizer {
        get throws(TokenizerError) {
            .sequence([
                .canonicalComposition,
                .replace(try PatternParser.parse(whitespace), with: [" "]), .lowercase,
            ])
        }
    }

    static var preTokenizer: PreTokenizer {
        get throws(TokenizerError) {
            .sequence([
                .split(try PatternParser.parse(pattern), behavior: .removed, isInverted: true),
                .byteLevel(addsPrefixSpace: false, usesPattern: true),
            ])
        }
    }
}

// MARK: - The model

extension BytePairModel {
    private static let known = ["BPE"]

    /// Reads `model` of `tokenizer.json`.
    init(_ node: JSONNode) throws(TokenizerError) {
        if let type = try node["type"]?.string, type != "BPE" {
            throw .unknownComponent(
                file: node.file, kind: "model", type: type, known: Self.known)
        }
        if let dropout = node["dropout"], case .number(let text) = dropout.value,
            Double(text) != 0
        {
            throw dropout.wrong("null or 0: with dropout a text has no certain tokens")
        }
        var options = Options()
        options.unknownToken = try node["unk_token"]?.string
        options.continuingPrefix = try node["continuing_subword_prefix"]?.string ?? ""
        options.endSuffix = try node["end_of_word_suffix"]?.string ?? ""
        options.fusesUnknown = try node.bool("fuse_unk", default: false)
        options.fallsBackToBytes = try node.bool("byte_fallback", default: false)
        options.ignoresMerges = try node.bool("ignore_merges", default: false)
        var merges: [(String, String)] = []
        let list = try node.require("merges")
        guard case .array(let values) = list.value else { throw list.wrong("a list") }
        merges.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            switch value {
            case .string(let line) where line.hasPrefix("#version"): continue
            case .string(let line):
                if let pair = Self.pair(line) {
                    merges.append(pair)
                    continue
                }
            case .array(let parts):
                if parts.count == 2, case .string(let left) = parts[0],
                    case .string(let right) = parts[1]
                {
                    merges.append((left, right))
                    continue
                }
            default: break
            }
            throw JSONNode(value, file: list.file, key: "\(list.key)[\(index)]").wrong("two tokens")
        }
        self = try BytePairModel(
            vocabulary: try Self.vocabulary(node.require("vocab")), merges: merges,
            options: options, file: node.file)
    }

    static func vocabulary(_ node: JSONNode) throws(TokenizerError) -> [LiteralText: Int] {
        var vocabulary: [LiteralText: Int] = [:]
        let entries = try node.entries
        vocabulary.reserveCapacity(entries.count)
        for (token, id) in entries {
            if case .number(let text) = id, let number = Int32(text), number >= 0 {
                vocabulary[LiteralText(token)] = Int(number)
            } else {
                let key = "\(node.key) \"\(token)\""
                _ = try JSONNode(id, file: node.file, key: key).integer
            }
        }
        return vocabulary
    }

    private static func pair(_ line: String) -> (String, String)? {
        guard let space = line.utf8.firstIndex(of: UInt8(ascii: " ")) else { return nil }
        let right = line[line.utf8.index(after: space)...]
        guard !right.utf8.contains(UInt8(ascii: " ")) else { return nil }
        return (String(line[..<space]), String(right))
    }

    /// Reads `merges.txt`: a merge a line, the version above.
    static func merges(
        file: URL, advice: String
    ) throws(TokenizerError) -> [(String, String)] {
        guard let data = try? Data(contentsOf: file) else {
            throw .unreadableFile(path: file.path, advice: advice)
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw .wrongValue(
                file: file.lastPathComponent, key: "the text", found: "not UTF-8", wanted: "UTF-8")
        }
        var merges: [(String, String)] = []
        let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            var line = line
            if line.last == "\r" { line.removeLast() }
            if index == lines.count - 1, line.isEmpty { continue }
            if line.starts(with: "#version".unicodeScalars) { continue }
            guard let pair = pair(String(line)) else {
                throw .wrongValue(
                    file: file.lastPathComponent, key: "line \(index + 1)",
                    found: "\"\(String(line).prefix(40))\"", wanted: "two tokens")
            }
            merges.append(pair)
        }
        return merges
    }
}
