import ArgumentParser
import Foundation
import FramePack
import FramePackTraining
import Torch

/// `framepack train codebook`.
struct TrainCodebookCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "codebook",
        abstract: "Make the codebook of a discrete history, +D, from encoded clips.",
        usage: "framepack train codebook (--folder <folder>|--config <file>) [<options>]",
        discussion: """
            K-means over latent pixels. A packing with +D, such as td_f16k4f4k2f1k1_g9+D, replaces \
            each latent pixel of the history by the nearest entry, in training and when videos \
            are made.
            """)

    @Option(help: "Folder of the small model's training, with encoded clips.")
    var folder: String?
    @Option(help: "Configuration of a fine-tuning, whose data are encoded.")
    var config: String?
    @Option(parsing: .unconditional, help: "Entries, 1 to 65536; the paper recommends 128.")
    var count = CodebookFitting().count
    @Option(parsing: .unconditional, help: "Rounds at most, 1 to 10000.")
    var rounds = CodebookFitting().rounds
    @Option(parsing: .unconditional, help: "Latent pixels that are looked at, at most.")
    var pixels = 200_000
    @Option(parsing: .unconditional, help: "Seed of the choice of pixels and first entries.")
    var seed: UInt64 = 1

    func validate() throws {
        guard (folder == nil) != (config == nil) else {
            throw ValidationError("give either --folder or --config")
        }
        try checkOption("count", count, 1...65536)
        try checkOption("rounds", rounds, 1...10_000)
        try checkOption("pixels", pixels, 1...10_000_000)
    }

    func run() throws {
        let fitting = CodebookFitting(count: count, rounds: rounds, seed: seed)
        let (result, file) = try fit(fitting)
        print(
            """
            \(count) \(count == 1 ? "entry" : "entries") after \(counted(result.rounds, "round")), \
            \((result.keptVariance * 1000).rounded() / 10) % of the variance kept
            \(file.path)
            """)
    }

    private func fit(_ fitting: CodebookFitting) throws -> (CodebookFitting.Result, URL) {
        if let config {
            let run = try FineTuningRun(
                FineTuningConfig(contentsOf: URL(fileURLWithPath: config)), device: .cpu)
            return (try run.fitCodebook(fitting, pixels: pixels), run.codebookFile)
        }
        let run = TrainingRun(path: folder ?? "")
        let side = try run.storedSizes()?.side ?? run.side()
        return (try run.fitCodebook(fitting, side: side, pixels: pixels), run.codebookFile)
    }
}
