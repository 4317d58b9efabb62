import Foundation

/// Where in the picture something is, as captions name it.
public enum Place: String, Codable, CaseIterable, Sendable {
    case left, right, top, bottom, middle

    /// The point that the name stands for, in picture sides from the top left corner.
    public var centre: SIMD2<Double> {
        switch self {
        case .left: SIMD2(0.23, 0.5)
        case .right: SIMD2(0.77, 0.5)
        case .top: SIMD2(0.5, 0.23)
        case .bottom: SIMD2(0.5, 0.77)
        case .middle: SIMD2(0.5, 0.5)
        }
    }

    /// The nearest named place.
    public init(nearest point: SIMD2<Double>) {
        self =
            Place.allCases.min { length($0.centre - point) < length($1.centre - point) } ?? .middle
    }
}

extension Scene {
    /// The point of the unit circle at an angle, in radians clockwise from the right.
    static func onCircle(angle: Double) -> SIMD2<Double> {
        SIMD2(cos(angle), sin(angle))
    }
}
