/// Refuses keys that nothing reads, so that a misspelled setting is never silently ignored.
package enum KnownKeys {
    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// Throws `FramePackError.unknownKey` for the first key, by name, that is not among the known.
    static func check(_ decoder: any Decoder, within: String, known: [String]) throws {
        let keys = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue).sorted()
        for key in keys where !known.contains(key) {
            throw FramePackError.unknownKey(
                key, within: within, nearest: nearest(to: key, among: known))
        }
    }

    /// The known name that takes the fewest edits, if that is no more than half of its letters.
    package static func nearest(to name: String, among known: [String]) -> String? {
        let letters = Array(name.lowercased())
        let ranked = known.map { (name: $0, distance: edits(letters, Array($0.lowercased()))) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }),
            best.distance <= max(best.name.count / 2, 1)
        else { return nil }
        return best.name
    }

    /// Insertions, removals and replacements between two words (Levenshtein's distance).
    private static func edits(_ a: [Character], _ b: [Character]) -> Int {
        var row = Array(0...b.count)
        for (i, letter) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in b.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(diagonal + (letter == other ? 0 : 1), above + 1, row[j] + 1)
                diagonal = above
            }
        }
        return row[b.count]
    }
}
