/// Finds which pairs of tokens to merge, with counts that are kept up to date.
struct PairLearner {
    struct Pair: Hashable {
        var left: Int
        var right: Int
    }

    private(set) var tokens: [String]
    private(set) var merges: [Pair] = []
    private var ids: [LiteralText: Int]
    private var words: [[Int]]
    private let counts: [Int]
    private var pairCounts: [Pair: Int] = [:]
    private var wordsWithPair: [Pair: Set<Int>] = [:]

    /// Pairs that occur less often teach nothing.
    private static let leastCount = 2

    init(words: [LiteralText: Int], alphabet: [String], endSuffix: String) {
        tokens = alphabet
        var ids: [LiteralText: Int] = [:]
        for (id, token) in alphabet.enumerated() { ids[LiteralText(token)] = id }
        self.ids = ids
        let sorted = words.sorted {
            $0.key.text.unicodeScalars.lexicographicallyPrecedes($1.key.text.unicodeScalars)
        }
        counts = sorted.map(\.value)
        self.words = sorted.map { word, _ in
            let scalars = Array(word.text.unicodeScalars)
            return scalars.enumerated().compactMap { index, scalar in
                let suffix = index == scalars.count - 1 ? endSuffix : ""
                return ids[LiteralText(String(Character(scalar)) + suffix)]
            }
        }
        for index in self.words.indices { count(index, sign: 1) }
    }

    /// Merges until there are so many tokens, or nothing is left to merge.
    mutating func learn(tokens wanted: Int) {
        while tokens.count < wanted, let pair = best() {
            merge(pair)
        }
    }

    private func best() -> Pair? {
        let best = pairCounts.max { a, b in
            a.value != b.value
                ? a.value < b.value : (a.key.left, a.key.right) > (b.key.left, b.key.right)
        }
        guard let best, best.value >= Self.leastCount else { return nil }
        return best.key
    }

    private mutating func merge(_ pair: Pair) {
        let joined = LiteralText(tokens[pair.left] + tokens[pair.right])
        let id = ids[joined] ?? tokens.count
        if id == tokens.count {
            tokens.append(joined.text)
            ids[joined] = id
        }
        merges.append(pair)
        for index in wordsWithPair[pair] ?? [] {
            count(index, sign: -1)
            words[index] = Self.merged(words[index], pair, id)
            count(index, sign: 1)
        }
    }

    private static func merged(_ word: [Int], _ pair: Pair, _ id: Int) -> [Int] {
        var result: [Int] = []
        var index = 0
        while index < word.count {
            if index + 1 < word.count, word[index] == pair.left, word[index + 1] == pair.right {
                result.append(id)
                index += 2
            } else {
                result.append(word[index])
                index += 1
            }
        }
        return result
    }

    private mutating func count(_ index: Int, sign: Int) {
        let word = words[index]
        for (left, right) in zip(word, word.dropFirst()) {
            let pair = Pair(left: left, right: right)
            pairCounts[pair, default: 0] += sign * counts[index]
            if pairCounts[pair] == 0 { pairCounts[pair] = nil }
            if sign > 0 {
                wordsWithPair[pair, default: []].insert(index)
            } else {
                wordsWithPair[pair]?.remove(index)
            }
        }
    }
}
