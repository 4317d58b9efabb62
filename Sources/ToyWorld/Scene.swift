/// A short or endless video with its exact truth: everything that happens follows from this value.
///
/// Any frame is computed by itself, so a scene has no length. All lengths are relative to the side
/// of the square picture, so the same scene can be drawn at 64 and at 128 pixels.
public struct Scene: Codable, Sendable, Hashable {
    /// The frames of one second.
    public static let frameRate = 30

    /// The side of the square picture, in pixels.
    public var side: Int
    /// What is behind the objects.
    public var background: Background
    /// What the camera does.
    public var camera: Camera
    /// The objects, the farthest first; a nearer one covers a farther one.
    public var actors: [Actor]
    /// Whether the first object passes behind the second one.
    public var isPassingBehind: Bool
    /// What the captions are made from, besides the scene itself.
    public var seed: UInt64

    /// A scene from its parts; the objects' colours must differ.
    public init(
        side: Int, background: Background, camera: Camera = .fixed, actors: [Actor],
        isPassingBehind: Bool = false, seed: UInt64 = 0
    ) {
        precondition(side > 0, "The side of a picture is at least one pixel.")
        precondition(!actors.isEmpty, "A scene has at least one object.")
        self.side = side
        self.background = background
        self.camera = camera
        self.actors = actors
        self.isPassingBehind = isPassingBehind
        self.seed = seed
    }

    /// The time of a frame, in seconds.
    static func seconds(frame: Int) -> Double {
        Double(frame) / Double(frameRate)
    }

    /// An object on the pixel grid at one time.
    func silhouette(_ actor: Actor, seconds: Double) -> Silhouette {
        let pose = actor.pose(seconds: seconds)
        return Silhouette(
            shape: actor.shape,
            centre: camera.picture(pose.centre, seconds: seconds) * Double(side),
            radius: pose.radius * camera.magnification(seconds: seconds) * Double(side),
            angle: pose.angle)
    }
}
