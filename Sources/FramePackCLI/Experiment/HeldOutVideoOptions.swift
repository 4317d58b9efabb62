import ArgumentParser
import Checkpoints
import Foundation
import FramePack
import FramePackTraining
import Torch

/// A table that an experiment makes of videos of scenes that training never sees.
protocol ExperimentTable: Encodable {
    /// The table for a terminal.
    var text: String { get }
    /// The table in Markdown.
    var markdown: String { get }
}

extension CachesTable: ExperimentTable {}
extension FormatsTable: ExperimentTable {}

/// Which videos an experiment makes, and where its tables go.
struct HeldOutVideoOptions: ParsableArguments {
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

    /// Runs an experiment on one thread; prints its table, and writes it as `name.json` and `name.md`.
    func run(
        writing name: String,
        _ experiment: (ModelFolder, CancellationToken, (Int, Int) throws -> Void) throws ->
            some ExperimentTable
    ) throws {
        let home = URL(fileURLWithPath: folder)
        try makeFolder(home)
        TorchLibrary.flushDenormals(true)
        TorchLibrary.setThreadCount(1)
        let token = CancellationToken()
        let interruption = Interruption(token)
        defer { withExtendedLifetime(interruption) {} }
        let table = try experiment(ModelFolder.locate(model), token) { done, all in
            Terminal.writeError("\(done)/\(all)\n")
        }
        print(table.text)
        try writeJSON(table, to: home.appendingPathComponent("\(name).json"))
        try Data((table.markdown + "\n").utf8)
            .write(to: home.appendingPathComponent("\(name).md"))
    }
}
