import Models

/// Looks for the name that was probably meant by a text that is none.
struct PackingNameRepair {
    private let text: String
    private let offset: Int

    /// Takes a text, and the character at which it goes wrong.
    init(_ text: String, at offset: Int) { (self.text, self.offset) = (text, offset) }

    /// A name near the text; nil where there is none.
    ///
    /// The text's own parts, put in order, come first; then the text with one character changed; then
    /// both.
    var suggestion: String? {
        guard !text.isEmpty, text.count <= 200 else { return nil }
        let tidy = text.lowercased().filter { !$0.isWhitespace }
        let near = oneCharacterAway(tidy)
        let packing =
            LoosePackingReader.packing(tidy)
            ?? near.lazy.compactMap { Packing.exact($0.replacing("+d", with: "+D")) }.first
            ?? near.lazy.compactMap { LoosePackingReader.packing($0) }.first
        return packing?.name
    }

    /// Texts with one character changed, put in or left out, those near the place first.
    private func oneCharacterAway(_ text: String) -> [String] {
        let characters = Array(text)
        let places = (0...characters.count).sorted { abs($0 - offset) < abs($1 - offset) }
        return places.flatMap { place -> [String] in
            var texts: [[Character]] = []
            if place < characters.count {
                texts.append(Array(characters[..<place] + characters[(place + 1)...]))
            }
            for letter in "_fkgxtdac19hw" {
                texts.append(Array(characters[..<place] + [letter] + characters[place...]))
                guard place < characters.count else { continue }
                texts.append(Array(characters[..<place] + [letter] + characters[(place + 1)...]))
            }
            return texts.map { String($0) }
        }
    }
}

/// Reads the parts of a name wherever they stand and however they are joined, and puts them where a
/// name has them.
private struct LoosePackingReader {
    private var rest: Substring
    private var parts: [Packing.Part] = []
    private var isDiscrete = false

    /// The packing whose parts a text in small letters has; nil where it has anything else.
    static func packing(_ text: String) -> Packing? {
        var reader = Self(rest: text[...])
        guard reader.readParts() else { return nil }
        reader.completeParts()
        return reader.exact(reader.parts) ?? reader.exact(reader.partsWithTailOutermost)
    }

    // MARK: - Reading

    /// Reads all there is; false at the first thing that is no part.
    private mutating func readParts() -> Bool {
        while true {
            skipJoints()
            switch rest.first {
            case nil: return true
            case "t":
                guard let tail = PackingTail(rawValue: String(rest.prefix(2))) else { return false }
                rest = rest.dropFirst(2)
                parts.append(.tail(tail))
            case "x":
                rest.removeFirst()
                parts.append(.skip)
            case "+", "d":
                rest.removeFirst()
                isDiscrete = true
            case "g":
                rest.removeFirst()
                guard let count = number() else { return false }
                parts.append(.generated(count.clamped(to: GenerationRequest.Limits.window)))
            default:
                guard let level = level() else { return false }
                parts.append(.frames([level]))
            }
        }
    }

    /// fNkM, apart or not, or kMfN, or kM alone, which is one frame.
    private mutating func level() -> PackingLevel? {
        var count: Int?
        if take("f") {
            guard let number = number() else { return nil }
            count = number
            skipJoints()
        }
        guard take("k"), let kernel = kernel() else { return nil }
        count = count ?? countBehindKernel()
        return PackingLevel(
            latentCount: (count ?? 1).clamped(to: 1...Packing.largestLevel), kernel: kernel)
    }

    /// N of kMfN; nil, and nothing read, where the f begins a level of its own.
    private mutating func countBehindKernel() -> Int? {
        let start = rest
        skipJoints()
        if take("f"), let count = number() {
            let end = rest
            skipJoints()
            if rest.first != "k" {
                rest = end
                return count
            }
        }
        rest = start
        return nil
    }

    /// The sides behind k, each moved to the nearest power of two; a missing one is like the other.
    private mutating func kernel() -> PatchKernel? {
        guard let frames = number() else { return nil }
        let height = take("h") ? number() : nil
        let width = take("w") ? number() : nil
        guard let other = height ?? width else {
            return PatchKernel(rate: Self.powerOfTwo(frames))
        }
        let sides = [frames, height ?? other, width ?? other].map(Self.powerOfTwo)
        return PatchKernel(frames: sides[0], height: sides[1], width: sides[2])
    }

    private static func powerOfTwo(_ side: Int) -> Int {
        let side = side.clamped(to: 1...PatchKernel.largestSide)
        let powers = (0..<Int.bitWidth).lazy.map { 1 << $0 }.prefix { PatchKernel.isSide($0) }
        return powers.min { abs($0 - side) < abs($1 - side) } ?? 1
    }

    private mutating func number() -> Int? {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest[digits.endIndex...]
        return Int(digits)
    }

    private mutating func take(_ letter: Character) -> Bool {
        guard rest.first == letter else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func skipJoints() { rest = rest.drop { $0 == "_" || $0 == "-" } }

    // MARK: - Putting in order

    /// Adds what every name has, and leaves out what is there twice.
    private mutating func completeParts() {
        var hasTail = false
        var hasTarget = false
        parts = parts.filter { part in
            switch part {
            case .tail where hasTail, .generated where hasTarget: return false
            case .tail: hasTail = true
            case .generated: hasTarget = true
            case .frames, .skip: break
            }
            return true
        }
        if !hasTarget { parts.append(.generated(9)) }
        if !parts.contains(where: \.isFrames), let target = parts.firstIndex(where: \.isGenerated) {
            let level = PackingLevel(latentCount: 1, kernel: PatchKernel(rate: 1))
            parts.insert(.frames([level]), at: target)
        }
        parts = Self.joined(parts)
    }

    /// The parts with the tail before or behind all others.
    private var partsWithTailOutermost: [Packing.Part] {
        guard let tail = parts.firstIndex(where: \.isTail),
            let target = parts.firstIndex(where: \.isGenerated)
        else { return parts }
        var others = parts
        others.remove(at: tail)
        others = Self.joined(others)
        return tail < target ? [parts[tail]] + others : others + [parts[tail]]
    }

    /// Runs of levels made one, and skips left out that skip nothing.
    private static func joined(_ parts: [Packing.Part]) -> [Packing.Part] {
        var joined: [Packing.Part] = []
        for part in parts {
            switch (joined.last, part) {
            case (nil, .skip), (.skip, .skip): continue
            case (.frames(let before), .frames(let levels)):
                joined[joined.count - 1] = .frames(before + levels)
            default: joined.append(part)
            }
        }
        if joined.last == .skip { joined.removeLast() }
        return joined
    }

    /// The packing of these parts, where they are one's.
    private func exact(_ parts: [Packing.Part]) -> Packing? {
        .exact(Packing(parts: parts, isDiscrete: isDiscrete).name)
    }
}

extension Packing.Part {
    fileprivate var isTail: Bool { if case .tail = self { true } else { false } }
}

extension Int {
    fileprivate func clamped(to range: ClosedRange<Int>) -> Int {
        Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }
}
