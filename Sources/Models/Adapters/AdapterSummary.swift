/// What became of the keys of an adapter file.
public struct AdapterSummary: Codable, Sendable, Equatable {
    /// What the file's adapters are: LoRA, LoHa, LoKr.
    public var kinds: [String]
    /// The ranks that occur, rising; empty for LoKr alone, which has none.
    public var ranks: [Int]
    /// Layers that are adapted.
    public var layers: Int
    /// Keys of the file that are used.
    public var matchedKeys: Int
    /// Keys of the file.
    public var keys: Int
    /// Keys that nothing reads, sorted.
    public var unmatched: [String]
    /// The base model that the file says it was made for, in its own words.
    public var madeFor: String?

    /// One line for the user: how many keys matched, and the first of those that did not.
    public var text: String {
        let rank = ranks.isEmpty ? "" : " of rank " + ranks.map(String.init).joined(separator: ", ")
        let what = kinds.joined(separator: " and ") + rank
        let origin = madeFor.map { ", made for \($0)" } ?? ""
        let head =
            "\(matchedKeys) of \(keys) keys matched: \(what) for \(layers) "
            + (layers == 1 ? "layer" : "layers") + origin
        guard !unmatched.isEmpty else { return head + "." }
        return head + "; no place for " + Self.some(unmatched) + "."
    }

    /// What the tensors of a file are by their keys: LoRA, LoHa, LoKr, DoRA; nothing for another
    /// file.
    package static func kinds(ofKeys keys: some Sequence<String>) -> [String] {
        Set(keys.compactMap { AdapterKey($0)?.part.kind }).sorted()
    }

    /// The first three of a list, and how many there are besides.
    static func some(_ names: [String]) -> String {
        let rest = names.count - 3
        return names.prefix(3).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }
}
