import Foundation

/// How much of each pixel around a piece belongs to it, and what follows from that.
struct Measurement {
    private let piece: Eye.Piece
    private let side: Int
    /// The rows and columns of the window that holds the piece and a margin.
    private let rows: Range<Int>
    private let columns: Range<Int>
    /// The covered share of each pixel of the window, row by row.
    private var shares: [Float]
    /// The same without the assumption that the inside is covered wholly.
    private var edges: [Float]

    /// How far outside the labelled pixels soft edges are looked for, in pixels.
    private static let margin = 3

    init(
        piece: Eye.Piece, pixels: UnsafeBufferPointer<UInt8>, labels: [UInt8], side: Int
    ) {
        self.piece = piece
        self.side = side
        var top = side
        var bottom = 0
        var left = side
        var right = 0
        for pixel in piece.pixels {
            top = min(top, Int(pixel) / side)
            bottom = max(bottom, Int(pixel) / side)
            left = min(left, Int(pixel) % side)
            right = max(right, Int(pixel) % side)
        }
        let margin = Measurement.margin + 2
        rows = max(top - margin, 0)..<min(bottom + margin + 1, side)
        columns = max(left - margin, 0)..<min(right + margin + 1, side)
        let distances = Measurement.distances(piece, rows, columns, side)
        (shares, edges) = Measurement.shares(
            piece, pixels, labels, side, rows, columns, distances)
    }

    /// For each pixel of the window how many pixels it lies outside the piece, 0 on its rim, -1
    /// inside; at most 5.
    private static func distances(
        _ piece: Eye.Piece, _ rows: Range<Int>, _ columns: Range<Int>, _ side: Int
    ) -> [Int8] {
        let width = columns.count
        var distances = [Int8](repeating: 5, count: rows.count * width)
        for pixel in piece.pixels {
            let row = Int(pixel) / side - rows.lowerBound
            distances[row * width + Int(pixel) % side - columns.lowerBound] = -1
        }
        for reached in Int8(0)...4 {
            let before = distances
            for row in 0..<rows.count {
                for column in 0..<width {
                    let here = row * width + column
                    let isInside = before[here] == -1
                    guard reached == 0 ? isInside : before[here] == 5 else { continue }
                    let isNext = Measurement.isBeside(row, column, rows.count, width) {
                        reached == 0
                            ? before[$0] == 5 : before[$0] == reached - 1
                    }
                    if isNext { distances[here] = reached }
                }
            }
        }
        return distances
    }

    private static func isBeside(
        _ row: Int, _ column: Int, _ height: Int, _ width: Int, _ test: (Int) -> Bool
    ) -> Bool {
        (row > 0 && test((row - 1) * width + column))
            || (row + 1 < height && test((row + 1) * width + column))
            || (column > 0 && test(row * width + column - 1))
            || (column + 1 < width && test(row * width + column + 1))
    }

    private static func shares(
        _ piece: Eye.Piece, _ pixels: UnsafeBufferPointer<UInt8>, _ labels: [UInt8], _ side: Int,
        _ rows: Range<Int>, _ columns: Range<Int>, _ distances: [Int8]
    ) -> (shares: [Float], edges: [Float]) {
        func colour(_ pixel: Int) -> SIMD3<Float> {
            SIMD3(
                Float(pixels[3 * pixel]), Float(pixels[3 * pixel + 1]),
                Float(pixels[3 * pixel + 2]))
        }
        var inside = SIMD3<Float>(repeating: 0)
        var insideCount: Float = 0
        var around = SIMD3<Float>(repeating: 0)
        var aroundCount: Float = 0
        var window = 0
        for row in rows {
            for column in columns {
                let pixel = row * side + column
                if distances[window] == -1 {
                    inside += colour(pixel)
                    insideCount += 1
                } else if distances[window] >= 3, labels[pixel] == Eye.nothing {
                    around += colour(pixel)
                    aroundCount += 1
                }
                window += 1
            }
        }
        if insideCount == 0 {
            for pixel in piece.pixels { inside += colour(Int(pixel)) }
            insideCount = Float(max(piece.pixels.count, 1))
        }
        let object = inside / insideCount
        let ground = aroundCount > 0 ? around / aroundCount : SIMD3(repeating: 110)
        let span = object - ground
        let scale = max((span * span).sum(), 1)
        var shares = [Float](repeating: 0, count: distances.count)
        var edges = shares
        window = 0
        for row in rows {
            for column in columns {
                let pixel = row * side + column
                let isOther = labels[pixel] != Eye.nothing && labels[pixel] != piece.colour
                if distances[window] <= Int8(margin), !isOther {
                    let share = min(max(((colour(pixel) - ground) * span).sum() / scale, 0), 1)
                    edges[window] = share
                    // Small shares are noise; the inside may be striped.
                    shares[window] = distances[window] == -1 ? 1 : share < 0.08 ? 0 : share
                }
                window += 1
            }
        }
        return (shares, edges)
    }

    // MARK: - Results

    func detection(fitsShapes: Bool) -> Detection {
        var mass = 0.0
        var moment = SIMD2(0.0, 0.0)
        forEachShare { share, point in
            mass += share
            moment += point * share
        }
        let centre = moment / max(mass, 1e-9)
        let (rowEdges, columnEdges) = edgePlaces()
        let isWhole = !piece.touchesBorder && piece.neighbours.isEmpty
        return Detection(
            colour: Colour.allCases[Int(piece.colour)], centre: centre / Double(side),
            low: SIMD2(columnEdges.low, rowEdges.low) / Double(side),
            high: SIMD2(columnEdges.high, rowEdges.high) / Double(side),
            area: mass / Double(side * side), touchesBorder: piece.touchesBorder,
            touchesOther: !piece.neighbours.isEmpty,
            fits: fitsShapes && isWhole ? fits(centre: centre, area: mass) : nil,
            sharpness: sharpness(), turns: [3, 4, 5].map { turn(corners: $0, centre: centre) })
    }

    @inline(__always)
    private func forEachShare(_ body: (_ share: Double, _ point: SIMD2<Double>) -> Void) {
        var window = 0
        for row in rows {
            for column in columns {
                if shares[window] > 0 {
                    body(Double(shares[window]), SIMD2(Double(column) + 0.5, Double(row) + 0.5))
                }
                window += 1
            }
        }
    }

    /// Where the first and last half covered rows and columns begin and end, in pixels.
    private func edgePlaces() -> (
        rows: (low: Double, high: Double), columns: (low: Double, high: Double)
    ) {
        var rowMost = [Float](repeating: 0, count: rows.count)
        var columnMost = [Float](repeating: 0, count: columns.count)
        var window = 0
        for row in 0..<rows.count {
            for column in 0..<columns.count {
                rowMost[row] = max(rowMost[row], shares[window])
                columnMost[column] = max(columnMost[column], shares[window])
                window += 1
            }
        }
        return (
            Measurement.ends(rowMost, from: rows.lowerBound),
            Measurement.ends(columnMost, from: columns.lowerBound)
        )
    }

    /// The ends of a profile; the share of the next pixel says how far an end reaches into it.
    private static func ends(_ profile: [Float], from start: Int) -> (low: Double, high: Double) {
        let first = profile.firstIndex { $0 >= 0.5 } ?? 0
        let last = profile.lastIndex { $0 >= 0.5 } ?? profile.count - 1
        let low =
            first > 0
            ? Double(first) - Double(profile[first - 1]) + 1 - Double(profile[first])
            : Double(first)
        let high =
            last + 1 < profile.count
            ? Double(last + 1) + Double(profile[last + 1]) - 1 + Double(profile[last])
            : Double(last + 1)
        return (low + Double(start), high + Double(start))
    }

    /// The mean slope of the edges, weighted by itself: the steeper a slope, the more it counts.
    private func sharpness() -> Double {
        let width = columns.count
        var squares = 0.0
        var sum = 0.0
        for row in 0..<rows.count - 1 {
            for column in 0..<width - 1 {
                let here = edges[row * width + column]
                let across = Double(edges[row * width + column + 1] - here)
                let down = Double(edges[(row + 1) * width + column] - here)
                let square = across * across + down * down
                squares += square
                sum += square.squareRoot()
            }
        }
        return sum > 0 ? squares / sum : 0
    }

    /// The phase of the area's moment with as many waves around the centre as there are corners.
    private func turn(corners: Int, centre: SIMD2<Double>) -> Double {
        var real = 0.0
        var imaginary = 0.0
        forEachShare { share, point in
            let offset = (point - centre) / Double(side)
            var power = SIMD2(1.0, 0.0)
            for _ in 0..<corners {
                power = SIMD2(
                    power.x * offset.x - power.y * offset.y,
                    power.x * offset.y + power.y * offset.x)
            }
            real += power.x * share
            imaginary += power.y * share
        }
        return atan2(imaginary, real) / Double(corners)
    }

    /// How well each outline of the same area covers the piece: common area over joint area, at the
    /// best turn.
    private func fits(centre: SIMD2<Double>, area: Double) -> [Shape: Double] {
        var fits: [Shape: Double] = [:]
        for shape in Shape.allCases {
            let radius = (area / shape.area).squareRoot()
            let steps = shape.symmetry == 0 ? 1 : 10
            var best = 0.0
            for step in 0..<steps {
                let turn = 2 * Double.pi * Double(step) / Double(steps * max(shape.symmetry, 1))
                let template = Silhouette(
                    shape: shape, centre: centre, radius: radius, angle: turn)
                best = max(best, overlap(template))
            }
            fits[shape] = best
        }
        return fits
    }

    private func overlap(_ template: Silhouette) -> Double {
        var common = 0.0
        var joint = 0.0
        var window = 0
        for row in rows {
            for column in columns {
                let share = Double(shares[window])
                let place = template.place(row: row, column: column)
                // Edges softer than drawn ones, because generated ones are.
                let distance = template.shape.distance(place) * template.radius
                let covered = min(max(0.5 - distance / 1.5, 0), 1)
                common += min(share, covered)
                joint += max(share, covered)
                window += 1
            }
        }
        return joint > 0 ? common / joint : 0
    }
}
