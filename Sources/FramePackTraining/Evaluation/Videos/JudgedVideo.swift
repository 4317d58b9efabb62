import Foundation
import FramePack
import Media
import ToyWorld

/// A video of the small world whose caption is known, so that it can be judged by what is true.
struct JudgedVideo {
    /// The largest side of a picture that is taken for one of the small world, in pixels.
    private static let largestSide = 256

    private let facts: SceneFacts
    private var side = 0
    private var pixels: [UInt8] = []

    /// Reads the caption: the prompt of the video's request, or what its metadata say.
    ///
    /// Nil where there is none, or none of a scene with one object.
    init?(of file: URL, comment: String?) {
        let request = try? GenerationRequest(likeFile: file)
        let prompts = (try? request?.timeline())?.prompts ?? []
        guard prompts.count < 2, let caption = prompts.first?.text ?? comment,
            let facts = SceneFacts(caption: caption)
        else { return nil }
        self.facts = facts
    }

    /// Keeps a frame; of a picture that is none of the small world, none is kept.
    mutating func add(_ picture: Picture) {
        guard picture.width == picture.height, (16...Self.largestSide).contains(picture.width)
        else { return }
        side = picture.width
        pixels += picture.pixels
    }

    /// What the judge finds; nil where no frame was kept.
    ///
    /// Where the object should be cannot be told from a caption, so places are not compared.
    func report() -> VideoReport? {
        pixels.isEmpty ? nil : Judge().report(video: pixels, side: side, facts: facts)
    }
}
