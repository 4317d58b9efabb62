import ArgumentParser
import FramePack
import FramePackTraining

/// `framepack experiment formats`.
struct ExperimentFormatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "formats",
        abstract: "Compare weight formats: bits, and how far weights and videos move.",
        usage: "framepack experiment formats --folder <folder> [<options>]",
        discussion: """
            Videos of scenes that training never sees, in the orders f1 and inverted, with the \
            transformer's weights in each format; against those of the weights as they are stored. \
            Some minutes on two cores.
            """)

    @OptionGroup var videos: HeldOutVideoOptions

    func run() throws {
        try videos.run(writing: "formats") { model, token, onVideo in
            try FormatsExperiment(
                model, count: videos.count, seconds: videos.seconds, steps: videos.steps
            ).run(cancellation: token, onVideo: onVideo)
        }
    }
}
