/// How an object moves; each kind goes on for ever.
public enum MotionKind: String, Codable, CodingKeyRepresentable, CaseIterable, Sendable {
    /// Rests where it is.
    case still
    /// Crosses the picture, leaves it, and comes in again on the other side.
    case straight
    /// Goes to and fro between two opposite walls.
    case bouncing
    /// Goes around the middle of the picture.
    case circling
    /// Turns in place.
    case spinning
    /// Grows and shrinks in place, between two fixed sizes.
    case growing
    /// Falls to the ground and bounces back to where it was, again and again.
    case falling
    /// Leaves the picture on one side, comes back there, and bounces off the opposite wall.
    case leaving
}

/// Which way a motion goes, or goes first.
public enum Direction: String, Codable, CaseIterable, Sendable {
    case left, right, up, down
    case clockwise, counterclockwise
    /// Growing or shrinking first; for the camera, zooming in or out first.
    case larger, smaller

    /// The unit vector of a straight direction (y points down); zero for the others.
    public var vector: SIMD2<Double> {
        switch self {
        case .left: SIMD2(-1, 0)
        case .right: SIMD2(1, 0)
        case .up: SIMD2(0, -1)
        case .down: SIMD2(0, 1)
        default: SIMD2(0, 0)
        }
    }

    /// The directions that a motion can have; empty for a motion without one.
    public static func choices(for kind: MotionKind) -> [Direction] {
        switch kind {
        case .still: []
        case .straight, .bouncing, .leaving: [.left, .right, .up, .down]
        case .circling, .spinning: [.clockwise, .counterclockwise]
        case .growing: [.larger, .smaller]
        case .falling: [.down]
        }
    }
}

/// The two speeds that captions name, fixed so that a video follows from its caption.
public enum Speed: String, Codable, CodingKeyRepresentable, CaseIterable, Sendable {
    case slow, quick

    /// How fast an object goes straight, in picture sides per second.
    public var sidesPerSecond: Double { self == .slow ? 0.15 : 0.3 }
    /// How fast an object goes around the middle, in turns per second.
    public var orbitsPerSecond: Double { self == .slow ? 0.1 : 0.2 }
    /// How fast an object turns in place, in turns per second.
    public var turnsPerSecond: Double { self == .slow ? 0.1 : 0.25 }
    /// How long it takes from the smallest to the largest radius, in seconds.
    public var secondsPerGrowth: Double { self == .slow ? 3 : 1.5 }
}

/// One motion of one object.
public struct Motion: Codable, Sendable, Hashable {
    /// What sort of motion it is.
    public var kind: MotionKind
    /// Which way it goes, or goes first; nil if the object rests.
    public var direction: Direction?
    /// How fast it is; nil for resting and for falling, which has its own acceleration.
    public var speed: Speed?

    /// A motion; a direction or speed that the kind doesn't have must be nil.
    public init(_ kind: MotionKind, _ direction: Direction? = nil, _ speed: Speed? = nil) {
        let choices = Direction.choices(for: kind)
        precondition(
            direction.map(choices.contains) ?? choices.isEmpty,
            "\(kind.rawValue) can't have the direction \(direction?.rawValue ?? "nil").")
        precondition(
            (speed == nil) == (kind == .still || kind == .falling),
            "\(kind.rawValue) can't have the speed \(speed?.rawValue ?? "nil").")
        self.kind = kind
        self.direction = direction
        self.speed = speed
    }

    /// The acceleration of falling, in picture sides per squared second.
    public static let gravity = 1.0
    /// The radii between which growing goes, as a share of the picture's side.
    public static let growthRadii = 0.13...0.26
}

/// Something that happens to an object once.
public struct Event: Codable, Sendable, Hashable {
    /// What can happen.
    public enum Kind: String, Codable, CodingKeyRepresentable, CaseIterable, Sendable {
        case changingColour, vanishing, appearing
    }

    /// What happens.
    public var kind: Kind
    /// When it happens, in whole seconds from the first frame.
    public var second: Int
    /// The colour after a change of colour, otherwise nil.
    public var newColour: Colour?

    /// An event after some whole seconds.
    public init(_ kind: Kind, after second: Int, newColour: Colour? = nil) {
        self.kind = kind
        self.second = second
        self.newColour = newColour
    }

    /// How long the change itself takes, in seconds; its middle is at `second`.
    static let duration = 8.0 / 30

    /// How much of the change is done at a time: 0 before, 1 after.
    func progress(seconds: Double) -> Double {
        min(max((seconds - Double(second)) / Event.duration + 0.5, 0), 1)
    }
}
