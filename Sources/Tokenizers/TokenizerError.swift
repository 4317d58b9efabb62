/// What can be wrong with a tokenizer's files or with what is asked of it.
public enum TokenizerError: Error, Equatable, CustomStringConvertible {
    /// A file that is needed is not there or cannot be read.
    case unreadableFile(path: String, advice: String)
    /// A file is not JSON.
    case brokenJSON(file: String, line: Int, column: Int, reason: String)
    /// A value in a file is missing, or of another kind than it has to be.
    case wrongValue(file: String, key: String, found: String, wanted: String)
    /// A part of the tokenizer is of a type that this library does not implement.
    case unknownComponent(file: String, kind: String, type: String, known: [String])
    /// A regular expression uses syntax that this library does not implement, or is broken.
    case unsupportedPattern(pattern: String, reason: String)
    /// A merge names a token that is not in the vocabulary.
    case mergeOutsideVocabulary(file: String, merge: String, token: String)
    /// A token that is needed has no id.
    case missingToken(role: String, token: String?)
    /// A length leaves no room for the tokens that are always added.
    case lengthTooSmall(length: Int, added: Int)
    /// The trainer was asked for a vocabulary that cannot hold what it must.
    case vocabularyTooSmall(size: Int, smallest: Int)
    /// A file cannot be written.
    case unwritableFile(path: String, reason: String)

    /// The error as a sentence for the user.
    public var description: String {
        switch self {
        case .unreadableFile(let path, let advice):
            "The file \(path) cannot be read; \(advice)."
        case .brokenJSON(let file, let line, let column, let reason):
            "\(file) is not valid JSON at line \(line), column \(column): \(reason)."
        case .wrongValue(let file, let key, let found, let wanted):
            "\(file): \(key) is \(found); it has to be \(wanted)."
        case .unknownComponent(let file, let kind, let type, let known):
            "\(file): the \(kind) type \"\(type)\" is not known; known are "
                + known.joined(separator: ", ") + "."
        case .unsupportedPattern(let pattern, let reason):
            "The regular expression \(pattern) cannot be used: \(reason)."
        case .mergeOutsideVocabulary(let file, let merge, let token):
            "\(file): the merge \"\(merge)\" needs the token \"\(token)\", which the vocabulary "
                + "does not have."
        case .missingToken(let role, let token):
            token.map { "The \(role) token \"\($0)\" has no id in the vocabulary." }
                ?? "The tokenizer has no \(role) token; name one in tokenizer_config.json."
        case .lengthTooSmall(let length, let added):
            "A length of \(length) tokens has no room for the \(added) tokens that are always "
                + "added; use at least \(added)."
        case .vocabularyTooSmall(let size, let smallest):
            "A vocabulary of \(size) tokens is too small; use at least \(smallest)."
        case .unwritableFile(let path, let reason):
            "The file \(path) cannot be written: \(reason)."
        }
    }
}
