import Foundation

/// The tokens that have a role in texts.
struct SpecialTokens: Sendable {
    var begin: String?
    var end: String?
    var padding: String?
    var unknown: String?
}

/// `tokenizer_config.json` with the older files beside it, all of which may be absent.
struct TokenizerConfig {
    /// The entries `*_token` by key: a string, or an object that describes an added token.
    private var roles: [String: JSONNode] = [:]
    private var extras: [JSONNode] = []
    /// By id, where the folder lists them so.
    private var listed: [(id: Int, token: AddedToken)] = []

    private static let standardRoles = [
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ]

    init(folder: URL) throws(TokenizerError) {
        func read(_ name: String) throws(TokenizerError) -> JSONNode? {
            let url = folder.appendingPathComponent(name)
            guard FileManager.default.fileExists(atPath: url.path) else { return nil }
            return try JSONNode(file: url, advice: "check that it may be read")
        }
        let config = try read("tokenizer_config.json")
        if let config { try take(config, overwrites: true) }
        if let map = try read("special_tokens_map.json") {
            // Where the configuration lists added tokens, it is the newer file and wins.
            try take(map, overwrites: config?["added_tokens_decoder"] == nil)
        }
        if let decoder = config?["added_tokens_decoder"] {
            try list(decoder)
        } else if let added = try read("added_tokens.json") {
            try listLegacy(added)
        }
    }

    private mutating func take(
        _ node: JSONNode, overwrites: Bool
    ) throws(TokenizerError) {
        for (key, value) in try node.entries {
            let entry = JSONNode(value, file: node.file, key: key)
            switch value {
            case .string, .object:
                guard key.hasSuffix("_token"), overwrites || roles[key] == nil else { continue }
                roles[key] = entry
            case .array where key.hasSuffix("_special_tokens"):
                guard overwrites || extras.isEmpty else { continue }
                extras = try entry.elements
            default: continue
            }
        }
    }

    private mutating func list(_ decoder: JSONNode) throws(TokenizerError) {
        for (key, value) in try decoder.entries {
            let node = JSONNode(value, file: decoder.file, key: "\(decoder.key).\(key)")
            guard let id = Int(key) else { throw node.wrong("under a number") }
            listed.append((id, try AddedToken(node)))
        }
        listed.sort { $0.id < $1.id }
    }

    private mutating func listLegacy(_ added: JSONNode) throws(TokenizerError) {
        let special = Set(try namedTokens.map { LiteralText($0.content) })
        for (content, value) in try added.entries {
            var token = AddedToken(special: content)
            token.isSpecial = special.contains(LiteralText(content))
            token.isNormalized = !token.isSpecial
            let id = try JSONNode(value, file: added.file, key: content).integer
            listed.append((id, token))
        }
        listed.sort { $0.id < $1.id }
    }

    private static func content(_ node: JSONNode?) -> String? {
        guard let node else { return nil }
        return (try? node.string) ?? (try? node.require("content").string)
    }

    /// The content of the token with a role.
    func token(_ role: String) -> String? { Self.content(roles[role]) }

    var specialTokens: SpecialTokens {
        SpecialTokens(
            begin: token("bos_token"), end: token("eos_token"), padding: token("pad_token"),
            unknown: token("unk_token"))
    }

    private var namedTokens: [AddedToken] {
        get throws(TokenizerError) {
            let custom = roles.keys.filter { !Self.standardRoles.contains($0) }.sorted()
            var nodes = (Self.standardRoles + custom).compactMap { roles[$0] }
            nodes += extras
            var tokens: [AddedToken] = []
            for node in nodes {
                if case .string(let content) = node.value {
                    tokens.append(AddedToken(special: content))
                } else {
                    tokens.append(try AddedToken(node, isSpecial: true))
                }
            }
            return tokens
        }
    }

    /// The same with tokens for the roles that the folder leaves open.
    func withDefaults(_ defaults: [(role: String, token: String)]) -> TokenizerConfig {
        var complete = self
        for (role, token) in defaults where complete.roles[role] == nil {
            complete.roles[role] = JSONNode(.string(token), file: "the defaults", key: role)
        }
        return complete
    }

    /// The added tokens of a folder without `tokenizer.json`, in the order in which transformers
    /// adds them: a later one replaces an earlier one of the same content.
    var addedTokens: [AddedToken] {
        get throws(TokenizerError) {
            var tokens = listed.map(\.token)
            let contents = Set(tokens.map { LiteralText($0.content) })
            let named = try namedTokens
            let namedContents = Set(named.map { LiteralText($0.content) })
            for index in tokens.indices
            where namedContents.contains(LiteralText(tokens[index].content)) {
                tokens[index].isSpecial = true
            }
            for token in named
            where !contents.contains(LiteralText(token.content)) && !tokens.contains(token) {
                tokens.append(token)
            }
            return tokens
        }
    }
}
