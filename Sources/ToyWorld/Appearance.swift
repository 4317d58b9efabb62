/// An 8-bit colour.
public struct RGB: Codable, Sendable, Hashable {
    /// The red part, 0...255.
    public var red: UInt8
    /// The green part, 0...255.
    public var green: UInt8
    /// The blue part, 0...255.
    public var blue: UInt8

    /// A colour from its parts, 0...255 each.
    public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// The parts as numbers, 0...255.
    var vector: SIMD3<Float> { SIMD3(Float(red), Float(green), Float(blue)) }
}

/// The colour of an object; the first six are the easy ones.
public enum Colour: String, Codable, CodingKeyRepresentable, CaseIterable, Sendable {
    case red, green, blue, yellow, purple, white, orange, cyan

    /// How the colour is drawn: strong, where backgrounds are muted, so that the two never meet.
    public var rgb: RGB {
        switch self {
        case .red: RGB(226, 36, 40)
        case .green: RGB(38, 178, 62)
        case .blue: RGB(44, 88, 238)
        case .yellow: RGB(250, 222, 38)
        case .purple: RGB(154, 44, 206)
        case .white: RGB(252, 252, 252)
        case .orange: RGB(250, 134, 22)
        case .cyan: RGB(36, 212, 224)
        }
    }
}

/// What fills an object.
public enum Texture: String, Codable, CodingKeyRepresentable, CaseIterable, Sendable {
    case plain, striped, dotted
}

/// The two sizes that captions name.
public enum Size: String, Codable, CodingKeyRepresentable, CaseIterable, Sendable {
    case small, large

    /// The radii that this word stands for, as a share of the picture's side.
    public var radii: ClosedRange<Double> {
        switch self {
        case .small: 0.125...0.15
        case .large: 0.18...0.21
        }
    }
}
