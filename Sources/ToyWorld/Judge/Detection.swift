/// One thing that stands out of the background of one frame.
public struct Detection: Codable, Sendable, Hashable {
    /// The colour class, by hue; white if it's bright without hue.
    public var colour: Colour
    /// The centre of mass, in picture sides from the top left corner.
    public var centre: SIMD2<Double>
    /// Its left and its top edge, in picture sides.
    public var low: SIMD2<Double>
    /// Its right and its bottom edge, in picture sides.
    public var high: SIMD2<Double>
    /// The area, as a share of the picture.
    public var area: Double
    /// Whether it touches the picture's border, so that a part may lie outside.
    public var touchesBorder: Bool
    /// Whether it touches another thing, which may cover a part of it.
    public var touchesOther: Bool
    /// How well each outline fits, 0 to 1, at its best turn; nil if that wasn't measured or a part
    /// of the thing may be hidden.
    public var fits: [Shape: Double]?
    /// How sharp the edges are: about 0.7 for edges as drawn, less when blurred.
    public var sharpness: Double
    /// The turn of a thing with 3, 4 and 5 equal corners, in radians, modulo one corner.
    public var turns: [Double]

    /// The outline that fits best, or nil.
    public var shape: Shape? {
        guard let fits else { return nil }
        return Shape.allCases.max { (fits[$0] ?? 0) < (fits[$1] ?? 0) }
    }
}
