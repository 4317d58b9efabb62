/// One scalar of a text that is being normalized, and the part of the original it stands for.
struct AlignedScalar: Sendable {
    var scalar: Unicode.Scalar
    /// Where that part starts in the original, in scalars.
    var start: Int
    /// Where it ends (exclusive), in scalars.
    var end: Int
}

/// A text, or a part of one, that knows of each scalar where it came from.
///
/// Source: `NormalizedString` of the tokenizers library, whose alignments are reproduced, also
/// where a letter and its accents become one scalar and keep only the letter's place.
struct AlignedText: Sendable {
    private(set) var content: ArraySlice<AlignedScalar>
    /// Where this part starts in the original.
    private let origin: Int

    init(_ text: String) {
        var content: [AlignedScalar] = []
        content.reserveCapacity(text.utf8.count)
        for (index, scalar) in text.unicodeScalars.enumerated() {
            content.append(AlignedScalar(scalar: scalar, start: index, end: index + 1))
        }
        self.content = content[...]
        origin = 0
    }

    private init(content: ArraySlice<AlignedScalar>, origin: Int) {
        self.content = content
        self.origin = origin
    }

    var count: Int { content.count }
    var isEmpty: Bool { content.isEmpty }
    var scalars: [Unicode.Scalar] { content.map(\.scalar) }
    var first: Unicode.Scalar? { content.first?.scalar }

    /// The part of the original that a range of scalars of this text stands for.
    func originalRange(of range: Range<Int>) -> Range<Int> {
        let start = content[content.startIndex + range.lowerBound].start
        let end = content[content.startIndex + range.upperBound - 1].end
        return start..<max(start, end)
    }

    func slice(_ range: Range<Int>) -> AlignedText {
        let base = content.startIndex
        let part = content[base + range.lowerBound..<base + range.upperBound]
        return AlignedText(content: part, origin: part.first?.start ?? origin)
    }
}

// MARK: - Changes

extension AlignedText {
    /// A scalar of the new text and how it came about: `change` is 1 for a scalar that was
    /// inserted, 0 for one that takes another's place, and -n for one that takes another's
    /// place before n scalars that go.
    struct Change {
        var scalar: Unicode.Scalar
        var change: Int
    }

    /// Replaces the whole text by the scalars of `changes`.
    mutating func apply(_ changes: [Change]) {
        let old = content
        let base = old.startIndex
        var taken = 0
        var new: [AlignedScalar] = []
        new.reserveCapacity(changes.count)
        for change in changes {
            let index = change.change > 0 ? taken - 1 : min(taken, old.count - 1)
            let place =
                index < 0
                ? AlignedScalar(scalar: change.scalar, start: origin, end: origin)
                : old[base + index]
            new.append(
                AlignedScalar(scalar: change.scalar, start: place.start, end: place.end))
            if change.change <= 0 { taken = min(old.count, taken + 1 - change.change) }
        }
        content = new[...]
    }

    /// Puts a text before this one; it stands for the same part as the first scalar.
    mutating func prepend(_ text: String) {
        guard let first = content.first else { return }
        let added = text.unicodeScalars.map {
            AlignedScalar(scalar: $0, start: first.start, end: first.end)
        }
        content = (added + content)[...]
    }

    /// Replaces each match of a pattern; the replacement stands for the match's last scalar.
    mutating func replace(_ pattern: Pattern, with replacement: [Unicode.Scalar]) {
        let old = content
        let base = old.startIndex
        var new: [AlignedScalar] = []
        new.reserveCapacity(old.count)
        var end = 0
        for match in pattern.matches(in: scalars) {
            new.append(contentsOf: old[base + end..<base + match.lowerBound])
            let place =
                match.upperBound == 0
                ? (origin, origin)
                : {
                    let last = old[base + match.upperBound - 1]
                    return (last.start, last.end)
                }()
            for scalar in replacement {
                new.append(AlignedScalar(scalar: scalar, start: place.0, end: place.1))
            }
            end = match.upperBound
        }
        new.append(contentsOf: old[(base + end)...])
        content = new[...]
    }

    /// Takes white space away at the ends.
    mutating func strip(left: Bool, right: Bool) {
        if left { content = content.drop { $0.scalar.properties.isWhitespace } }
        while right, let last = content.last, last.scalar.properties.isWhitespace {
            content.removeLast()
        }
    }
}
