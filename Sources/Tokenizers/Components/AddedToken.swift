/// A token that is found in the text as a whole, before the text is cut into words.
struct AddedToken: Sendable, Equatable {
    var content: String
    var isSingleWord = false
    /// Whether white space on the left, or right, belongs to it.
    var stripsLeft = false
    var stripsRight = false
    /// Whether it is looked for in the normalized text, in its own normalized form.
    var isNormalized: Bool
    var isSpecial: Bool

    init(special content: String) {
        self.content = content
        isNormalized = false
        isSpecial = true
    }

    /// Reads an object; what it leaves out is as the library has it for a new token.
    init(_ node: JSONNode, isSpecial: Bool? = nil) throws(TokenizerError) {
        content = try node.require("content").string
        isSingleWord = try node.bool("single_word", default: false)
        stripsLeft = try node.bool("lstrip", default: false)
        stripsRight = try node.bool("rstrip", default: false)
        let special = try node.bool("special", default: isSpecial ?? false)
        self.isSpecial = isSpecial ?? special
        isNormalized = try node.bool("normalized", default: !self.isSpecial)
    }
}
