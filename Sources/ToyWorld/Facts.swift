/// What a caption promises about one object.
public struct ObjectFacts: Codable, Sendable, Hashable {
    /// Its outline.
    public var shape: Shape
    /// Its colour at the start.
    public var colour: Colour
    /// What fills it.
    public var texture: Texture
    /// Its size, or nil if its size changes.
    public var size: Size?
    /// What it does, which way, how fast.
    public var motion: Motion
    /// What happens to it once, or nil.
    public var event: Event?
    /// Where it stands, as the caption names it.
    public var place: Place
    /// Which other object it passes behind, as an index into `objects`, or nil.
    public var passesBehind: Int?
    /// Whether the combination of colour, shape and activity is kept out of training.
    public var isHeldOut: Bool
}

/// What a scene's captions promise, for machines; enough to judge a video by.
public struct SceneFacts: Codable, Sendable, Hashable {
    /// The objects, the farthest first.
    public var objects: [ObjectFacts]
    /// What the camera does.
    public var camera: Camera
    /// The pattern of the background.
    public var background: Background.Kind
}

extension Scene {
    /// What the captions promise.
    public var facts: SceneFacts {
        let objects = actors.enumerated().map { index, actor in
            ObjectFacts(
                shape: actor.shape, colour: actor.colour, texture: actor.texture,
                size: actor.motion.kind == .growing
                    ? nil : actor.radius >= Size.large.radii.lowerBound - 0.01 ? .large : .small,
                motion: actor.motion, event: actor.event, place: Place(nearest: actor.centre),
                passesBehind: isPassingBehind && index == 0 ? 1 : nil,
                isHeldOut: actor.isHeldOut)
        }
        return SceneFacts(objects: objects, camera: camera, background: background.kind)
    }
}
