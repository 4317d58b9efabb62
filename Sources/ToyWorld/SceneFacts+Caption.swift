extension SceneFacts {
    /// Reads what a caption of one object promises: the other way round from writing captions.
    ///
    /// Nil where the caption is of no such scene: several objects, an event, a moving camera, words
    /// that leave the colour, the shape, the motion or its speed open. What a caption need not say,
    /// the size and the place, is taken to be large and in the middle; no verdict hangs on it.
    ///
    /// - Parameter caption: A prompt such as "a red circle moves slowly to the right".
    public init?(caption: String) {
        guard let words = CaptionWords(caption), let colour = words.only(Colour.self, \.rawValue),
            let shape = words.shape, let motion = words.motion
        else { return nil }
        let size: Size? = motion.kind == .growing ? nil : words.has("small") ? .small : .large
        let object = ObjectFacts(
            shape: shape, colour: colour, texture: words.only(Texture.self, \.rawValue) ?? .plain,
            size: size, motion: motion, event: nil, place: .middle, passesBehind: nil,
            isHeldOut: false)
        self.init(objects: [object], camera: .fixed, background: .plain)
    }
}

/// The words of a caption about one object, without its background.
private struct CaptionWords {
    private let words: [String]

    init?(_ caption: String) {
        var words = caption.lowercased().split { !$0.isLetter }.map(String.init)
        if words.last == "background" { words.removeLast(min(4, words.count)) }
        // Events, cameras and other objects.
        guard Set(["after", "camera", "behind", "while"]).isDisjoint(with: words) else {
            return nil
        }
        self.words = words
    }

    func has(_ word: String) -> Bool { words.contains(word) }

    private func has(any some: [String]) -> Bool { words.contains(where: some.contains) }

    /// The one thing whose word occurs; nil for none or several.
    func only<Thing: CaseIterable>(_ things: Thing.Type, _ word: (Thing) -> String) -> Thing? {
        let found = things.allCases.filter { words.contains(word($0)) }
        return found.count == 1 ? found.first : nil
    }

    var shape: Shape? {
        // "in a circle" is a way to move.
        let isTurning = zip(words, words.dropFirst(2)).contains { $0 == "in" && $1 == "circle" }
        let names = isTurning ? Array(words.dropLast()) : words
        let synonyms = ["ball": Shape.circle, "disc": .circle, "box": .square]
        let found = names.compactMap { synonyms[$0] ?? Shape(rawValue: $0) }
        return found.count == 1 ? found.first : nil
    }

    var motion: Motion? {
        guard let kind else { return nil }
        let direction = direction(of: kind)
        guard direction != nil || Direction.choices(for: kind).isEmpty else { return nil }
        if kind == .still || kind == .falling { return Motion(kind, direction) }
        return speed.map { Motion(kind, direction, $0) }
    }

    private var speed: Speed? {
        if has("slowly") { return .slow }
        return has(any: ["quickly", "fast"]) ? .quick : nil
    }

    private var kind: MotionKind? {
        if has(any: ["falls", "drops"]) { return .falling }
        if has("bounces") { return .bouncing }
        if has(any: ["grows", "shrinks", "gets"]) { return .growing }
        if has(any: ["clockwise", "counterclockwise"]) {
            return has(any: ["around", "in"]) && !has("place") ? .circling : .spinning
        }
        if has(any: ["leaves", "returns"]) { return .leaving }
        if has(any: ["still", "rests"]) || has("not") { return .still }
        return has(any: ["moves", "travels", "glides", "goes"]) ? .straight : nil
    }

    private func direction(of kind: MotionKind) -> Direction? {
        switch kind {
        case .still: return nil
        case .falling: return .down
        case .circling, .spinning: return has("clockwise") ? .clockwise : .counterclockwise
        case .growing:
            let first = words.first { ["grows", "larger", "shrinks", "smaller"].contains($0) }
            return ["grows", "larger"].contains(first) ? .larger : .smaller
        case .straight, .bouncing, .leaving:
            // A bounce names its axis before it says which way comes first.
            let start = words.firstIndex { $0 == "first" || $0 == "starting" } ?? 0
            return words[start...].lazy.compactMap(Self.way).first
        }
    }

    private static func way(_ word: String) -> Direction? {
        switch word {
        case "left", "right", "up", "down": Direction(rawValue: word)
        case "upward", "top": .up
        case "downward", "bottom": .down
        default: nil
        }
    }
}
