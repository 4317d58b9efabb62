import FramePack
import FramePackMetrics
import Media
import ToyWorld

/// Videos of scenes that training never sees, from their first picture: what quick and exact ways of
/// sampling are compared by.
struct HeldOutVideos {
    private let model: ModelFolder
    private let seconds: Double
    private let steps: Int?

    /// Videos of a length in seconds; `steps` of a section are the model's if nil.
    init(_ model: ModelFolder, seconds: Double, steps: Int?) {
        (self.model, self.seconds, self.steps) = (model, seconds, steps)
    }

    /// Checks that a model knows the toy world.
    ///
    /// - Throws: `TrainingError` for one that does not.
    static func check(_ model: ModelFolder) throws {
        guard model.settings.world != nil, model.settings.resolution != nil else {
            throw TrainingError(
                "\(model.name) is no small model: its framepack.json has no resolution or no world")
        }
    }

    /// What is asked for, and the picture that it begins with.
    subscript(index: Int, order: SamplingOrder) -> (request: GenerationRequest, picture: Picture) {
        get throws {
            let side = model.settings.resolution ?? 64
            let scene = WorldClips(side: side, seed: SplitMix64.mix(0xCAC4E))
                .scene(index, split: .heldOut)
            var request = model.settings.request(prompt: scene.caption(variant: index))
            (request.order, request.seconds, request.seed) = (order, seconds, index)
            request.steps = steps ?? request.steps
            // What is measured is sampling: the quicker way to frames will do.
            request.decode = .streaming
            return (request, Picture(width: side, height: side, pixels: scene.startPicture))
        }
    }

    /// A video as one tall frame.
    static func frame(
        _ request: GenerationRequest, from picture: Picture, _ generator: FrameGenerator,
        _ cancellation: CancellationToken
    ) throws -> FramePackMetrics.Frame {
        let frames = try generator.frames(request, from: picture, cancellation: cancellation)
        return FramePackMetrics.Frame(
            width: picture.width, height: picture.height * frames.count,
            pixels: frames.flatMap(\.pixels))
    }
}
