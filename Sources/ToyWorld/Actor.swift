import Foundation

/// One object of a scene: what it looks like, where it starts, what it does.
public struct Actor: Codable, Sendable, Hashable {
    /// Its outline.
    public var shape: Shape
    /// Its colour at the first frame.
    public var colour: Colour
    /// What fills it.
    public var texture: Texture
    /// Its radius at the first frame, in picture sides.
    public var radius: Double
    /// Its centre at the first frame, in picture sides from the top left corner.
    public var centre: SIMD2<Double>
    /// How far it's turned clockwise at the first frame, in radians.
    public var angle: Double
    /// What it does all the time.
    public var motion: Motion
    /// What happens to it once, or nil.
    public var event: Event?

    /// An object from its properties; lengths in picture sides, the angle in radians.
    public init(
        shape: Shape, colour: Colour, texture: Texture = .plain, radius: Double,
        centre: SIMD2<Double>, angle: Double = 0, motion: Motion, event: Event? = nil
    ) {
        self.shape = shape
        self.colour = colour
        self.texture = texture
        self.radius = radius
        self.centre = centre
        self.angle = angle
        self.motion = motion
        self.event = event
    }

    /// Where an object is at one time, in the world's own lengths.
    struct Pose {
        /// The centre, in picture sides.
        var centre: SIMD2<Double>
        /// The radius, in picture sides.
        var radius: Double
        /// The turn clockwise, in radians.
        var angle: Double
    }

    /// Where the object is after some seconds; any time is computed at once.
    func pose(seconds: Double) -> Pose {
        var pose = Pose(centre: centre, radius: radius, angle: angle)
        let sign: Double = motion.direction == .clockwise ? 1 : -1
        switch motion.kind {
        case .still: break
        case .straight, .bouncing, .leaving:
            pose.centre = alongTrack(seconds: seconds)
        case .circling:
            let turn = sign * 2 * .pi * (motion.speed?.orbitsPerSecond ?? 0) * seconds
            let start = centre - 0.5
            pose.centre.x = 0.5 + start.x * cos(turn) - start.y * sin(turn)
            pose.centre.y = 0.5 + start.x * sin(turn) + start.y * cos(turn)
        case .spinning:
            pose.angle += sign * 2 * .pi * (motion.speed?.turnsPerSecond ?? 0) * seconds
        case .growing:
            let range = Motion.growthRadii
            let swing = cos(.pi * seconds / (motion.speed?.secondsPerGrowth ?? 1))
            let outward: Double = motion.direction == .larger ? -1 : 1
            let middle = (range.lowerBound + range.upperBound) / 2
            pose.radius = middle + outward * swing * (range.upperBound - range.lowerBound) / 2
        case .falling:
            let depth = max(1 - shape.below * radius - centre.y, 0)
            let duration = (2 * depth / Motion.gravity).squareRoot()
            let since = folded(seconds, length: duration)
            pose.centre.y += Motion.gravity / 2 * since * since
        }
        return pose
    }

    /// The place on the straight line of a crossing, bouncing or leaving object.
    private func alongTrack(seconds: Double) -> SIMD2<Double> {
        guard let direction = motion.direction, let speed = motion.speed else { return centre }
        let isHorizontal = direction.vector.x != 0
        let isForward = direction == .right || direction == .down
        let before = (isHorizontal ? shape.halfWidth : shape.above) * radius
        let after = (isHorizontal ? shape.halfWidth : shape.below) * radius
        let start = isHorizontal ? centre.x : centre.y
        let way = speed.sidesPerSecond * seconds
        var lower = before
        var upper = 1 - after
        var place = start
        switch motion.kind {
        case .straight:
            lower = -after
            upper = 1 + before
            place = lower + wrapped(start - lower + (isForward ? way : -way), length: upper - lower)
        default:
            if motion.kind == .leaving, isForward { upper = 1 + before + 0.02 }
            if motion.kind == .leaving, !isForward { lower = -after - 0.02 }
            let phase = isForward ? start - lower : 2 * (upper - lower) - (start - lower)
            place = lower + folded(phase + way, length: upper - lower)
        }
        return isHorizontal ? SIMD2(place, centre.y) : SIMD2(centre.x, place)
    }

    /// How visible the object is after some seconds, 0 to 1.
    func opacity(seconds: Double) -> Double {
        guard let event else { return 1 }
        switch event.kind {
        case .changingColour: return 1
        case .vanishing: return 1 - event.progress(seconds: seconds)
        case .appearing: return event.progress(seconds: seconds)
        }
    }

    /// The colour that the object has, or mostly has, after some seconds.
    func colour(seconds: Double) -> Colour {
        guard let event, let newColour = event.newColour else { return colour }
        return event.progress(seconds: seconds) < 0.5 ? colour : newColour
    }

    /// The object's drawn colour after some seconds, channels 0...255.
    func tone(seconds: Double) -> SIMD3<Float> {
        guard let event, let newColour = event.newColour else { return colour.rgb.vector }
        let share = Float(event.progress(seconds: seconds))
        return colour.rgb.vector * (1 - share) + newColour.rgb.vector * share
    }
}

/// The rest of a division, never negative.
func wrapped(_ value: Double, length: Double) -> Double {
    guard length > 0 else { return 0 }
    return value - (value / length).rounded(.down) * length
}

/// A value that runs up to a length and back to 0, for ever.
func folded(_ value: Double, length: Double) -> Double {
    let phase = wrapped(value, length: 2 * length)
    return phase < length ? phase : 2 * length - phase
}
