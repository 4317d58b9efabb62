import FramePack
import Media
import Models
import ToyWorld

/// What the small model's settings say of its world.
enum SmallWorld {
    /// The description, the words of captions, and how to get a model that knows more.
    static var described: ModelSettings.World {
        ModelSettings.World(
            description: "drawn circles, squares and triangles of six colours that move before "
                + "plain backgrounds",
            words: words(),
            advice: "For everything else get the released FramePack model as the README tells, "
                + "and name its folder with --model.")
    }

    /// All words that captions have, in lower case and alphabetical order.
    static func words() -> [String] {
        let captions = Captions.corpus(count: 6000, seed: 5)
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
