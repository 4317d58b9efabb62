/// Reads a regular expression in the syntax that the tokenizers library's engine has by default.
///
/// Source: Oniguruma's regular expressions, version 6, Ruby syntax; without back references,
/// conditions, named groups and intersections of classes, which are errors.
struct PatternParser {
    private let source: String
    private let text: [Unicode.Scalar]
    private var position = 0
    private var ignoresCase = false
    private var loops = 0
    private var depth = 0

    /// More than this can only be an attack on stack and memory.
    private static let deepest = 50
    private static let mostSteps = 10_000

    /// What a part of the expression compiles to: steps whose places count from its start.
    private typealias Steps = [Pattern.Step]

    /// Compiles an expression; throws `TokenizerError.unsupportedPattern`.
    static func parse(_ source: String) throws(TokenizerError) -> Pattern {
        var parser = PatternParser(source)
        let steps = try parser.alternatives()
        guard parser.position == parser.text.count else { throw parser.refuse("a ) is too many") }
        return Pattern(steps: steps, loops: parser.loops)
    }

    private init(_ source: String) {
        self.source = source
        text = Array(source.unicodeScalars)
    }

    private func refuse(_ reason: String) -> TokenizerError {
        .unsupportedPattern(pattern: source, reason: "\(reason), at character \(position + 1)")
    }

    private var next: Unicode.Scalar? { position < text.count ? text[position] : nil }

    private mutating func take(_ word: String) -> Bool {
        let word = Array(word.unicodeScalars)
        guard text[position...].starts(with: word) else { return false }
        position += word.count
        return true
    }

    private static func shifted(_ steps: Steps, by distance: Int) -> Steps {
        steps.map { step in
            switch step {
            case .fork(let a, let b): .fork(a + distance, b + distance)
            case .jump(let target): .jump(target + distance)
            default: step
            }
        }
    }

    private mutating func alternatives() throws(TokenizerError) -> [Pattern.Step] {
        let outer = ignoresCase
        depth += 1
        defer {
            ignoresCase = outer
            depth -= 1
        }
        guard depth <= Self.deepest else { throw refuse("groups are nested too deep") }
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        var steps = branches.removeLast()
        for branch in branches.reversed() {
            let second = branch.count + 2
            steps =
                [.fork(1, second)] + Self.shifted(branch, by: 1)
                + [.jump(second + steps.count)] + Self.shifted(steps, by: second)
        }
        return steps
    }

    private mutating func sequence() throws(TokenizerError) -> [Pattern.Step] {
        var steps: Steps = []
        while let scalar = next, scalar != "|", scalar != ")" {
            steps += Self.shifted(try quantified(), by: steps.count)
        }
        return steps
    }
}

// MARK: - Quantifiers

extension PatternParser {
    private mutating func quantified() throws(TokenizerError) -> [Pattern.Step] {
        var steps = try atom()
        while let bounds = try quantifier() {
            if steps.count == 1, case .one(let scalars) = steps[0] {
                steps = [
                    .run(scalars, least: bounds.least, most: bounds.most, style: bounds.style)
                ]
            } else {
                let rounds = max(bounds.least, bounds.most == Int.max ? 1 : bounds.most)
                guard (steps.count + 1) * rounds <= Self.mostSteps else {
                    throw refuse("repetitions are too large")
                }
                steps = loop(steps, bounds.least, bounds.most, bounds.style)
            }
        }
        return steps
    }

    private mutating func quantifier()
        throws(TokenizerError) -> (least: Int, most: Int, style: Pattern.Style)?
    {
        var bounds: (Int, Int)
        var canBePossessive = true
        if take("*") {
            bounds = (0, Int.max)
        } else if take("+") {
            bounds = (1, Int.max)
        } else if take("?") {
            bounds = (0, 1)
        } else if next == "{" {
            guard let found = try interval() else { return nil }
            bounds = found
            canBePossessive = false
        } else {
            return nil
        }
        if take("?") { return (bounds.0, bounds.1, .lazy) }
        if canBePossessive, take("+") { return (bounds.0, bounds.1, .possessive) }
        return (bounds.0, bounds.1, .greedy)
    }

    /// `{n}`, `{n,}`, `{,m}` or `{n,m}`; nil where the brace is only a brace.
    private mutating func interval() throws(TokenizerError) -> (Int, Int)? {
        guard let close = text[position...].firstIndex(of: "}") else { return nil }
        let parts = text[position + 1..<close].split(
            separator: ",", omittingEmptySubsequences: false
        ).map { String(String.UnicodeScalarView($0)) }
        guard (1...2).contains(parts.count), parts != [""], parts != ["", ""],
            parts.allSatisfy({ $0.isEmpty || Int($0) != nil })
        else { return nil }
        position = close + 1
        let least = Int(parts[0]) ?? 0
        let most = parts.count == 1 ? least : Int(parts[1]) ?? Int.max
        guard least <= most, max(least, most == Int.max ? 0 : most) <= 1000 else {
            throw refuse("the bounds of a repetition are wrong")
        }
        if parts.count == 1, next == "?" { throw refuse("{n}? is not supported") }
        return (least, most)
    }

    private mutating func loop(
        _ body: [Pattern.Step], _ least: Int, _ most: Int, _ style: Pattern.Style
    ) -> [Pattern.Step] {
        if style == .possessive {
            let inner = loop(body, least, most, .greedy)
            return [.atomic(Pattern(steps: inner, loops: loops))]
        }
        func fork(_ inside: Int, _ outside: Int) -> Pattern.Step {
            style == .lazy ? .fork(outside, inside) : .fork(inside, outside)
        }
        var steps: Steps = []
        for _ in 0..<least { steps += Self.shifted(body, by: steps.count) }
        if most == Int.max {
            let start = steps.count
            let number = loops
            loops += 1
            steps.append(fork(start + 1, start + body.count + 4))
            steps.append(.mark(loop: number))
            steps += Self.shifted(body, by: steps.count)
            steps.append(.progress(loop: number))
            steps.append(.jump(start))
        } else {
            let end = steps.count + (most - least) * (body.count + 1)
            for _ in 0..<(most - least) {
                steps.append(fork(steps.count + 1, end))
                steps += Self.shifted(body, by: steps.count)
            }
        }
        return steps
    }
}

// MARK: - Atoms

extension PatternParser {
    private mutating func atom() throws(TokenizerError) -> [Pattern.Step] {
        guard let scalar = next else { throw refuse("something is missing") }
        position += 1
        switch scalar {
        case "(": return try group()
        case "[": return [.one(try bracket())]
        case ".": return [.one(ScalarClass([.range(10...10)], isNegated: true))]
        case "^": return [.edge(.lineStart)]
        case "$": return [.edge(.lineEnd)]
        case "*", "+", "?": throw refuse("there is nothing to repeat")
        case "\\":
            if take("A") { return [.edge(.textStart)] }
            if take("z") { return [.edge(.textEnd)] }
            if take("b") { return [.edge(.word)] }
            if take("B") { return [.edge(.notWord)] }
            return [.one(ScalarClass([try escape()], ignoresCase: ignoresCase))]
        default:
            return [
                .one(ScalarClass([.range(scalar.value...scalar.value)], ignoresCase: ignoresCase))
            ]
        }
    }

    private mutating func group() throws(TokenizerError) -> [Pattern.Step] {
        let outer = ignoresCase
        var wrap: (([Pattern.Step], Int) -> [Pattern.Step])?
        if take("?") {
            if take(":") {
                wrap = nil
            } else if take("=") || take("!") {
                let wanted = text[position - 1] == "="
                wrap = { [.look(Pattern(steps: $0, loops: $1), isAhead: true, wanted: wanted)] }
            } else if take("<=") || take("<!") {
                let wanted = text[position - 1] == "="
                wrap = { [.look(Pattern(steps: $0, loops: $1), isAhead: false, wanted: wanted)] }
            } else if take(">") {
                wrap = { [.atomic(Pattern(steps: $0, loops: $1))] }
            } else if take("i:") || take("-i:") {
                ignoresCase = text[position - 3] != "-"
            } else if take("i)") || take("-i)") {
                // The rest of the enclosing group, which restores the flag itself.
                ignoresCase = text[position - 3] != "-"
                return try alternatives()
            } else {
                throw refuse("this kind of group is not supported")
            }
        }
        let steps = try alternatives()
        ignoresCase = outer
        guard take(")") else { throw refuse("a group does not end") }
        let result = wrap?(steps, loops) ?? steps
        if result.count == 1, case .look(let inner, isAhead: false, _) = result[0],
            inner.width == nil
        {
            throw refuse("only single characters may stand in a look behind")
        }
        return result
    }

    /// What stands behind a backslash, for one scalar.
    private mutating func escape() throws(TokenizerError) -> ScalarClass.Item {
        guard let scalar = next else { throw refuse("a backslash ends the expression") }
        position += 1
        switch scalar {
        case "s": return .whitespace
        case "S": return .inverted([.whitespace])
        case "d": return .digit
        case "D": return .inverted([.digit])
        case "w": return .word
        case "W": return .inverted([.word])
        case "p", "P": return try property(isNegated: scalar == "P")
        case "r": return .range(13...13)
        case "n": return .range(10...10)
        case "t": return .range(9...9)
        case "f": return .range(12...12)
        case "v": return .range(11...11)
        case "x", "u": return try hexadecimal(digits: scalar == "x" ? 2 : 4)
        case _ where scalar.isASCII && scalar.properties.isAlphabetic,
            _ where ("0"..."9").contains(scalar):
            throw refuse("\\\(scalar) is not supported")
        default: return .range(scalar.value...scalar.value)
        }
    }

    private mutating func hexadecimal(digits: Int) throws(TokenizerError) -> ScalarClass.Item {
        var end = position + digits
        var start = position
        if next == "{", let close = text[position...].firstIndex(of: "}") {
            (start, end) = (position + 1, close)
        }
        guard end <= text.count,
            let value = UInt32(String(String.UnicodeScalarView(text[start..<end])), radix: 16)
        else { throw refuse("a hexadecimal number is broken") }
        position = end + (start > position ? 1 : 0)
        return .range(value...value)
    }

    private mutating func property(isNegated: Bool) throws(TokenizerError) -> ScalarClass.Item {
        guard take("{"), let close = text[position...].firstIndex(of: "}") else {
            throw refuse("a property needs a name in braces")
        }
        let isInverted = take("^") != isNegated
        let name = String(String.UnicodeScalarView(text[position..<close]))
        guard ScalarClass.isCategory(name) else {
            throw refuse("the property \(name) is not supported")
        }
        position = close + 1
        return isInverted ? .inverted([.category(name)]) : .category(name)
    }
}

// MARK: - Classes in brackets

extension PatternParser {
    private mutating func bracket() throws(TokenizerError) -> ScalarClass {
        let isNegated = take("^")
        var items: [ScalarClass.Item] = []
        var isFirst = true
        while let scalar = next, scalar != "]" || isFirst {
            isFirst = false
            if scalar == "[" || take("&&") {
                throw refuse("classes within classes are not supported")
            }
            let item = try member()
            guard case .range(let low) = item, next == "-", position + 1 < text.count,
                text[position + 1] != "]"
            else {
                items.append(item)
                continue
            }
            position += 1
            guard case .range(let high) = try member(), low.lowerBound <= high.lowerBound else {
                throw refuse("a range in brackets is broken")
            }
            items.append(.range(low.lowerBound...high.lowerBound))
        }
        guard take("]") else { throw refuse("a class in brackets does not end") }
        return ScalarClass(items, isNegated: isNegated, ignoresCase: ignoresCase)
    }

    private mutating func member() throws(TokenizerError) -> ScalarClass.Item {
        guard let scalar = next else { throw refuse("a class in brackets does not end") }
        position += 1
        if scalar == "\\" { return try escape() }
        return .range(scalar.value...scalar.value)
    }
}
