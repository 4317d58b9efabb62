import Foundation

/// Unicode's canonical decomposition and composition, with the changes that alignments need.
///
/// The tokenizers library carries the tables of Unicode 9: what came later neither decomposes
/// nor composes nor moves there, nor here.
///
/// Source: Unicode Standard Annex 15.
enum CanonicalForms {
    private typealias Change = AlignedText.Change

    /// Texts of scalars below this have the same composed form, whatever they are.
    private static let firstThatCanChange: UInt32 = 0x300

    /// NFD.
    static func decomposed(_ text: [Unicode.Scalar]) -> [AlignedText.Change] {
        var changes: [Change] = []
        var pendingFrom = 0
        changes.reserveCapacity(text.count)
        for scalar in text {
            for (index, part) in decomposition(of: scalar).enumerated() {
                if combiningClass(of: part) == 0 {
                    sort(&changes, from: pendingFrom)
                    pendingFrom = changes.count + 1
                }
                changes.append(Change(scalar: part, change: index == 0 ? 0 : 1))
            }
        }
        sort(&changes, from: pendingFrom)
        return changes
    }

    /// NFC, nil where the text has that form already.
    static func composed(_ text: [Unicode.Scalar]) -> [AlignedText.Change]? {
        guard text.contains(where: { $0.value >= firstThatCanChange }) else { return nil }
        var output: [Change] = []
        output.reserveCapacity(text.count)
        var starter: Int?
        var lastClass = 0
        for part in decomposed(text) {
            let itsClass = combiningClass(of: part.scalar)
            let isBlocked = lastClass != 0 && lastClass >= itsClass
            if let index = starter, !isBlocked,
                let joined = composition(output[index].scalar, part.scalar)
            {
                output[index].scalar = joined
                output[index].change += part.change - 1
                continue
            }
            output.append(part)
            if itsClass == 0 { starter = output.count - 1 }
            lastClass = itsClass
        }
        return output
    }

    private static func sort(_ changes: inout [AlignedText.Change], from start: Int) {
        guard changes.count - start > 1 else { return }
        let sorted = changes[start...].enumerated().sorted { a, b in
            let classes = (
                combiningClass(of: a.element.scalar), combiningClass(of: b.element.scalar)
            )
            return classes.0 == classes.1 ? a.offset < b.offset : classes.0 < classes.1
        }
        changes.replaceSubrange(start..., with: sorted.map(\.element))
    }
}

// MARK: - Single scalars

extension CanonicalForms {
    private static func isKnown(_ scalar: Unicode.Scalar) -> Bool {
        guard let age = scalar.properties.age else { return false }
        return age.major <= 9
    }

    static func combiningClass(of scalar: Unicode.Scalar) -> Int {
        guard scalar.value >= firstThatCanChange else { return 0 }
        let value = Int(scalar.properties.canonicalCombiningClass.rawValue)
        return value == 0 || !isKnown(scalar) ? 0 : value
    }

    private static func decomposition(of scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        switch scalar.value {
        case 0..<0xC0, 0x3400..<0xA000: return [scalar]
        case Hangul.syllables: return Hangul.decomposition(of: scalar)
        default:
            guard isKnown(scalar) else { return [scalar] }
            return Array(
                String(Character(scalar)).decomposedStringWithCanonicalMapping.unicodeScalars)
        }
    }

    private static func composition(
        _ a: Unicode.Scalar, _ b: Unicode.Scalar
    ) -> Unicode.Scalar? {
        if let syllable = Hangul.composition(a, b) { return syllable }
        switch b.properties.generalCategory {
        case .nonspacingMark, .spacingMark: break
        default: return nil
        }
        guard isKnown(a), isKnown(b) else { return nil }
        // Foundation composes reliably only what is decomposed.
        let parts = decomposition(of: a) + decomposition(of: b)
        let joined = LiteralText(parts).text.precomposedStringWithCanonicalMapping.unicodeScalars
        guard let result = joined.first, joined.count == 1, isKnown(result),
            decomposition(of: result) == parts
        else { return nil }
        return result
    }
}

/// The arithmetic of Hangul syllables.
///
/// Source: The Unicode Standard, section 3.12.
private enum Hangul {
    static let syllables: Range<UInt32> = 0xAC00..<0xAC00 + 11172
    private static let leads: Range<UInt32> = 0x1100..<0x1100 + 19
    private static let vowels: Range<UInt32> = 0x1161..<0x1161 + 21
    private static let trails: Range<UInt32> = 0x11A8..<0x11A8 + 27

    static func decomposition(of scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        let index = scalar.value - syllables.lowerBound
        var parts = [
            leads.lowerBound + index / 588, vowels.lowerBound + index % 588 / 28,
        ]
        if index % 28 != 0 { parts.append(trails.lowerBound + index % 28 - 1) }
        return parts.compactMap(Unicode.Scalar.init)
    }

    static func composition(_ a: Unicode.Scalar, _ b: Unicode.Scalar) -> Unicode.Scalar? {
        if leads.contains(a.value), vowels.contains(b.value) {
            let index = (a.value - leads.lowerBound) * 21 + b.value - vowels.lowerBound
            return Unicode.Scalar(syllables.lowerBound + index * 28)
        }
        if syllables.contains(a.value), (a.value - syllables.lowerBound) % 28 == 0,
            trails.contains(b.value)
        {
            return Unicode.Scalar(a.value + b.value - trails.lowerBound + 1)
        }
        return nil
    }
}
