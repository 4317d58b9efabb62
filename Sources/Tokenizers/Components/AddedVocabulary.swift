/// The added tokens of a tokenizer, and how they are found in a text.
struct AddedVocabulary: Sendable {
    private(set) var ids: [LiteralText: Int] = [:]
    private(set) var tokens: [Int: AddedToken] = [:]
    /// What a token's normalized form is, where it differs from its content.
    private var normalizedForms: [Int: String] = [:]
    private var specialContents: Set<LiteralText> = []
    private var rawSearch = Search()
    private var normalizedSearch = Search()
    private let normalizer: Normalizer?

    /// A part of a text: an added token, or what is not yet tokenized.
    struct Part: Sendable {
        var text: AlignedText
        var id: Int?
    }

    init(_ added: [AddedToken], model: BytePairModel, normalizer: Normalizer?) {
        self.normalizer = normalizer
        for token in added where !token.content.isEmpty {
            let content = LiteralText(token.content)
            let id = ids[content] ?? model.vocabulary[content] ?? nextID(model)
            ids[content] = id
            if token.isNormalized, let normalizer {
                var text = AlignedText(token.content)
                normalizer.apply(to: &text)
                let form = LiteralText(text.scalars)
                if form != content { normalizedForms[id] = form.text }
            }
            if token.isSpecial { specialContents.insert(content) }
            tokens[id] = token
        }
        for (id, token) in tokens.sorted(by: { $0.key < $1.key }) {
            if token.isNormalized {
                normalizedSearch.add(normalizedForms[id] ?? token.content, id)
            } else {
                rawSearch.add(token.content, id)
            }
        }
    }

    private func nextID(_ model: BytePairModel) -> Int {
        max(model.vocabulary.count, tokens.keys.max().map { $0 + 1 } ?? 0)
    }

    /// The string that decoding sees.
    func text(of id: Int) -> String? {
        tokens[id].map { normalizedForms[id] ?? $0.content }
    }

    func isSpecial(_ text: String) -> Bool {
        specialContents.contains(LiteralText(text))
    }

    /// Cuts a text at its added tokens and normalizes what lies between them.
    func parts(of text: AlignedText) -> [Part] {
        var parts: [Part] = []
        for part in cut(text, rawSearch) {
            guard part.id == nil else {
                parts.append(part)
                continue
            }
            var normalized = part.text
            normalizer?.apply(to: &normalized)
            parts += cut(normalized, normalizedSearch)
        }
        return parts
    }
}

// MARK: - Search

extension AddedVocabulary {
    /// Finds the longest of some contents that begin at a place.
    private struct Search: Sendable {
        private var candidates: [Unicode.Scalar: [(content: [Unicode.Scalar], id: Int)]] = [:]

        mutating func add(_ content: String, _ id: Int) {
            let scalars = Array(content.unicodeScalars)
            guard let first = scalars.first else { return }
            candidates[first, default: []].append((scalars, id))
            candidates[first]?.sort { $0.content.count > $1.content.count }
        }

        /// Matches from left to right that do not overlap.
        func matches(in text: [Unicode.Scalar]) -> [(range: Range<Int>, id: Int)] {
            guard !candidates.isEmpty else { return [] }
            var matches: [(range: Range<Int>, id: Int)] = []
            var position = 0
            while position < text.count {
                let rest = text[position...]
                if let found = candidates[text[position]]?.first(where: {
                    rest.starts(with: $0.content)
                }) {
                    let end = position + found.content.count
                    matches.append((position..<end, found.id))
                    position = end
                } else {
                    position += 1
                }
            }
            return matches
        }
    }

    private func cut(_ text: AlignedText, _ search: Search) -> [Part] {
        let scalars = text.scalars
        var parts: [Part] = []
        var end = 0
        for match in search.matches(in: scalars) {
            guard let token = tokens[match.id],
                !token.isSingleWord || standsAlone(match.range, in: scalars)
            else { continue }
            var (start, stop) = (match.range.lowerBound, match.range.upperBound)
            if token.stripsLeft {
                while start > 0, scalars[start - 1].properties.isWhitespace { start -= 1 }
                start = max(start, end)
            }
            if token.stripsRight {
                while stop < scalars.count, scalars[stop].properties.isWhitespace { stop += 1 }
            }
            if end < start { parts.append(Part(text: text.slice(end..<start))) }
            parts.append(Part(text: text.slice(start..<max(start, stop)), id: match.id))
            end = stop
        }
        if end < text.count { parts.append(Part(text: text.slice(end..<text.count))) }
        return parts.filter { !$0.text.isEmpty }
    }

    private func standsAlone(_ range: Range<Int>, in text: [Unicode.Scalar]) -> Bool {
        let isJoinedLeft =
            range.lowerBound > 0 && Self.isWordScalar(text[range.lowerBound - 1])
        let isJoinedRight =
            range.upperBound < text.count && Self.isWordScalar(text[range.upperBound])
        return !isJoinedLeft && !isJoinedRight
    }

    /// The word scalars of Unicode Technical Standard 18, which added tokens go by.
    private static func isWordScalar(_ scalar: Unicode.Scalar) -> Bool {
        ScalarClass.isWord(scalar) || scalar.properties.isJoinControl
    }
}
