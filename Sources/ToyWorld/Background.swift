/// What is behind the objects: muted tones, never close to an object's colour.
public struct Background: Codable, Sendable, Hashable {
    /// The patterns.
    public enum Kind: String, Codable, CodingKeyRepresentable, CaseIterable, Sendable {
        /// One tone.
        case plain
        /// From the first tone at the top to the second at the bottom.
        case gradient
        /// Squares of two tones.
        case checkered
        /// Upright or lying stripes of two tones.
        case striped
    }

    /// The pattern.
    public var kind: Kind
    /// The first tone.
    public var first: RGB
    /// The second tone; a plain background doesn't show it.
    public var second: RGB
    /// The width of a square or stripe, in picture sides.
    public var cell: Double
    /// Whether stripes are upright.
    public var isUpright: Bool

    /// A background from its tones.
    public init(
        _ kind: Kind, _ first: RGB, _ second: RGB, cell: Double = 0.125, isUpright: Bool = true
    ) {
        self.kind = kind
        self.first = first
        self.second = second
        self.cell = cell
        self.isUpright = isUpright
    }

    /// The share of the second tone at a point.
    ///
    /// - Parameters:
    ///   - point: where, in picture sides.
    ///   - pixel: the width of a pixel, in picture sides; edges are as soft as it is wide.
    @inline(__always)
    func share(_ point: SIMD2<Double>, pixel: Double) -> Double {
        switch kind {
        case .plain: 0
        case .gradient: min(max(point.y, 0), 1)
        case .striped: (wave(isUpright ? point.x : point.y, pixel) + 1) / 2
        case .checkered: (wave(point.x, pixel) * wave(point.y, pixel) + 1) / 2
        }
    }

    /// A square wave between -1 and 1 with edges one pixel wide.
    @inline(__always)
    private func wave(_ position: Double, _ pixel: Double) -> Double {
        let phase = position / (2 * cell)
        let turn = (phase - phase.rounded(.down)) * 2 * cell
        let toEdge = turn < cell ? min(turn, cell - turn) : min(turn - cell, 2 * cell - turn)
        let height = min(2 * toEdge / pixel, 1)
        return turn < cell ? height : -height
    }
}

extension Background {
    /// How far the channels of a tone lie apart at most.
    public static let largestChroma = 36

    /// A background of a given pattern, from random tones.
    static func random(_ kind: Kind, using random: inout SplitMix64) -> Background {
        let isLight = random.chance(0.5)
        let brightness = isLight ? random.uniform(130, 150) : random.uniform(34, 74)
        let tint = SIMD3<Double>(random.unit(), random.unit(), random.unit()) - 0.5
        let step = kind == .gradient ? random.uniform(24, 46) : random.uniform(14, 26)
        let other = brightness + (random.chance(0.5) ? step : -step) / 2
        let secondTint =
            kind == .gradient
            ? SIMD3<Double>(random.unit(), random.unit(), random.unit()) - 0.5 : tint
        return Background(
            kind, tone(2 * brightness - other, tint), tone(other, secondTint),
            cell: random.pick([0.125, 0.1875, 0.25]), isUpright: random.chance(0.5))
    }

    /// A muted tone: the channels lie within ``largestChroma`` of each other.
    private static func tone(_ brightness: Double, _ tint: SIMD3<Double>) -> RGB {
        let value = SIMD3(repeating: brightness) + tint * Double(largestChroma)
        func byte(_ channel: Double) -> UInt8 { UInt8(min(max(channel.rounded(), 0), 255)) }
        return RGB(byte(value.x), byte(value.y), byte(value.z))
    }
}
