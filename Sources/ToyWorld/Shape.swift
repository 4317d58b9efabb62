/// The outline of an object; the first three are the easy ones.
///
/// A shape's unit is the object's radius: the circle's own radius, and for the others a length that
/// makes them look equally large. The origin is the centre of mass; y points down.
public enum Shape: String, Codable, CodingKeyRepresentable, CaseIterable, Sendable {
    case circle, square, triangle, star, ring, cross

    /// After how many equal turns the shape has come round once; 0 for a shape that no turn changes.
    public var symmetry: Int {
        switch self {
        case .circle, .ring: 0
        case .square, .cross: 4
        case .triangle: 3
        case .star: 5
        }
    }

    /// The largest distance of an edge point from the centre, in radii.
    public var reach: Double {
        switch self {
        case .circle: 1
        case .ring: Shape.ringOuter
        default: Shape.outlines[self].map { $0.map(length).max() ?? 0 } ?? 0
        }
    }

    /// How far the upright shape goes to the left or right of its centre, in radii.
    public var halfWidth: Double {
        Shape.outlines[self].map { $0.map(\.x).max() ?? 0 } ?? reach
    }

    /// How far the upright shape goes above its centre, in radii.
    public var above: Double {
        Shape.outlines[self].map { -($0.map(\.y).min() ?? 0) } ?? reach
    }

    /// How far the upright shape goes below its centre, in radii.
    public var below: Double {
        Shape.outlines[self].map { $0.map(\.y).max() ?? 0 } ?? reach
    }

    /// The area, in squared radii.
    public var area: Double {
        switch self {
        case .circle: .pi
        case .ring: .pi * (Shape.ringOuter * Shape.ringOuter - Shape.ringInner * Shape.ringInner)
        default: Shape.outlines[self].map(polygonArea) ?? 0
        }
    }

    /// The distance from a point to the outline, negative inside; both in radii.
    ///
    /// - Parameter point: a point relative to the centre, turned back by the object's angle.
    public func distance(_ point: SIMD2<Double>) -> Double {
        switch self {
        case .circle:
            return length(point) - 1
        case .ring:
            let middle = (Shape.ringOuter + Shape.ringInner) / 2
            return abs(length(point) - middle) - (Shape.ringOuter - Shape.ringInner) / 2
        case .square:
            let past = SIMD2(abs(point.x), abs(point.y)) - Shape.squareHalf
            let outside = SIMD2(max(past.x, 0), max(past.y, 0))
            return length(outside) + min(max(past.x, past.y), 0)
        case .triangle:
            return polygonDistance(point, Shape.triangleOutline)
        case .star:
            return polygonDistance(point, Shape.starOutline)
        case .cross:
            return polygonDistance(point, Shape.crossOutline)
        }
    }

    private static let ringOuter = 1.05
    private static let ringInner = 0.44
    private static let squareHalf = 0.88

    private static let triangleOutline = regularOutline(corners: 3, radii: [1.35])
    private static let starOutline = regularOutline(corners: 10, radii: [1.4, 0.6])
    private static let crossOutline = crossed(arm: 1.1, half: 0.36)
    private static let outlines: [Shape: [SIMD2<Double>]] = [
        .square: [
            SIMD2(-squareHalf, -squareHalf), SIMD2(squareHalf, -squareHalf),
            SIMD2(squareHalf, squareHalf), SIMD2(-squareHalf, squareHalf),
        ],
        .triangle: triangleOutline, .star: starOutline, .cross: crossOutline,
    ]
}
