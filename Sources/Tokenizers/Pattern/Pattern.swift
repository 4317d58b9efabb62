/// A regular expression over scalars, with the semantics of the tokenizers library's engine.
///
/// Leftmost match, first alternative that leads to one, backtracking. Runs of one class are
/// matched in a loop, so that long texts need neither stack nor quadratic time.
struct Pattern: Sendable {
    indirect enum Step: Sendable {
        case one(ScalarClass)
        /// A run of a class, at least and at most so many.
        case run(ScalarClass, least: Int, most: Int, style: Style)
        /// Goes on at the first place, and after failure at the second.
        case fork(Int, Int)
        case jump(Int)
        case look(Pattern, isAhead: Bool, wanted: Bool)
        /// Matches only what the inner pattern matches first.
        case atomic(Pattern)
        case edge(Edge)
        /// Fails unless the position moved since the loop with this number began its round.
        case progress(loop: Int)
        case mark(loop: Int)
    }

    enum Style: Sendable { case greedy, lazy, possessive }
    enum Edge: Sendable { case textStart, textEnd, lineStart, lineEnd, word, notWord }

    private struct Choice {
        var step: Int
        var position: Int
        /// How much further a run may give back (greedy) or take (lazy).
        var limit: Int
        var run: Int
        var marks: [Int]
    }

    private let steps: [Step]
    private let loops: Int

    init(steps: [Step], loops: Int) {
        self.steps = steps
        self.loops = loops
    }

    /// A pattern that matches exactly this text.
    init(literal text: String) {
        self.init(
            steps: text.unicodeScalars.map {
                .one(ScalarClass([.range($0.value...$0.value)]))
            }, loops: 0)
    }

    /// How many scalars every match has, where it is plain to see.
    var width: Int? {
        let areSingle = steps.allSatisfy { step in
            if case .one = step { true } else { false }
        }
        return areSingle ? steps.count : nil
    }

    /// All matches from left to right that do not overlap.
    func matches(in text: [Unicode.Scalar]) -> [Range<Int>] {
        var matches: [Range<Int>] = []
        var position = 0
        while position <= text.count {
            guard let end = match(text, at: position) else {
                position += 1
                continue
            }
            // An empty match right behind another one does not count.
            if end > position || matches.last?.upperBound != position {
                matches.append(position..<end)
            }
            position = end > position ? end : position + 1
        }
        return matches
    }

    /// Where the match that starts at a position ends, nil if there is none.
    func match(_ text: [Unicode.Scalar], at start: Int) -> Int? {
        var choices: [Choice] = []
        var step = 0
        var position = start
        var marks = [Int](repeating: -1, count: loops)
        while step < steps.count {
            if let next = advance(text, &step, position, &marks, &choices) {
                position = next
                continue
            }
            guard let choice = choices.popLast() else { return nil }
            (step, position, marks) = (choice.step, choice.position, choice.marks)
            resume(choice, text, &choices)
        }
        return position
    }
}

// MARK: - Single steps

extension Pattern {
    private func advance(
        _ text: [Unicode.Scalar], _ step: inout Int, _ position: Int, _ marks: inout [Int],
        _ choices: inout [Choice]
    ) -> Int? {
        let index = step
        step += 1
        switch steps[index] {
        case .one(let scalars):
            return position < text.count && scalars.contains(text[position])
                ? position + 1 : nil
        case .run(let scalars, let least, let most, let style):
            return run(scalars, least, most, style, text, index, position, marks, &choices)
        case .fork(let first, let second):
            choices.append(
                Choice(step: second, position: position, limit: 0, run: -1, marks: marks))
            step = first
        case .jump(let target): step = target
        case .look(let pattern, let isAhead, let wanted):
            let found =
                isAhead
                ? pattern.match(text, at: position) != nil
                : pattern.width.map { width in
                    width <= position && pattern.match(text, at: position - width) != nil
                } ?? false
            return found == wanted ? position : nil
        case .atomic(let pattern): return pattern.match(text, at: position)
        case .edge(let edge): return holds(edge, text, position) ? position : nil
        case .mark(let loop): marks[loop] = position
        case .progress(let loop): return marks[loop] == position ? nil : position
        }
        return position
    }

    private func run(
        _ scalars: ScalarClass, _ least: Int, _ most: Int, _ style: Style,
        _ text: [Unicode.Scalar], _ index: Int, _ position: Int, _ marks: [Int],
        _ choices: inout [Choice]
    ) -> Int? {
        let wanted = style == .lazy ? least : most
        var end = position
        while end < text.count, end - position < wanted, scalars.contains(text[end]) {
            end += 1
        }
        guard end - position >= least else { return nil }
        switch style {
        case .greedy where end > position + least:
            choices.append(
                Choice(
                    step: index + 1, position: end - 1, limit: position + least, run: index,
                    marks: marks))
        case .lazy where most > least && end < text.count && scalars.contains(text[end]):
            choices.append(
                Choice(
                    step: index + 1, position: end + 1,
                    limit: most == Int.max ? most : position + most, run: index, marks: marks))
        default: break
        }
        return end
    }

    /// Leaves the next length of a run as a choice after one of its lengths was taken.
    private func resume(_ choice: Choice, _ text: [Unicode.Scalar], _ choices: inout [Choice]) {
        guard choice.run >= 0, case .run(let scalars, _, _, let style) = steps[choice.run] else {
            return
        }
        var next = choice
        if style == .greedy, choice.position > choice.limit {
            next.position -= 1
            choices.append(next)
        } else if style == .lazy, choice.position < choice.limit, choice.position < text.count,
            scalars.contains(text[choice.position])
        {
            next.position += 1
            choices.append(next)
        }
    }

    private func holds(_ edge: Edge, _ text: [Unicode.Scalar], _ position: Int) -> Bool {
        let before = position > 0 ? text[position - 1] : nil
        let after = position < text.count ? text[position] : nil
        switch edge {
        case .textStart: return before == nil
        case .textEnd: return after == nil
        case .lineStart: return before == nil || (before == "\n" && after != nil)
        case .lineEnd: return after == nil || after == "\n"
        case .word, .notWord:
            let isEdge =
                before.map(ScalarClass.isWord) ?? false != after.map(ScalarClass.isWord) ?? false
            return isEdge == (edge == .word)
        }
    }
}
