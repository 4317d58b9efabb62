import ArgumentParser
import Checkpoints
import Foundation
import FramePack
import FramePackTraining
import Torch

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

    @Option(help: "Folder of the tables.")
    var folder: String
    @Option(
        help: ArgumentHelp("A small model. (default: the one that ships)", valueName: "folder"))
    var model: String?
    @Option(parsing: .unconditional, help: "Videos in each order.")
    var count = 3
    @Option(parsing: .unconditional, help: "Seconds of a video.")
    var seconds = 2.4
    @Option(
        parsing: .unconditional,
        help: "Steps of a section, 1 to 100. (default: the model's)")
    var steps: Int?

    func validate() throws {
        try checkOption("count", count, 1...100_000)
        try checkOption("seconds", seconds, 0.1...3600)
        if let steps { try checkOption("steps", steps, 1...100) }
    }

    func run() throws {
        let home = URL(fileURLWithPath: folder)
        try makeFolder(home)
        TorchLibrary.flushDenormals(true)
        TorchLibrary.setThreadCount(1)
        let token = CancellationToken()
        let interruption = Interruption(token)
        defer { withExtendedLifetime(interruption) {} }
        let experiment = try FormatsExperiment(
            ModelFolder.locate(model), count: count, seconds: seconds, steps: steps)
        let table = try experiment.run(cancellation: token) { done, all in
            Terminal.writeError("\(done)/\(all)\n")
        }
        print(table.text)
        try writeJSON(table, to: home.appendingPathComponent("formats.json"))
        try Data((table.markdown + "\n").utf8).write(to: home.appendingPathComponent("formats.md"))
    }
}
