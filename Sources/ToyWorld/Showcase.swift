/// A scene made by hand to show what the small model does, with the prompt that goes with it.
public struct ShowcaseItem: Codable, Sendable, Hashable {
    /// A short name, fit for a file.
    public var name: String
    /// The prompt that describes the scene.
    public var prompt: String
    /// The scene whose first frame is the start picture.
    public var scene: Scene

    /// The start picture, `[side, side, 3]`, 8-bit RGB.
    public var picture: [UInt8] { scene.startPicture }
}

/// The start pictures and prompts that ship with the project.
public enum Showcase {
    /// Six scenes of the simple world.
    ///
    /// - Parameter side: the side of the picture, in pixels.
    public static func items(side: Int) -> [ShowcaseItem] {
        let slate = Background(.plain, RGB(52, 58, 70), RGB(52, 58, 70))
        let sand = Background(.gradient, RGB(158, 150, 134), RGB(132, 118, 108))
        let moss = Background(.gradient, RGB(40, 52, 50), RGB(66, 72, 58))
        let tiles = Background(.checkered, RGB(60, 58, 72), RGB(76, 72, 88), cell: 0.25)
        let mist = Background(.plain, RGB(140, 148, 156), RGB(140, 148, 156))
        let cloth = Background(
            .striped, RGB(52, 44, 58), RGB(68, 60, 74), cell: 0.25, isUpright: false)
        return [
            item(
                "red-circle", slate, side,
                Actor(
                    shape: .circle, colour: .red, radius: 0.19, centre: SIMD2(0.24, 0.5),
                    motion: Motion(.straight, .right, .slow))),
            item(
                "blue-square", sand, side,
                Actor(
                    shape: .square, colour: .blue, radius: 0.185, centre: SIMD2(0.5, 0.3),
                    motion: Motion(.bouncing, .down, .slow))),
            item(
                "yellow-triangle", moss, side,
                Actor(
                    shape: .triangle, colour: .yellow, radius: 0.19, centre: SIMD2(0.5, 0.72),
                    motion: Motion(.straight, .up, .slow))),
            item(
                "purple-circle", mist, side,
                Actor(
                    shape: .circle, colour: .purple, radius: 0.13, centre: SIMD2(0.5, 0.5),
                    motion: Motion(.growing, .larger, .slow))),
            item(
                "green-square", cloth, side,
                Actor(
                    shape: .square, colour: .green, radius: 0.14, centre: SIMD2(0.72, 0.45),
                    motion: Motion(.bouncing, .left, .quick))),
            item(
                "white-triangle", tiles, side,
                Actor(
                    shape: .triangle, colour: .white, radius: 0.19, centre: SIMD2(0.4, 0.52),
                    motion: Motion(.still))),
        ]
    }

    private static func item(
        _ name: String, _ background: Background, _ side: Int, _ actor: Actor
    ) -> ShowcaseItem {
        let scene = Scene(side: side, background: background, actors: [actor])
        return ShowcaseItem(name: name, prompt: scene.canonicalCaption, scene: scene)
    }
}
