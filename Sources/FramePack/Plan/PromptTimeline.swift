/// A prompt and the time from which it holds.
public struct TimedPrompt: Hashable, Codable, Sendable {
    /// Where it begins, in seconds from the start of the video, 0 or more.
    public var seconds: Double
    /// The prompt.
    public var text: String

    /// Makes a timed prompt.
    public init(seconds: Double, text: String) {
        (self.seconds, self.text) = (seconds, text)
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case seconds, text
    }

    /// Reads a timed prompt.
    ///
    /// - Throws: `FramePackError.unknownKey` for any other key.
    public init(from decoder: any Decoder) throws {
        try KnownKeys.check(
            decoder, within: "A timed prompt", known: CodingKeys.allCases.map(\.rawValue))
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        seconds = try fields.decode(Double.self, forKey: .seconds)
        text = try fields.decode(String.self, forKey: .text)
    }
}

/// The number of that which holds longest between two times, where each holds from its own time
/// until the next begins; on a tie the earlier one.
func holdingLongest(_ times: [Double], from start: Double, to end: Double) -> Int {
    var best = (number: 0, overlap: -Double.infinity)
    for (number, time) in times.enumerated() {
        let next = number + 1 < times.count ? times[number + 1] : .infinity
        let overlap = min(end, next) - max(start, time)
        if overlap > best.overlap { best = (number, overlap) }
    }
    return best.number
}

/// The prompts of a video in time order, each holding until the next begins.
public struct PromptTimeline: Equatable, Sendable {
    /// The prompts by rising time; the first begins at 0.
    public let prompts: [TimedPrompt]

    /// Joins a prompt, which may hold time marks, and further timed prompts.
    ///
    /// A text like `[0s: a girl stands] [2.5s: she dances]` is taken apart; what stands before its
    /// first mark holds from 0 on.
    ///
    /// - Throws: `FramePackError.malformedTimeline` where a mark is not closed, a time is given
    ///   twice or is not a number of 0 or more, a text is empty, or nothing holds at 0.
    public init(_ text: String, at further: [TimedPrompt] = []) throws(FramePackError) {
        let all = (try Self.marks(in: text) + further).sorted { $0.seconds < $1.seconds }
        for prompt in all {
            guard prompt.seconds.isFinite, prompt.seconds >= 0 else {
                throw .malformedTimeline(
                    "A prompt begins at \(plainText(prompt.seconds)) s; times are 0 or more.")
            }
            guard !prompt.text.allSatisfy(\.isWhitespace) else {
                throw .malformedTimeline(
                    "The prompt at \(plainText(prompt.seconds)) s is empty; write what happens.")
            }
        }
        guard let first = all.first else {
            throw .invalidSetting(
                name: "prompt", found: "empty", wanted: "a text; describe what moves and how")
        }
        guard first.seconds == 0 else {
            throw .malformedTimeline(
                "The first prompt begins at \(plainText(first.seconds)) s; give one for 0 s too.")
        }
        for (earlier, later) in zip(all, all.dropFirst()) where earlier.seconds == later.seconds {
            throw .malformedTimeline(
                "Two prompts begin at \(plainText(later.seconds)) s; give them different times.")
        }
        prompts = all
    }

    /// The number of the prompt that holds longest between two times; on a tie the earlier one.
    ///
    /// - Parameters:
    ///   - start: Where the section begins, in seconds.
    ///   - end: Where it ends, in seconds.
    public func promptNumber(from start: Double, to end: Double) -> Int {
        holdingLongest(prompts.map(\.seconds), from: start, to: end)
    }

    /// Takes a text with time marks apart; a text without one holds from 0 on.
    private static func marks(in text: String) throws(FramePackError) -> [TimedPrompt] {
        let opening = /\[\s*[-+]?[0-9.]+\s*s\s*:/
        guard let first = text.firstRange(of: opening) else {
            return text.allSatisfy(\.isWhitespace) ? [] : [TimedPrompt(seconds: 0, text: text)]
        }
        var prompts: [TimedPrompt] = []
        let before = text[..<first.lowerBound]
        if !before.allSatisfy(\.isWhitespace) {
            prompts.append(TimedPrompt(seconds: 0, text: trimmed(before)))
        }
        var rest = text[first.lowerBound...]
        while !rest.isEmpty {
            prompts.append(try takeMark(from: &rest))
        }
        return prompts
    }

    private static func takeMark(from rest: inout Substring) throws(FramePackError) -> TimedPrompt {
        guard let match = rest.prefixMatch(of: /\[\s*([-+]?[0-9.]+)\s*s\s*:([^\[\]]*)\]\s*/) else {
            throw .malformedTimeline(
                "The prompt's time marks cannot be read at \"\(rest.prefix(24))\"; "
                    + "write them as \"[0s: first] [2.5s: then]\".")
        }
        guard let seconds = Double(match.1) else {
            throw .malformedTimeline("The prompt's time \"\(match.1)\" is not a number of seconds.")
        }
        rest = rest[match.range.upperBound...]
        return TimedPrompt(seconds: seconds, text: trimmed(match.2))
    }

    private static func trimmed(_ text: Substring) -> String {
        let head = text.drop(while: \.isWhitespace)
        return String(head.reversed().drop(while: \.isWhitespace).reversed())
    }
}
