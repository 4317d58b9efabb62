import ArgumentParser
import Foundation
import FramePack
import FramePackTraining

/// `framepack train adopt`.
struct TrainAdoptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt",
        abstract: "Begin a training from a finished small model.",
        usage: "framepack train adopt [<options>] --folder <folder>",
        discussion: """
            Takes its sizes, tokenizers, VAE and weights; `train clips` and `train transformer` \
            go on from there. A VAE that lies in the run already stays.
            """)

    @Option(help: "Folder of the training.")
    var folder: String
    @Option(help: "The model's folder; the one that ships by default.")
    var model: String?

    @Option(
        help: ArgumentHelp(
            "Encoders that begin anew, with commas: text_encoder, text_encoder_2, image_encoder.",
            valueName: "parts"))
    var fresh = ""

    func run() throws {
        let encoders: [ModelPart] = [.textEncoder, .textEncoder2, .imageEncoder]
        let fresh = try fresh.split(separator: ",").map { name in
            guard let part = ModelPart(rawValue: String(name)), encoders.contains(part) else {
                throw ValidationError(
                    "fresh has \"\(name)\"; it must be among "
                        + encoders.map(\.rawValue).joined(separator: ", "))
            }
            return part
        }
        let model = try ModelFolder.locate(model)
        try TrainingRun(path: folder).adopt(model, fresh: fresh)
        print("\(folder) begins from \(model.name)")
    }
}
