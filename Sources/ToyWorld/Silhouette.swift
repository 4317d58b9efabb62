import Foundation

/// An object placed on the pixel grid, ready to be drawn or measured.
struct Silhouette {
    let shape: Shape
    /// The centre, in pixels from the top left corner of the picture.
    let centre: SIMD2<Double>
    /// The radius, in pixels.
    let radius: Double
    private let cosine: Double
    private let sine: Double

    init(shape: Shape, centre: SIMD2<Double>, radius: Double, angle: Double) {
        self.shape = shape
        self.centre = centre
        self.radius = radius
        cosine = cos(angle)
        sine = sin(angle)
    }

    /// The rows and columns that the object can touch in a picture of the given side.
    func bounds(side: Int) -> (rows: Range<Int>, columns: Range<Int>) {
        let reach = shape.reach * radius + 1
        func span(_ middle: Double) -> Range<Int> {
            let lower = min(max(Int((middle - reach).rounded(.down)), 0), side)
            let upper = min(max(Int((middle + reach).rounded(.up)), 0), side)
            return lower..<max(lower, upper)
        }
        return (span(centre.y), span(centre.x))
    }

    /// A pixel's place relative to the upright object, in radii.
    @inline(__always)
    func place(row: Int, column: Int) -> SIMD2<Double> {
        let x = Double(column) + 0.5 - centre.x
        let y = Double(row) + 0.5 - centre.y
        return SIMD2(x * cosine + y * sine, y * cosine - x * sine) / radius
    }

    /// The share of the pixel at a place that the object covers, 0 to 1.
    @inline(__always)
    func coverage(_ place: SIMD2<Double>) -> Double {
        min(max(0.5 - shape.distance(place) * radius, 0), 1)
    }

    /// Calls the body for each pixel that the object covers, at least in part.
    @inline(__always)
    func forEachPixel(
        side: Int,
        _ body: (_ pixel: Int, _ coverage: Double, _ place: SIMD2<Double>) -> Void
    ) {
        let (rows, columns) = bounds(side: side)
        for row in rows {
            for column in columns {
                let place = place(row: row, column: column)
                let coverage = coverage(place)
                if coverage > 0 { body(row * side + column, coverage, place) }
            }
        }
    }
}

extension Texture {
    /// The share of the dark tone at a place, in radii.
    ///
    /// - Parameter pixel: the width of a pixel, in radii.
    @inline(__always)
    func darkness(_ place: SIMD2<Double>, pixel: Double) -> Float {
        switch self {
        case .plain:
            return 0
        case .striped:
            let away = abs(wrapped(place.x + 0.16, length: 0.64) - 0.16)
            let depth = 0.16 - (away > 0.32 ? 0.64 - away : away)
            return Float(min(max(depth / pixel + 0.5, 0), 1))
        case .dotted:
            let x = wrapped(place.x + 0.32, length: 0.64) - 0.32
            let y = wrapped(place.y + 0.32, length: 0.64) - 0.32
            let depth = 0.2 - (x * x + y * y).squareRoot()
            return Float(min(max(depth / pixel + 0.5, 0), 1))
        }
    }

    /// How bright the dark tone is, relative to the object's colour.
    static let shade: Float = 0.62
}
