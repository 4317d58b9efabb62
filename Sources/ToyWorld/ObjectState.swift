/// The exact truth about one object at one frame.
public struct ObjectState: Codable, Sendable, Hashable {
    /// Its outline.
    public var shape: Shape
    /// The colour that it has, or mostly has.
    public var colour: Colour
    /// Its centre, in pixels from the top left corner of the picture; may lie outside.
    public var centre: SIMD2<Double>
    /// Its radius, in pixels.
    public var radius: Double
    /// Its turn clockwise, in radians.
    public var angle: Double
    /// How opaque it is, 0 before it appeared and after it vanished, 1 otherwise.
    public var opacity: Double
    /// The share of its area that lies inside the picture and behind no other object, 0 to 1.
    public var visibleFraction: Double
    /// The centre of mass of that visible area, in pixels; nil if there is none.
    public var visibleCentre: SIMD2<Double>?
    /// How fast its centre moves, in pixels per frame.
    public var velocity: SIMD2<Double>
}

extension Scene {
    /// The exact truth about each object at one frame, in the order of `actors`.
    public func state(frame: Int) -> [ObjectState] {
        let seconds = Scene.seconds(frame: frame)
        let silhouettes = actors.map { silhouette($0, seconds: seconds) }
        var hidden = [Double](repeating: 0, count: side * side)
        var states: [ObjectState] = []
        for (actor, silhouette) in zip(actors, silhouettes).reversed() {
            var mass = 0.0
            var moment = SIMD2(0.0, 0.0)
            let opacity = actor.opacity(seconds: seconds)
            silhouette.forEachPixel(side: side) { pixel, coverage, _ in
                let seen = coverage * (1 - hidden[pixel])
                mass += seen
                moment +=
                    SIMD2(Double(pixel % side) + 0.5, Double(pixel / side) + 0.5) * seen
                hidden[pixel] += coverage * opacity * (1 - hidden[pixel])
            }
            let whole = actor.shape.area * silhouette.radius * silhouette.radius
            states.append(
                ObjectState(
                    shape: actor.shape, colour: actor.colour(seconds: seconds),
                    centre: silhouette.centre, radius: silhouette.radius,
                    angle: actor.pose(seconds: seconds).angle, opacity: opacity,
                    visibleFraction: min(mass / whole, 1),
                    visibleCentre: mass > 0 ? moment / mass : nil,
                    velocity: velocity(actor, seconds: seconds)))
        }
        return states.reversed()
    }

    /// The velocity in pixels per frame, from two close times on the same side of a wrap-around.
    private func velocity(_ actor: Actor, seconds: Double) -> SIMD2<Double> {
        let step = 1e-4
        let here = silhouette(actor, seconds: seconds).centre
        var difference = silhouette(actor, seconds: seconds + step).centre - here
        if length(difference) > Double(side) / 2 {
            difference = here - silhouette(actor, seconds: seconds - step).centre
        }
        return difference / (step * Double(Scene.frameRate))
    }
}
