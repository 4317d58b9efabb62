import ArgumentParser
import Foundation
import Media
import ToyWorld

/// `framepack world`: pictures and videos of the world that the small model knows.
struct WorldCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "world",
        abstract: "Draw a start picture of the small model's world, or a true video of it.",
        usage: "framepack world --output <file> [<options>]",
        discussion: """
            Prints the caption that goes with the picture, so that both can be handed to \
            `framepack generate`. With an output that ends in .mp4, the video as it really goes on \
            is written instead of its first picture.
            """)

    @Option(parsing: .unconditional, help: "Number of the scene; each gives another.")
    var seed: UInt64 = 1
    @Option(parsing: .unconditional, help: "Side of the picture, in pixels.")
    var side = 64
    @Option(
        help: ArgumentHelp(
            "A scene that ships with the project, instead of a number: "
                + Showcase.items(side: 64).map(\.name).joined(separator: ", ") + ".",
            valueName: "name"),
        completion: .list(Showcase.items(side: 64).map(\.name)))
    var show: String?
    @Flag(help: "Draw from all that the world has, not only what the small model learns first.")
    var rich = false
    @Option(parsing: .unconditional, help: "Seconds of a video.")
    var seconds = 5.0
    @Option(help: "File to write: .png or .mp4.")
    var output: String

    func validate() throws {
        guard (16...1024).contains(side), side % 16 == 0 else {
            throw ValidationError(
                "side is \(side); it must be a multiple of 16 from 16 to 1024")
        }
        guard seconds > 0, seconds <= 600 else {
            throw ValidationError("seconds is \(seconds); it must be above 0 and at most 600")
        }
    }

    func run() throws {
        let scene = try scene()
        let url = URL(fileURLWithPath: output)
        switch url.pathExtension.lowercased() {
        case "png":
            try Picture(width: side, height: side, pixels: scene.startPicture).writePNG(to: url)
        case "mp4": try writeVideo(of: scene, to: url)
        default:
            throw ValidationError("output is \(output); it must end in .png or .mp4")
        }
        print(scene.canonicalCaption)
    }

    private func scene() throws -> Scene {
        guard let show else {
            return Scene(seed: seed, side: side, config: rich ? .full : .simple)
        }
        let items = Showcase.items(side: side)
        guard let item = items.first(where: { $0.name == show }) else {
            let names = items.map(\.name).joined(separator: ", ")
            throw ValidationError("there is no scene \(show); the scenes are \(names)")
        }
        return item.scene
    }

    private func writeVideo(of scene: Scene, to url: URL) throws {
        let writer = try VideoWriter(
            to: url, width: side, height: side, comment: scene.canonicalCaption)
        let count = max(Int((seconds * Double(Scene.frameRate)).rounded()), 1)
        for frame in 0..<count {
            try writer.write(
                Picture(
                    width: side, height: side, pixels: scene.render(frames: frame..<frame + 1)))
        }
        try writer.finish()
    }
}
