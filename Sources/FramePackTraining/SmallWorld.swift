import FramePack
import Media
import Models
import ToyWorld

/// What the small model's settings say of its world.
enum SmallWorld {
    /// The description, the words of captions, and how to get a model that knows more.
    static var described: ModelSettings.World {
        var world = ModelSettings.World(
            description: "drawn circles, squares and triangles of six colours that move before "
                + "plain backgrounds",
            words: words(),
            advice: "For everything else get the released FramePack model as the README tells, "
                + "and name its folder with --model.")
        let colours = WorldConfig.simple.colours.keys.map(\.rgb)
        world.colours = colours.map { [$0.red, $0.green, $0.blue] }
            .sorted { $0.lexicographicallyPrecedes($1) }
        world.backgroundChroma = Background.largestChroma
        return world
    }

    /// All words of the captions that the model is trained with, in lower case and alphabetical
    /// order.
    static func words() -> [String] {
        let clips = WorldClips(side: 64, seed: 5)
        let captions = (0..<6000).map { clips.scene($0, split: .any).caption(variant: $0) }
        let words = captions.flatMap { $0.lowercased().split { !$0.isLetter }.map(String.init) }
        return Set(words).sorted()
    }

    /// Start pictures of which a VAE gives back less than this, in dB, are hardly of the world: one
    /// decibel below the worst of many that are.
    static func leastPictureQuality(_ vae: VAE, side: Int, count: Int) throws -> Double {
        let clips = WorldClips(side: side, seed: 0x57A7)
        let qualities = try (0..<count).map { number in
            try vae.pictureQuality(
                Picture(
                    width: side, height: side,
                    pixels: clips.scene(number, split: .any).startPicture))
        }
        // Tenths are all that the value is worth.
        return (10 * ((qualities.min() ?? 0) - 1)).rounded() / 10
    }
}
