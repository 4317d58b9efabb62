import ArgumentParser
import Foundation
import FramePack
import FramePackTraining

/// `framepack train export`.
struct TrainExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a trained model as a whole folder in the released layout.",
        usage: "framepack train export [<options>] --folder <folder> --output <output>")

    @Option(help: "Folder of the training.")
    var folder: String
    @Option(help: "Folder of the model, such as Models/NAME.")
    var output: String
    @Option(help: "The model's name; the output folder's by default.")
    var name: String?
    @Option(parsing: .unconditional, help: "The model's default number of steps in a section.")
    var steps = ModelExportOptions().steps
    @Option(
        help:
            "The model's default guidance, best as `eval` finds it; 2.5 where it was distilled, else 1."
    )
    var guidance: Double?
    @Option(parsing: .unconditional, help: "The model's default true guidance.")
    var cfg = ModelExportOptions().cfg
    @Option(help: "The model's default order.")
    var order = ModelExportOptions().order

    func run() throws {
        var options = ModelExportOptions()
        options.order = order
        options.name = name
        options.steps = steps
        options.guidance = guidance
        options.cfg = cfg
        let target = URL(fileURLWithPath: output)
        let export = try ModelExport(
            TrainingRun(path: folder), to: target, options: options)
        print(
            String(
                format: "%@: %.1f MB, the largest file %.1f MB", target.path,
                Double(export.size) / 1e6, Double(export.largestFile) / 1e6))
    }
}
