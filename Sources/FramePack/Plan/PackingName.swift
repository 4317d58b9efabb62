import Models

/// Why a text is no packing's name, and where.
public struct PackingNameError: Error, Equatable, Sendable {
    /// The text.
    public let name: String
    /// The character at which it goes wrong, from 0; the text's length where something is missing.
    public let offset: Int
    /// What is wrong there, as the end of a sentence.
    public let problem: String
    /// What was probably meant; nil where nothing near is a name.
    public let suggestion: String?
}

extension PackingNameError: CustomStringConvertible {
    /// A sentence, and the name with a mark below the place.
    public var description: String {
        let advice = suggestion.map { "; did you mean \($0)?" } ?? "."
        // What a terminal would obey is not printed.
        let plain = String(name.map { $0.isASCII && $0.isPrintable ? $0 : "?" })
        return """
            The packing "\(plain)" goes wrong at character \(offset + 1): \(problem)\(advice)
              \(plain)
              \(String(repeating: " ", count: offset))^
            """
    }
}

extension Packing {
    /// Latents that a level may have.
    static let largestLevel = 10_000

    /// Reads a name.
    ///
    /// It has exactly one gN, at least one fNkM, every N is 1 or more, and kernels' sides are powers
    /// of two: k1, k2, k4 and so on, or in full, k1h2w2.
    ///
    /// - Throws: `PackingNameError` that points at the place and says what was probably meant.
    public init(name: String) throws(PackingNameError) {
        var reader = PackingNameReader(name)
        do throws(PackingNameProblem) {
            self = try reader.packing()
        } catch {
            throw PackingNameError(
                name: name, offset: error.offset, problem: error.problem,
                suggestion: PackingNameRepair(name, at: error.offset).suggestion)
        }
    }
}

/// What is wrong with a name, before anything is suggested.
private struct PackingNameProblem: Error {
    let offset: Int
    let problem: String
}

/// Reads a packing's name character by character.
private struct PackingNameReader {
    private let text: [Character]
    private var position = 0

    init(_ name: String) { text = Array(name) }

    private typealias Problem = PackingNameProblem
    /// A part, and the character that it begins with.
    private typealias Placed = (part: Packing.Part, offset: Int)

    private var next: Character? { position < text.count ? text[position] : nil }

    mutating func packing() throws(PackingNameProblem) -> Packing {
        guard !text.isEmpty else { throw Problem(offset: 0, problem: "the name is empty") }
        var parts: [Placed] = []
        repeat {
            let offset = position
            parts.append((try part(), offset))
        } while take("_")
        let isDiscrete = try discretization()
        try check(parts)
        return Packing(parts: parts.map(\.part), isDiscrete: isDiscrete)
    }

    // MARK: - Parts

    private mutating func part() throws(PackingNameProblem) -> Packing.Part {
        switch next {
        case "f": return .frames(try levels())
        case "g":
            position += 1
            return .generated(
                try number(
                    1...GenerationRequest.Limits.window.upperBound, of: "g", "generated frames"))
        case "x":
            position += 1
            try expectEnd(after: "x")
            return .skip
        case "t":
            let letters = String(text[position...].prefix(2))
            guard let tail = PackingTail(rawValue: letters) else {
                throw problem("a tail is td, ta or tc, not \"\(letters)\"")
            }
            position += 2
            try expectEnd(after: letters)
            return .tail(tail)
        case let other:
            throw problem(
                other.map { "\"\($0)\" begins no part; parts are fNkM, gN, x, td, ta and tc" }
                    ?? "a part is missing: fNkM, gN, x, td, ta or tc")
        }
    }

    private mutating func levels() throws(PackingNameProblem) -> [PackingLevel] {
        var levels: [PackingLevel] = []
        while take("f") {
            let count = try number(1...Packing.largestLevel, of: "f", "frames")
            guard next == "k" else {
                throw problem("f\(count) needs its kernel right behind it, such as f\(count)k2")
            }
            levels.append(PackingLevel(latentCount: count, kernel: try kernel()))
        }
        try expectEnd(after: "a kernel")
        return levels
    }

    private mutating func kernel() throws(PackingNameProblem) -> PatchKernel {
        let frames = try side("k")
        guard next == "h" else { return PatchKernel(rate: frames) }
        let height = try side("h")
        guard next == "w" else {
            throw problem("a kernel in full has three sides, such as k1h2w2; w is missing")
        }
        return PatchKernel(frames: frames, height: height, width: try side("w"))
    }

    /// The length of a kernel's side behind its letter.
    private mutating func side(_ letter: Character) throws(PackingNameProblem) -> Int {
        position += 1
        let start = position
        let side = try number(1...PatchKernel.largestSide, of: letter, "latents")
        guard PatchKernel.isSide(side) else {
            throw Problem(
                offset: start, problem: "a kernel's sides are powers of two, and \(side) is none")
        }
        return side
    }

    /// Whole numbers behind a letter; they do not begin with 0.
    private mutating func number(_ range: ClosedRange<Int>, of letter: Character, _ noun: String)
        throws(PackingNameProblem) -> Int
    {
        let start = position
        while let digit = next, digit.isASCII, digit.isNumber { position += 1 }
        let digits = String(text[start..<position])
        guard !digits.isEmpty else {
            throw problem("\(letter) needs a number right behind it, such as \(letter)1")
        }
        guard let value = Int(digits), range.contains(value), digits.first != "0" else {
            throw Problem(
                offset: start,
                problem:
                    "\(letter)\(digits) is not a number of \(noun) from \(range.lowerBound) to "
                    + "\(range.upperBound)")
        }
        return value
    }

    /// A part is followed by `_`, `+D` or the end.
    private func expectEnd(after what: String) throws(PackingNameProblem) {
        guard let other = next, other != "_", other != "+" else { return }
        throw problem("\"\(other)\" cannot stand behind \(what); parts are joined by _")
    }

    private mutating func discretization() throws(PackingNameProblem) -> Bool {
        guard let sign = next else { return false }
        let ending = String(text[position...])
        guard ending == "+D" || ending == "+d" else {
            throw problem(
                sign == "+"
                    ? "behind + stands D alone, at the end of the name"
                    : "\"\(sign)\" cannot stand here; parts are joined by _")
        }
        return true
    }

    private mutating func take(_ character: Character) -> Bool {
        guard next == character else { return false }
        position += 1
        return true
    }

    private func problem(_ problem: String) -> PackingNameProblem {
        Problem(offset: position, problem: problem)
    }

    // MARK: - The whole

    private func check(_ parts: [Placed]) throws(PackingNameProblem) {
        let generated = parts.filter(\.part.isGenerated)
        guard let target = generated.first else {
            throw Problem(offset: text.count, problem: "gN, what is generated, is missing")
        }
        if generated.count > 1 {
            throw Problem(
                offset: generated[1].offset,
                problem: "a name has exactly one gN; planned endpoints are given beside the name")
        }
        guard parts.contains(where: { $0.part.isFrames }) else {
            throw Problem(
                offset: target.offset, problem: "fNkM, what the network sees, is missing")
        }
        for (index, placed) in parts.enumerated() {
            let neighbours = [index - 1, index + 1].map {
                parts.indices.contains($0) ? parts[$0].part : nil
            }
            try check(placed, between: neighbours[0], neighbours[1])
        }
        try checkTails(parts)
    }

    private func check(_ placed: Placed, between left: Packing.Part?, _ right: Packing.Part?)
        throws(PackingNameProblem)
    {
        switch placed.part {
        case .frames where right?.isFrames == true:
            throw Problem(
                offset: placed.offset + placed.part.name.count,
                problem: "levels that follow each other are written together, without _")
        case .skip where left == nil || right == nil:
            throw Problem(
                offset: placed.offset, problem: "x skips frames between two parts, not at an end")
        case .skip where right == .skip:
            throw Problem(offset: placed.offset, problem: "one x skips any number of frames")
        default: return
        }
    }

    /// A tail stands outermost on its side, or right beyond the history, and once.
    private func checkTails(_ parts: [Placed]) throws(PackingNameProblem) {
        let target = parts.firstIndex { $0.part.isGenerated } ?? 0
        var sides: Set<Bool> = []
        for (index, placed) in parts.enumerated() {
            guard case .tail(let tail) = placed.part else { continue }
            let isOutermost = index == 0 || index == parts.count - 1
            let isBeyondHistory =
                abs(index - target) == 2 && parts[(index + target) / 2].part.isFrames
            guard isOutermost || isBeyondHistory, abs(index - target) > 1 else {
                throw Problem(
                    offset: placed.offset,
                    problem: "\(tail.rawValue) tells of frames beyond the history, so it stands "
                        + "first, last, or right beyond the levels beside gN")
            }
            guard sides.insert(index < target).inserted else {
                throw Problem(offset: placed.offset, problem: "one tail is enough on a side")
            }
        }
    }
}

extension Packing.Part {
    var isFrames: Bool { if case .frames = self { true } else { false } }
}

extension Character {
    fileprivate var isPrintable: Bool { (asciiValue ?? 0) >= 32 && asciiValue != 127 }
}

extension Packing {
    /// The packing of a name without errors; nil for any other text.
    static func exact(_ name: String) -> Packing? {
        var reader = PackingNameReader(name)
        return try? reader.packing()
    }
}
