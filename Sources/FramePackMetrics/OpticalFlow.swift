/// How far each pixel moves from one frame to the next.
public struct FlowField: Sendable, Equatable {
    /// To the right, in pixels of the frames.
    public let x: Plane
    /// Downwards, in pixels of the frames.
    public let y: Plane

    /// A field of movements; both planes have one size, which may be smaller than the frames'.
    public init(x: Plane, y: Plane) {
        precondition(x.width == y.width && x.height == y.height, "both ways have one size")
        (self.x, self.y) = (x, y)
    }

    /// How far each pixel moves, in pixels of the frames.
    public var lengths: [Float] {
        zip(x.values, y.values).map { ($0 * $0 + $1 * $1).squareRoot() }
    }

    /// The mean length.
    public var meanLength: Double {
        lengths.reduce(0.0) { $0 + Double($1) } / Double(x.values.count)
    }

    /// The mean length of the longest twentieth; of one pixel at least.
    ///
    /// Source: VBench, dynamic degree.
    public var longestTwentieth: Double {
        let lengths = lengths.sorted(by: >)
        let part = lengths.prefix(max(lengths.count / 20, 1))
        return part.reduce(0.0) { $0 + Double($1) } / Double(part.count)
    }

    /// The mean length of the difference from another field of the same size.
    public func meanDistance(to other: FlowField) -> Double {
        zip(zip(x.values, other.x.values), zip(y.values, other.y.values)).reduce(0.0) {
            let (x, y) = (Double($1.0.0 - $1.0.1), Double($1.1.0 - $1.1.1))
            return $0 + (x * x + y * y).squareRoot()
        } / Double(x.values.count)
    }
}

/// Dense optical flow without weights: Lucas and Kanade's least squares, from coarse to fine.
///
/// Pictures larger than 256 pixels are reduced by a whole factor first. Each frame's mean luma is
/// taken off, so that a flash is no motion. Where there is nothing to see, the flow goes to zero.
///
/// Source: Lucas, Kanade, An iterative image registration technique, IJCAI 1981; Bouguet, Pyramidal
/// implementation of the Lucas Kanade feature tracker, 2001.
public struct LucasKanade: Sendable {
    /// What reports call this flow.
    public static let name = "pyramidal Lucas-Kanade"
    /// The longer side that is looked at, in pixels.
    static let longestSide = 256
    /// The shorter side of the coarsest level, in pixels, at least.
    private static let coarsestSide = 12
    /// Half the side of the window whose pixels are taken to move alike.
    private static let radius = 3
    /// How often each level is refined.
    private static let iterations = 3
    /// The squared gradient, in (levels / pixel)², that stands against noise.
    private static let damping: Float = 1

    /// The flow; it has no settings.
    public init() {}

    /// Tells how the pixels of one luma move to become the other.
    ///
    /// - Parameters:
    ///   - first: The earlier frame's luma.
    ///   - second: The later frame's luma, of the same size.
    public func callAsFunction(from first: Plane, to second: Plane) -> FlowField {
        precondition(
            first.width == second.width && first.height == second.height,
            "flow is between frames of one size")
        let longest = max(first.width, first.height)
        let factor = (longest + Self.longestSide - 1) / Self.longestSide
        var levels = [(Self.prepared(first, factor), Self.prepared(second, factor))]
        while let (a, b) = levels.last, min(a.width, a.height) >= 2 * Self.coarsestSide {
            levels.append((a.boxBlurred(1).reduced(by: 2), b.boxBlurred(1).reduced(by: 2)))
        }
        var flow: (x: Plane, y: Plane)?
        for (a, b) in levels.reversed() {
            var finer =
                flow.map { (Self.enlarged($0.x, like: a), Self.enlarged($0.y, like: a)) }
                ?? (
                    Plane(width: a.width, height: a.height), Plane(width: a.width, height: a.height)
                )
            for _ in 0..<Self.iterations { Self.refine(&finer, a, b) }
            flow = finer
        }
        let found = flow ?? (levels[0].0, levels[0].1)
        return FlowField(
            x: Self.scaled(found.x, Float(factor)), y: Self.scaled(found.y, Float(factor)))
    }

    private static func prepared(_ luma: Plane, _ factor: Int) -> Plane {
        var small = luma.reduced(by: factor)
        let mean = Float(small.mean)
        for at in small.values.indices { small.values[at] -= mean }
        return small
    }

    private static func scaled(_ plane: Plane, _ factor: Float) -> Plane {
        Plane(width: plane.width, height: plane.height, values: plane.values.map { $0 * factor })
    }

    /// A coarser level's flow on the pixels of a finer one.
    private static func enlarged(_ coarse: Plane, like fine: Plane) -> Plane {
        var result = Plane(width: fine.width, height: fine.height)
        for y in 0..<fine.height {
            for x in 0..<fine.width {
                result.values[y * fine.width + x] =
                    2 * coarse.sample(x: (Float(x) - 0.5) / 2, y: (Float(y) - 0.5) / 2)
            }
        }
        return result
    }

    /// One step of Gauss and Newton in the window around each pixel.
    private static func refine(_ flow: inout (Plane, Plane), _ a: Plane, _ b: Plane) {
        let (width, height) = (a.width, a.height)
        var warped = Plane(width: width, height: height)
        var isInside = [Bool](repeating: false, count: width * height)
        for y in 0..<height {
            for x in 0..<width {
                let at = y * width + x
                let (toX, toY) = (Float(x) + flow.0.values[at], Float(y) + flow.1.values[at])
                warped.values[at] = b.sample(x: toX, y: toY)
                // What leaves the picture tells nothing of where it went.
                isInside[at] =
                    toX >= 0 && toY >= 0 && toX <= Float(width - 1)
                    && toY <= Float(height - 1)
            }
        }
        var sums = [Plane](repeating: Plane(width: width, height: height), count: 5)
        for y in 0..<height {
            let (up, down) = (max(y - 1, 0) * width, min(y + 1, height - 1) * width)
            for x in 0..<width where isInside[y * width + x] {
                let at = y * width + x
                let (left, right) = (y * width + max(x - 1, 0), y * width + min(x + 1, width - 1))
                let spanX = Float(2 * (right - left)), spanY = Float(2 * (down - up) / width)
                let gradientX =
                    (a.values[right] - a.values[left] + warped.values[right] - warped.values[left])
                    / max(spanX, 1)
                let gradientY =
                    (a.values[down + x] - a.values[up + x] + warped.values[down + x]
                        - warped.values[up + x]) / max(spanY, 1)
                let change = warped.values[at] - a.values[at]
                sums[0].values[at] = gradientX * gradientX
                sums[1].values[at] = gradientX * gradientY
                sums[2].values[at] = gradientY * gradientY
                sums[3].values[at] = gradientX * change
                sums[4].values[at] = gradientY * change
            }
        }
        sums = sums.map { $0.boxBlurred(radius) }
        for at in warped.values.indices {
            let (xx, xy) = (sums[0].values[at] + damping, sums[1].values[at])
            let yy = sums[2].values[at] + damping
            let (xt, yt) = (sums[3].values[at], sums[4].values[at])
            let determinant = xx * yy - xy * xy
            flow.0.values[at] += min(max((xy * yt - yy * xt) / determinant, -1), 1)
            flow.1.values[at] += min(max((xy * xt - xx * yt) / determinant, -1), 1)
        }
    }
}
