import ArgumentParser
import Foundation
import FramePackTraining
import Models

/// `framepack train init`.
struct TrainInitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a FramePack model of a plain HunyuanVideo one, to be trained.",
        usage: "framepack train init --base <folder> --output <folder> [<options>]",
        discussion: """
            The patches of the history begin as the paper's do: the patches of the video, repeated \
            and divided, so that a coarse token is what they make of a mean. Pictures say nothing \
            to the model until it is trained. A FramePack model gets further kernels in the same \
            way. OUTPUT/model.json names all parts of the new model; give it as `model` in a \
            configuration.
            """)

    @Option(help: "A model in diffusers' layout: a folder, or a file of its parts.")
    var base: String
    @Option(help: "Folder with image_encoder and feature_extractor; the base by default.")
    var vision: String?
    @Option(help: "Folder of the new model.")
    var output: String

    @Option(
        help: ArgumentHelp(
            "Further kernels of the history, with commas: k8 (for k16 too), k1h4w4, ...",
            valueName: "names"))
    var kernels = ""

    func run() throws {
        let kernels = try kernels.split(separator: ",").map { name in
            guard let kernel = PatchKernel(name: String(name)) else {
                throw CommandError.usage(
                    "--kernels has \"\(name)\"; kernels are named k8, or k1h4w4, with powers of two."
                )
            }
            // The 16-fold kernel is a mean before that of k8.
            return kernel == PatchKernel(rate: 16) ? PatchKernel(rate: 8) : kernel
        }
        let base = URL(fileURLWithPath: base)
        let start = try PackedStart(
            base: base, vision: vision.map { URL(fileURLWithPath: $0) },
            to: URL(fileURLWithPath: output), kernels: kernels)
        let file = start.folder.appendingPathComponent("model.json")
        print("\(file.path): a transformer of \(Self.text(bytes: start.size))")
    }

    private static func text(bytes: Int) -> String {
        let (unit, name) = bytes < 1_000_000_000 ? (1e6, "MB") : (1e9, "GB")
        return String(format: "%.1f %@", Double(bytes) / unit, name)
    }
}
