import ArgumentParser
import Foundation
import FramePack
import FramePackTraining

/// `framepack train adopt`.
struct TrainAdoptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt",
        abstract: "Begin a training from a finished small model.",
        discussion: """
            Takes its sizes, tokenizers, VAE and weights; `train clips` and `train transformer` \
            go on from there. A VAE that lies in the run already stays.
            """)

    @Option(help: "Folder of the training.")
    var folder: String
    @Option(help: "The model's folder; the one that ships by default.")
    var model: String?

    func run() throws {
        let model = try ModelFolder.locate(model)
        try TrainingRun(folder: URL(fileURLWithPath: folder)).adopt(model)
        print("\(folder) begins from \(model.name)")
    }
}
