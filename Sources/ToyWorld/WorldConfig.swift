/// How rich the world is: the weights of everything that a random scene can contain.
///
/// A weight of 0, or none, excludes a thing. Weights of one property need not add up to 1.
public struct WorldConfig: Codable, Sendable, Hashable {
    /// The outlines.
    public var shapes: [Shape: Double]
    /// The objects' colours.
    public var colours: [Colour: Double]
    /// The fillings.
    public var textures: [Texture: Double]
    /// The sizes.
    public var sizes: [Size: Double]
    /// The backgrounds.
    public var backgrounds: [Background.Kind: Double]
    /// The motions.
    public var motions: [MotionKind: Double]
    /// The speeds.
    public var speeds: [Speed: Double]
    /// The probability of an event in a scene without camera movement, and the weights of the kinds.
    public var eventProbability: Double
    /// What can happen once to an object.
    public var events: [Event.Kind: Double]
    /// What the camera does.
    public var cameras: [Camera.Kind: Double]
    /// The weights of one, two and three objects, in this order.
    public var objectCounts: [Double]
    /// Among scenes with several objects, how many show one passing behind another.
    public var passingBehindProbability: Double

    /// One plain object, three shapes, six colours, two speeds, few motions, a fixed camera.
    public static let simple = WorldConfig(
        shapes: [.circle: 1, .square: 1, .triangle: 1],
        colours: [.red: 1, .green: 1, .blue: 1, .yellow: 1, .purple: 1, .white: 1],
        textures: [.plain: 1], sizes: [.small: 1, .large: 1],
        backgrounds: [.plain: 5, .gradient: 3, .checkered: 1, .striped: 1],
        motions: [.still: 1, .straight: 4, .bouncing: 2, .growing: 1],
        speeds: [.slow: 1, .quick: 1], eventProbability: 0, events: [:], cameras: [.fixed: 1],
        objectCounts: [1], passingBehindProbability: 0)

    /// Everything that the world knows.
    public static let full = WorldConfig(
        shapes: [.circle: 1, .square: 1, .triangle: 1, .star: 0.7, .ring: 0.5, .cross: 0.7],
        colours: [
            .red: 1, .green: 1, .blue: 1, .yellow: 1, .purple: 1, .white: 1, .orange: 0.8,
            .cyan: 0.8,
        ],
        textures: [.plain: 8, .striped: 1, .dotted: 1], sizes: [.small: 1, .large: 1],
        backgrounds: [.plain: 4, .gradient: 3, .checkered: 1.5, .striped: 1.5],
        motions: [
            .still: 1, .straight: 4, .bouncing: 2, .circling: 1.5, .spinning: 1, .growing: 1.2,
            .falling: 1, .leaving: 1,
        ],
        speeds: [.slow: 1, .quick: 1], eventProbability: 0.1,
        events: [.changingColour: 2, .vanishing: 1, .appearing: 1],
        cameras: [.fixed: 9, .panning: 0.5, .zooming: 0.5],
        objectCounts: [6, 3, 1], passingBehindProbability: 0.3)
}
