/// Which scenes a training may see.
public enum Split: String, Codable, CaseIterable, Sendable {
    /// No object is a held-out combination.
    case training
    /// At least one object is a held-out combination.
    case heldOut
    /// All scenes.
    case any
}

extension Actor {
    /// What the object does as one of a fixed list of labels: its event if it has one, otherwise its
    /// motion with the direction.
    public var activity: String {
        if let event { return event.kind.rawValue }
        guard let direction = motion.direction else { return motion.kind.rawValue }
        return "\(motion.kind.rawValue) \(direction.rawValue)"
    }

    /// Whether the combination of colour, shape and activity is kept out of training.
    ///
    /// A ninth of all combinations is: the sum of the three numbers, weighted and taken modulo 9,
    /// hits one value. So every pair of shape and activity misses one colour of nine at most, and no
    /// colour, shape or activity is held out as a whole.
    public var isHeldOut: Bool {
        let colourNumber = Colour.allCases.firstIndex(of: colour) ?? 0
        let shapeNumber = Shape.allCases.firstIndex(of: shape) ?? 0
        let activityNumber = Actor.activities.firstIndex(of: activity) ?? 0
        return (colourNumber + 5 * shapeNumber + 7 * activityNumber) % 9 == 4
    }

    /// All labels of activities, in a fixed order.
    public static let activities: [String] =
        MotionKind.allCases.flatMap { kind in
            let directions = Direction.choices(for: kind)
            return directions.isEmpty
                ? [kind.rawValue] : directions.map { "\(kind.rawValue) \($0.rawValue)" }
        } + Event.Kind.allCases.map(\.rawValue)
}

extension Scene {
    /// Whether one of the objects is a held-out combination of colour, shape and activity.
    public var isHeldOut: Bool { actors.contains(where: \.isHeldOut) }

    /// Whether the scene belongs to a split.
    public func belongs(to split: Split) -> Bool {
        switch split {
        case .any: true
        case .training: !isHeldOut
        case .heldOut: isHeldOut
        }
    }
}
