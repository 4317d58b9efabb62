import Foundation

/// The corners of a polygon whose corners lie at equal angles, the first one straight up.
func regularOutline(corners: Int, radii: [Double]) -> [SIMD2<Double>] {
    (0..<corners).map { corner in
        let angle = 2 * Double.pi * Double(corner) / Double(corners)
        return SIMD2(sin(angle), -cos(angle)) * radii[corner % radii.count]
    }
}

/// The corners of an upright cross.
func crossed(arm: Double, half: Double) -> [SIMD2<Double>] {
    [
        SIMD2(-half, -arm), SIMD2(half, -arm), SIMD2(half, -half), SIMD2(arm, -half),
        SIMD2(arm, half), SIMD2(half, half), SIMD2(half, arm), SIMD2(-half, arm),
        SIMD2(-half, half), SIMD2(-arm, half), SIMD2(-arm, -half), SIMD2(-half, -half),
    ]
}

/// The length of a vector.
func length(_ vector: SIMD2<Double>) -> Double {
    (vector.x * vector.x + vector.y * vector.y).squareRoot()
}

/// The area inside a polygon that doesn't cross itself.
func polygonArea(_ outline: [SIMD2<Double>]) -> Double {
    let doubled = outline.indices.reduce(0.0) { sum, index in
        let a = outline[index]
        let b = outline[(index + 1) % outline.count]
        return sum + a.x * b.y - a.y * b.x
    }
    return abs(doubled) / 2
}

/// The distance from a point to a polygon's outline, negative inside.
///
/// Each edge gives the distance to its nearest point, and toggles the side if a ray to the right of
/// the point crosses it.
func polygonDistance(_ point: SIMD2<Double>, _ outline: [SIMD2<Double>]) -> Double {
    outline.withUnsafeBufferPointer { corners in
        var squared = Double.infinity
        var isInside = false
        var previous = corners[corners.count - 1]
        for corner in corners {
            let edge = previous - corner
            let offset = point - corner
            let along =
                (offset.x * edge.x + offset.y * edge.y) / (edge.x * edge.x + edge.y * edge.y)
            let gap = offset - edge * min(max(along, 0), 1)
            squared = min(squared, gap.x * gap.x + gap.y * gap.y)
            if (corner.y > point.y) != (previous.y > point.y) {
                let crossing = corner.x + edge.x * (point.y - corner.y) / edge.y
                if point.x < crossing { isInside.toggle() }
            }
            previous = corner
        }
        return isInside ? -squared.squareRoot() : squared.squareRoot()
    }
}
