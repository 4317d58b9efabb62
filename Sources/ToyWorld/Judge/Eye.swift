/// Finds the objects in a picture from its pixels alone.
///
/// Objects have strong colours, or are white; backgrounds are muted. So each pixel is given the
/// colour whose hue it has, or none; connected pixels of one colour make a thing; and how much of
/// its border pixels a thing covers follows from their place between its colour and the background
/// around it.
public struct Eye: Sendable {
    /// The side of the pictures, in pixels.
    public let side: Int
    /// For each pixel the number of its colour, or `Eye.nothing`.
    var labels: [UInt8]
    /// For each pixel the number of its piece, or -1.
    private var pieceOf: [Int32]
    private var stack: [Int32] = []
    private var isNear: [Bool]

    static let nothing: UInt8 = 255
    /// The least difference between the channels of a pixel that belongs to a coloured object.
    private static let leastChroma: Float = 72
    /// How much brighter than the background a white object is at least, and the limits within
    /// which that gives the least channel of its pixels.
    private static let whiteStep: Float = 62
    private static let whiteLimits: (low: Float, high: Float) = (140, 212)
    /// The least area of a thing, as a share of the picture.
    private static let leastArea = 0.003

    /// An eye for pictures of a given side, in pixels.
    public init(side: Int) {
        precondition(side >= 16, "The judge needs pictures of at least 16 pixels.")
        self.side = side
        labels = [UInt8](repeating: Eye.nothing, count: side * side)
        pieceOf = [Int32](repeating: -1, count: side * side)
        isNear = [Bool](repeating: false, count: side * side)
    }

    /// Connected pixels of one colour.
    struct Piece {
        var colour: UInt8
        var pixels: [Int32]
        var touchesBorder = false
        /// The colours of the pieces next to it.
        var neighbours: Set<UInt8> = []
    }

    /// Finds the things in one picture, the largest first.
    ///
    /// - Parameters:
    ///   - pixels: `[side, side, 3]`, 8-bit RGB.
    ///   - fitsShapes: whether to measure how well each outline fits, which takes longest.
    public mutating func look(
        at pixels: UnsafeBufferPointer<UInt8>, fitsShapes: Bool = true
    ) -> [Detection] {
        precondition(pixels.count == 3 * side * side, "The picture isn't \(side) by \(side).")
        label(pixels)
        return gathered(pieces()).map { piece in
            Measurement(piece: piece, pixels: pixels, labels: labels, side: side)
                .detection(fitsShapes: fitsShapes)
        }.sorted { $0.area > $1.area }
    }

    /// The mean colour, 0 to 1 each channel, of what lies two pixels or more from any object in the
    /// picture that was looked at last; nil if nothing does.
    ///
    /// - Parameter pixels: That picture.
    mutating func background(of pixels: UnsafeBufferPointer<UInt8>) -> SIMD3<Double>? {
        for pixel in isNear.indices { isNear[pixel] = false }
        for pixel in labels.indices where labels[pixel] != Eye.nothing {
            let (row, column) = (pixel / side, pixel % side)
            for nextRow in max(row - 2, 0)...min(row + 2, side - 1) {
                for nextColumn in max(column - 2, 0)...min(column + 2, side - 1) {
                    isNear[nextRow * side + nextColumn] = true
                }
            }
        }
        var (sum, count) = (SIMD3<Double>.zero, 0.0)
        for pixel in isNear.indices where !isNear[pixel] {
            sum += SIMD3(
                Double(pixels[3 * pixel]), Double(pixels[3 * pixel + 1]),
                Double(pixels[3 * pixel + 2]))
            count += 1
        }
        return count > 0 ? sum / (255 * count) : nil
    }

    // MARK: - Colours

    /// The hue of each colour as a unit vector across grey, in the order of `Colour.allCases`.
    private static let hues: [(colour: UInt8, hue: SIMD3<Float>)] =
        Colour.allCases.enumerated().compactMap { index, colour in
            colour == .white ? nil : (UInt8(index), hue(colour.rgb.vector))
        }

    private static func hue(_ colour: SIMD3<Float>) -> SIMD3<Float> {
        let across = colour - colour.sum() / 3
        return across / (across * across).sum().squareRoot()
    }

    private static let white = UInt8(Colour.allCases.firstIndex(of: .white) ?? 0)

    /// The least channel that a pixel of a white object has in this picture.
    private func leastWhite(_ pixels: UnsafeBufferPointer<UInt8>) -> Float {
        var histogram = [Int](repeating: 0, count: 256)
        for pixel in 0..<side * side {
            let least = min(pixels[3 * pixel], pixels[3 * pixel + 1], pixels[3 * pixel + 2])
            histogram[Int(least)] += 1
        }
        // Objects cover less than half of a picture, so the median is background.
        var median = 0
        var below = histogram[0]
        while below * 2 < side * side {
            median += 1
            below += histogram[median]
        }
        let (low, high) = Eye.whiteLimits
        return min(max(Float(median) + Eye.whiteStep, low), high)
    }

    private mutating func label(_ pixels: UnsafeBufferPointer<UInt8>) {
        let leastWhite = leastWhite(pixels)
        for pixel in 0..<side * side {
            let colour = SIMD3(
                Float(pixels[3 * pixel]), Float(pixels[3 * pixel + 1]),
                Float(pixels[3 * pixel + 2]))
            if colour.max() - colour.min() >= Eye.leastChroma {
                let across = colour - colour.sum() / 3
                var best: (colour: UInt8, likeness: Float) = (Eye.nothing, -.infinity)
                for candidate in Eye.hues {
                    let likeness = (across * candidate.hue).sum()
                    if likeness > best.likeness { best = (candidate.colour, likeness) }
                }
                labels[pixel] = best.colour
            } else {
                labels[pixel] = colour.min() >= leastWhite ? Eye.white : Eye.nothing
            }
        }
    }

    // MARK: - Pieces

    private mutating func pieces() -> [Piece] {
        for pixel in pieceOf.indices { pieceOf[pixel] = -1 }
        var pieces: [Piece] = []
        for pixel in labels.indices where labels[pixel] != Eye.nothing && pieceOf[pixel] < 0 {
            pieces.append(flood(from: pixel, number: Int32(pieces.count)))
        }
        let least = Int(Eye.leastArea * Double(side * side))
        pieces = pieces.filter { $0.pixels.count >= least && hasCore($0) }
        let present = Set(pieces.map(\.colour))
        if present.count > 1 {
            for index in pieces.indices {
                pieces[index].neighbours = neighbours(pieces[index]).intersection(present)
            }
        }
        return pieces
    }

    /// The colours within two pixels, as far as a mixed edge between two objects can go.
    private func neighbours(_ piece: Piece) -> Set<UInt8> {
        var neighbours: Set<UInt8> = []
        for pixel in piece.pixels {
            let row = Int(pixel) / side
            let column = Int(pixel) % side
            for nextRow in max(row - 2, 0)...min(row + 2, side - 1) {
                for nextColumn in max(column - 2, 0)...min(column + 2, side - 1) {
                    let colour = labels[nextRow * side + nextColumn]
                    if colour != piece.colour, colour != Eye.nothing { neighbours.insert(colour) }
                }
            }
        }
        return neighbours
    }

    private mutating func flood(from start: Int, number: Int32) -> Piece {
        var piece = Piece(colour: labels[start], pixels: [])
        stack.removeAll(keepingCapacity: true)
        stack.append(Int32(start))
        pieceOf[start] = number
        while let pixel = stack.popLast() {
            piece.pixels.append(pixel)
            let row = Int(pixel) / side
            let column = Int(pixel) % side
            if row == 0 || column == 0 || row == side - 1 || column == side - 1 {
                piece.touchesBorder = true
            }
            for nextRow in max(row - 1, 0)...min(row + 1, side - 1) {
                for nextColumn in max(column - 1, 0)...min(column + 1, side - 1) {
                    let next = nextRow * side + nextColumn
                    guard labels[next] == piece.colour, pieceOf[next] < 0 else { continue }
                    pieceOf[next] = number
                    stack.append(Int32(next))
                }
            }
        }
        return piece
    }

    /// Whether some pixel has only pixels of its own colour around it: a mixed edge between two
    /// objects hasn't.
    private func hasCore(_ piece: Piece) -> Bool {
        piece.pixels.contains { isCore(Int($0), colour: piece.colour) }
    }

    private func isCore(_ pixel: Int, colour: UInt8) -> Bool {
        let row = pixel / side
        let column = pixel % side
        for nextRow in max(row - 1, 0)...min(row + 1, side - 1) {
            for nextColumn in max(column - 1, 0)...min(column + 1, side - 1)
            where labels[nextRow * side + nextColumn] != colour {
                return false
            }
        }
        return true
    }

    /// The largest piece of each colour, with the other pieces of that colour if something of
    /// another colour lies between; smaller pieces elsewhere stay things of their own.
    private func gathered(_ pieces: [Piece]) -> [Piece] {
        var gathered: [Piece] = []
        for piece in pieces.sorted(by: { $0.pixels.count > $1.pixels.count }) {
            let host = gathered.firstIndex {
                $0.colour == piece.colour && !$0.neighbours.isDisjoint(with: piece.neighbours)
            }
            if let host {
                gathered[host].pixels += piece.pixels
                gathered[host].touchesBorder = gathered[host].touchesBorder || piece.touchesBorder
            } else {
                gathered.append(piece)
            }
        }
        return gathered
    }
}
