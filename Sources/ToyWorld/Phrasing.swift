/// Puts facts into English; without a source of choices it always takes the first form.
struct Phrasing {
    /// The source of choices, or nil for the canonical form.
    var choices: SplitMix64?
    /// Whether to leave out what isn't needed, because two long activities share a sentence.
    var isBrief = false

    /// A sentence about a whole scene.
    mutating func caption(_ facts: SceneFacts) -> String {
        var sentence: String
        if let front = facts.objects.first?.passesBehind {
            sentence = passing(facts.objects[0], behind: facts.objects[front])
        } else if facts.objects.count > 2 {
            sentence = several(facts.objects)
        } else if facts.objects.count == 2 {
            let first = clause(facts.objects[0])
            let second = clause(facts.objects[1])
            sentence = first + pick([" while ", " and ", ", "]) + second
        } else {
            sentence = alone(facts.objects[0])
        }
        if facts.camera.kind != .fixed {
            sentence += pick([" while ", " and "]) + camera(facts.camera)
        }
        if facts.objects.count == 1, chance(0.12) {
            sentence += " on a \(backgroundWord(facts.background)) background"
        }
        guard chance(0.25) else { return sentence }
        return sentence.prefix(1).uppercased() + sentence.dropFirst() + "."
    }

    // MARK: - Choosing

    mutating func pick(_ forms: [String]) -> String {
        choices?.pick(forms) ?? forms[0]
    }

    mutating func chance(_ probability: Double) -> Bool {
        choices?.chance(probability) ?? false
    }

    // MARK: - Sentences

    private mutating func alone(_ object: ObjectFacts) -> String {
        let name = noun(object)
        let activity = activity(object)
        let plain = "\(article(name)) \(name) \(activity)"
        return pick([
            plain, plain, plain, plain, "the \(name) \(activity)",
            "there is \(article(name)) \(name) that \(activity)",
            "a video of \(article(name)) \(name) that \(activity)",
        ])
    }

    private mutating func clause(_ object: ObjectFacts) -> String {
        let name = noun(object)
        return "\(article(name)) \(name) \(activity(object))"
    }

    private mutating func several(_ objects: [ObjectFacts]) -> String {
        let others = objects.dropFirst().map { object in
            let name = noun(object)
            return "\(article(name)) \(name)"
        }
        let resting = others.joined(separator: " and ")
        let all = pick(["stay still", "do not move", "stand still"])
        return "\(clause(objects[0])), \(resting) \(all)"
    }

    private mutating func passing(_ mover: ObjectFacts, behind front: ObjectFacts) -> String {
        let name = noun(mover)
        let subject = "\(article(name)) \(name)"
        let other = noun(front, isSized: true)
        let screen = "\(article(other)) \(other)"
        let way = way(mover.motion)
        let verb = verb()
        return pick([
            "\(subject) \(verb) \(way) behind \(screen)",
            "\(subject) \(verb) \(way) and passes behind \(screen)",
            "\(subject) passes behind \(screen), moving \(way)",
            "\(subject) \(verb) \(way) behind \(screen) that stays still",
        ])
    }

    private mutating func camera(_ camera: Camera) -> String {
        switch camera.direction {
        case .larger: return pick(["the camera zooms in and out", "the camera zooms in and back"])
        case .smaller:
            return pick(["the camera zooms out and in", "the camera zooms out and back"])
        case .some(let direction):
            return "the camera \(pick(["pans", "moves"])) \(side(direction)) and back"
        case nil: return "the camera rests"
        }
    }

    private func backgroundWord(_ background: Background.Kind) -> String {
        background == .gradient ? "shaded" : background.rawValue
    }

    // MARK: - Objects

    private mutating func noun(_ object: ObjectFacts, isSized: Bool = false) -> String {
        var words: [String] = []
        let saysSize = isSized || object.event?.kind == .appearing || chance(0.2)
        if saysSize, let size = object.size {
            words.append(size == .large ? pick(["large", "large", "big"]) : "small")
        }
        if object.texture != .plain, !isBrief, choices == nil || chance(0.7) {
            words.append(object.texture.rawValue)
        }
        words.append(object.colour.rawValue)
        words.append(shapeWord(object.shape))
        return words.joined(separator: " ")
    }

    private mutating func shapeWord(_ shape: Shape) -> String {
        guard chance(0.15) else { return shape.rawValue }
        switch shape {
        case .circle: return pick(["ball", "disc"])
        case .square: return "box"
        default: return shape.rawValue
        }
    }

    private func article(_ name: String) -> String {
        name.hasPrefix("orange") ? "an" : "a"
    }

    // MARK: - Activities

    private mutating func activity(_ object: ObjectFacts) -> String {
        guard let event = object.event else { return motion(object.motion) }
        let happening = phrase(event, place: object.place)
        if event.kind == .appearing { return happening }
        if object.motion.kind == .still, choices != nil, chance(0.5) { return happening }
        return "\(motion(object.motion)) and \(happening)"
    }

    private mutating func phrase(_ event: Event, place: Place) -> String {
        let time = Phrasing.times[min(max(event.second, 1), Phrasing.times.count) - 1]
        switch event.kind {
        case .changingColour:
            let colour = event.newColour?.rawValue ?? ""
            let verb = pick(["turns", "becomes", "changes to"])
            return "\(verb) \(colour) after \(time)"
        case .vanishing:
            return "\(pick(["vanishes", "disappears"])) after \(time)"
        case .appearing:
            let place = Phrasing.places[place] ?? "in the middle"
            return pick(["appears \(place) after \(time)", "comes up \(place) after \(time)"])
        }
    }

    private mutating func motion(_ motion: Motion) -> String {
        let speed = speed(motion.speed)
        switch motion.kind {
        case .still:
            return pick(["stays still", "does not move", "stands still", "rests"])
        case .straight:
            let verb = verb()
            let suffix = chance(0.15) ? " and comes in again on the other side" : ""
            return pick([
                "\(verb) \(way(motion))", "\(speed.before) \(verb) \(side(motion.direction))",
            ])
                + suffix
        case .bouncing:
            let isHorizontal = motion.direction?.vector.x != 0
            let axis =
                isHorizontal
                ? pick(["from side to side", "between the walls", "left and right"])
                : pick(["up and down", "up and down", "between top and bottom"])
            if isBrief { return "bounces \(speed.after), first \(side(motion.direction))" }
            let first = pick(["first", "first", "starting"]) + " \(side(motion.direction))"
            return pick([
                "bounces \(speed.after) \(axis), \(first)",
                "\(speed.before) bounces \(axis), \(first)",
                "bounces \(axis) \(speed.after), \(first)",
            ])
        case .circling:
            let turn = motion.direction?.rawValue ?? ""
            return pick([
                "goes \(speed.after) \(turn) around the middle",
                "circles \(speed.after) \(turn) around the middle",
                "moves \(speed.after) \(turn) in a circle",
                "\(speed.before) moves \(turn) in a circle",
            ])
        case .spinning:
            let turn = motion.direction?.rawValue ?? ""
            let verb = pick(["spins", "spins", "rotates", "turns"])
            return pick([
                "\(verb) \(speed.after) \(turn)", "\(verb) \(speed.after) \(turn) in place",
                "\(speed.before) \(verb) \(turn)",
            ])
        case .growing:
            return growing(motion.direction, speed)
        case .falling:
            return pick([
                "falls down and bounces on the ground", "falls to the ground and bounces back up",
                "drops down and bounces up again and again",
            ])
        case .leaving:
            let exit = exit(motion.direction)
            return pick([
                "leaves \(speed.after) \(exit) and comes back",
                "\(verb()) \(speed.after) \(side(motion.direction)) out of the picture and returns",
                "\(speed.before) leaves the picture \(exit) and comes back",
            ])
        }
    }

    private mutating func exit(_ direction: Direction?) -> String {
        switch direction {
        case .up: "at the top"
        case .down: "at the bottom"
        default: side(direction)
        }
    }

    private mutating func growing(_ direction: Direction?, _ speed: (before: String, after: String))
        -> String
    {
        direction == .larger
            ? pick([
                "grows and shrinks \(speed.after)", "\(speed.before) grows and shrinks",
                "\(speed.before) gets larger and then smaller",
            ])
            : pick([
                "shrinks and grows \(speed.after)", "\(speed.before) shrinks and grows",
                "\(speed.before) gets smaller and then larger",
            ])
    }

    private mutating func verb() -> String {
        pick(["moves", "moves", "travels", "glides", "goes"])
    }

    private mutating func way(_ motion: Motion) -> String {
        let speed = speed(motion.speed)
        let side = side(motion.direction)
        return pick(["\(speed.after) \(side)", "\(side) \(speed.after)"])
    }

    /// The speed as a word that fits before and one that fits after a verb.
    private mutating func speed(_ speed: Speed?) -> (before: String, after: String) {
        speed == .slow ? ("slowly", "slowly") : ("quickly", pick(["quickly", "quickly", "fast"]))
    }

    private mutating func side(_ direction: Direction?) -> String {
        switch direction {
        case .left, .right:
            let word = direction?.rawValue ?? ""
            return pick(["to the \(word)", word, "toward the \(word)"])
        case .up, .down:
            let word = direction?.rawValue ?? ""
            return pick([word, word, "\(word)ward"])
        default: return ""
        }
    }

    private static let times = ["one second", "two seconds", "three seconds"]
    private static let places: [Place: String] = [
        .left: "on the left", .right: "on the right", .top: "at the top", .bottom: "at the bottom",
        .middle: "in the middle",
    ]
}
