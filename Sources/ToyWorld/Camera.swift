import Foundation

/// What the camera does; it comes back again and again, so that objects stay in view.
public struct Camera: Codable, Sendable, Hashable {
    /// The ways to move a camera.
    public enum Kind: String, Codable, CodingKeyRepresentable, CaseIterable, Sendable {
        case fixed, panning, zooming
    }

    /// What the camera does.
    public var kind: Kind
    /// Which way it goes first: left, right, up or down when panning, larger (zooming in) or smaller
    /// when zooming, nil when fixed.
    public var direction: Direction?

    /// A camera that rests.
    public static let fixed = Camera(.fixed)

    /// A camera; a direction that the kind doesn't have must be nil.
    public init(_ kind: Kind, _ direction: Direction? = nil) {
        precondition(
            direction.map(Camera.choices(for: kind).contains) ?? (kind == .fixed),
            "A \(kind.rawValue) camera can't have the direction \(direction?.rawValue ?? "nil").")
        self.kind = kind
        self.direction = direction
    }

    /// The directions that a camera can have.
    public static func choices(for kind: Kind) -> [Direction] {
        switch kind {
        case .fixed: []
        case .panning: [.left, .right, .up, .down]
        case .zooming: [.larger, .smaller]
        }
    }

    /// The time from one start of the same movement to the next, in seconds.
    public static let period = 4.0
    /// How far a pan goes to each side, in picture sides.
    public static let panReach = 0.16
    /// The magnification at the end of zooming in.
    public static let nearest = 1.45
    /// The magnification at the end of zooming out.
    public static let farthest = 0.72

    /// Where the camera looks, relative to the picture's middle, in picture sides.
    func offset(seconds: Double) -> SIMD2<Double> {
        guard kind == .panning, let direction else { return SIMD2(0, 0) }
        return direction.vector * (Camera.panReach * sin(2 * .pi * seconds / Camera.period))
    }

    /// How much larger than at the first frame things look.
    func magnification(seconds: Double) -> Double {
        guard kind == .zooming else { return 1 }
        let extreme = direction == .larger ? Camera.nearest : Camera.farthest
        return 1 + (extreme - 1) * (1 - cos(2 * .pi * seconds / Camera.period)) / 2
    }

    /// Where a point of the world is seen; both in picture sides from the top left corner.
    func picture(_ point: SIMD2<Double>, seconds: Double) -> SIMD2<Double> {
        (point - 0.5 - offset(seconds: seconds)) * magnification(seconds: seconds) + 0.5
    }
}
