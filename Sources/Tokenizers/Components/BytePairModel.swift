/// Byte-pair encoding of one word at a time: `model` in `tokenizer.json`.
///
/// Source: arXiv 1508.07909, with the order of merges of the tokenizers library (lowest rank
/// first, among equals the leftmost).
struct BytePairModel: Sendable {
    /// A token of a word; `range` counts scalars of the word.
    struct Token: Equatable, Sendable {
        var id: Int
        var range: Range<Int>
    }

    /// What the file says besides vocabulary and merges.
    struct Options: Sendable {
        var unknownToken: String?
        var continuingPrefix = ""
        var endSuffix = ""
        var fusesUnknown = false
        var fallsBackToBytes = false
        var ignoresMerges = false
    }

    private struct Merge {
        var rank: Int
        var id: Int
    }

    let vocabulary: [LiteralText: Int]
    private let tokens: [Int: String]
    private let merges: [UInt64: Merge]
    private let options: Options
    /// Ids of single scalars: in the middle of a word, at its end, at its start, both.
    private let singles: [[Unicode.Scalar: Int]]
    /// Ids of `<0x00>` to `<0xFF>`, where there are such.
    private let byteTokens: [Int?]

    init(
        vocabulary: [LiteralText: Int], merges: [(String, String)], options: Options, file: String
    ) throws(TokenizerError) {
        self.vocabulary = vocabulary
        self.options = options
        tokens = Dictionary(
            vocabulary.map { ($0.value, $0.key.text) }, uniquingKeysWith: { a, b in min(a, b) })
        self.merges = try Self.table(
            merges, vocabulary, prefix: options.continuingPrefix, file: file)
        singles = Self.singles(vocabulary, options)
        byteTokens = (0..<256).map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return vocabulary[LiteralText("<0x\(byte < 16 ? "0" : "")\(digits)>")]
        }
        if let unknown = options.unknownToken, vocabulary[LiteralText(unknown)] == nil {
            throw .missingToken(role: "unknown", token: unknown)
        }
    }

    private static func table(
        _ merges: [(String, String)], _ vocabulary: [LiteralText: Int], prefix: String,
        file: String
    ) throws(TokenizerError) -> [UInt64: Merge] {
        var table: [UInt64: Merge] = [:]
        table.reserveCapacity(merges.count)
        for (rank, (left, right)) in merges.enumerated() {
            let tail = right.unicodeScalars.dropFirst(prefix.unicodeScalars.count)
            let joined = LiteralText(left + String(tail))
            func id(_ token: LiteralText) throws(TokenizerError) -> Int {
                guard let id = vocabulary[token] else {
                    throw .mergeOutsideVocabulary(
                        file: file, merge: "\(left) \(right)", token: token.text)
                }
                return id
            }
            let pair = key(try id(LiteralText(left)), try id(LiteralText(right)))
            table[pair] = Merge(rank: rank, id: try id(joined))
        }
        return table
    }

    private static func key(_ left: Int, _ right: Int) -> UInt64 {
        UInt64(UInt32(truncatingIfNeeded: left)) << 32
            | UInt64(UInt32(truncatingIfNeeded: right))
    }

    private static func place(isFirst: Bool, isLast: Bool) -> Int {
        (isFirst ? 2 : 0) + (isLast ? 1 : 0)
    }

    private static func singles(
        _ vocabulary: [LiteralText: Int], _ options: Options
    ) -> [[Unicode.Scalar: Int]] {
        let prefix = Array(options.continuingPrefix.unicodeScalars)
        let suffix = Array(options.endSuffix.unicodeScalars)
        var singles = [[Unicode.Scalar: Int]](repeating: [:], count: 4)
        let longest = 4 + options.continuingPrefix.utf8.count + options.endSuffix.utf8.count
        for (token, id) in vocabulary where token.text.utf8.count <= longest {
            let scalars = Array(token.text.unicodeScalars.prefix(prefix.count + suffix.count + 2))
            for place in 0..<4 {
                let before = place & 2 == 0 ? prefix : []
                let after = place & 1 == 1 ? suffix : []
                guard scalars.count == before.count + 1 + after.count,
                    scalars.starts(with: before), scalars.suffix(after.count).elementsEqual(after)
                else { continue }
                singles[place][scalars[before.count]] = id
            }
        }
        return singles
    }

    func token(_ id: Int) -> String? { tokens[id] }
}

// MARK: - Encoding

extension BytePairModel {
    /// The tokens of a word, in order.
    func encode(_ word: [Unicode.Scalar]) -> [Token] {
        if options.ignoresMerges, let id = vocabulary[LiteralText(word)] {
            return [Token(id: id, range: 0..<word.count)]
        }
        var symbols = symbols(of: word)
        merge(&symbols)
        return tokens(of: symbols.filter { $0.length > 0 }, word)
    }

    private struct Symbol {
        var id: Int
        /// In bytes of the word's UTF-8; 0 once it went into the symbol before it.
        var length: Int
        var previous: Int
        var next: Int
    }

    private func symbols(of word: [Unicode.Scalar]) -> [Symbol] {
        var symbols: [Symbol] = []
        var unknown: Symbol?
        symbols.reserveCapacity(word.count)
        func add(_ id: Int, _ length: Int) {
            let index = symbols.count
            if index > 0 { symbols[index - 1].next = index }
            symbols.append(Symbol(id: id, length: length, previous: index - 1, next: -1))
        }
        let unknownID = options.unknownToken.flatMap { vocabulary[LiteralText($0)] }
        for (index, scalar) in word.enumerated() {
            let length = UTF8.width(scalar)
            let isLast = index == word.count - 1
            let place = Self.place(isFirst: index == 0, isLast: isLast)
            if let id = singles[place][scalar] {
                if let pending = unknown { add(pending.id, pending.length) }
                unknown = nil
                add(id, length)
            } else if let bytes = fallback(scalar, isFirst: index == 0, isLast: isLast) {
                for id in bytes { add(id, 1) }
            } else if let unknownID {
                if let pending = unknown, !options.fusesUnknown {
                    add(pending.id, pending.length)
                    unknown = nil
                }
                let length = length + (unknown?.length ?? 0)
                unknown = Symbol(id: unknownID, length: length, previous: -1, next: -1)
            }
        }
        if let pending = unknown { add(pending.id, pending.length) }
        return symbols
    }

    private func fallback(_ scalar: Unicode.Scalar, isFirst: Bool, isLast: Bool) -> [Int]? {
        guard options.fallsBackToBytes else { return nil }
        var text = String(Character(scalar))
        if !isFirst { text = options.continuingPrefix + text }
        if isLast { text += options.endSuffix }
        let ids = text.utf8.compactMap { byteTokens[Int($0)] }
        return ids.count == text.utf8.count ? ids : nil
    }

    private struct Candidate: Comparable {
        var rank: Int
        var position: Int
        var id: Int

        static func < (a: Candidate, b: Candidate) -> Bool {
            (a.rank, a.position) < (b.rank, b.position)
        }
    }

    private func merge(_ symbols: inout [Symbol]) {
        var queue = Heap<Candidate>()
        func propose(_ left: Int) {
            guard left >= 0, symbols[left].next >= 0 else { return }
            let pair = Self.key(symbols[left].id, symbols[symbols[left].next].id)
            guard let merge = merges[pair] else { return }
            queue.insert(Candidate(rank: merge.rank, position: left, id: merge.id))
        }
        for index in symbols.indices { propose(index) }
        while let best = queue.removeLeast() {
            let left = symbols[best.position]
            guard left.length > 0, left.next >= 0 else { continue }
            let right = symbols[left.next]
            // The neighbours may have changed since the pair was proposed.
            guard merges[Self.key(left.id, right.id)]?.id == best.id else { continue }
            symbols[best.position].id = best.id
            symbols[best.position].length += right.length
            symbols[best.position].next = right.next
            symbols[left.next].length = 0
            if right.next >= 0 { symbols[right.next].previous = best.position }
            propose(left.previous)
            propose(best.position)
        }
    }

    /// Byte lengths become scalar ranges: a token has every scalar that it touches.
    private func tokens(of symbols: [Symbol], _ word: [Unicode.Scalar]) -> [Token] {
        var tokens: [Token] = []
        tokens.reserveCapacity(symbols.count)
        var index = 0
        var indexEnd = word.first.map(UTF8.width) ?? 0
        var end = 0
        func advance(to byte: Int) {
            while byte >= indexEnd, index + 1 < word.count {
                index += 1
                indexEnd += UTF8.width(word[index])
            }
        }
        for symbol in symbols {
            advance(to: end)
            let first = index
            end += symbol.length
            advance(to: end - 1)
            tokens.append(Token(id: symbol.id, range: first..<index + 1))
        }
        return tokens
    }
}

/// A binary heap that gives its least element first.
struct Heap<Element: Comparable> {
    private var elements: [Element] = []

    mutating func insert(_ element: Element) {
        var index = elements.count
        elements.append(element)
        while index > 0, elements[index] < elements[(index - 1) / 2] {
            elements.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func removeLeast() -> Element? {
        guard let last = elements.popLast() else { return nil }
        guard let least = elements.first else { return last }
        elements[0] = last
        var index = 0
        while true {
            var smallest = index
            for child in [2 * index + 1, 2 * index + 2] where child < elements.count {
                if elements[child] < elements[smallest] { smallest = child }
            }
            guard smallest != index else { return least }
            elements.swapAt(index, smallest)
            index = smallest
        }
    }
}
