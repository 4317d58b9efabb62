import ArgumentParser
import Checkpoints
import Dispatch
import Foundation
import FramePack
import FramePackTraining
import Media
import Torch

/// `framepack experiment`.
struct ExperimentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "experiment",
        abstract: "Run the paper's comparisons on the small world.",
        subcommands: [
            ExperimentOrdersCommand.self, ExperimentCachesCommand.self,
            ExperimentLengthCommand.self, ExperimentFormatsCommand.self,
        ])
}

/// `framepack experiment orders`.
struct ExperimentOrdersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "orders",
        abstract: "Compare sampling orders, packings and discrete history.",
        usage: "framepack experiment orders --folder <folder> [<options>]",
        discussion: """
            Three packings in vanilla, anti-drifting and inverted order, with the history as it is \
            and discrete, and a control that sees the last latent alone; videos of 5 and 30 \
            seconds of scenes that training never sees.

            Without --quick a base is trained first, from fresh weights, and 100 videos a row are \
            measured: a night on two cores. With --quick the shipped model's videos are measured, \
            a few a row, within half an hour. Both can be interrupted, and go on where they were.
            """)

    @Option(help: "Folder of training, measurements and tables.")
    var folder: String
    @Flag(help: "Only sample and measure, with weights that are there; a few videos a row.")
    var quick = false
    @Option(
        help: ArgumentHelp(
            "The model: with --quick the one that is measured, else the one whose VAE is taken. "
                + "(default: the one that ships)", valueName: "folder"))
    var model: String?
    @Option(
        parsing: .unconditional,
        help: "Videos a row of 5 seconds. (default: 100, with --quick 8)")
    var count: Int?
    @Option(
        parsing: .unconditional,
        help: "Videos a row of 30 seconds, 0 for none. (default: 100, with --quick 1)")
    var longCount: Int?
    @Option(parsing: .unconditional, help: "Steps of the training.")
    var steps = 30_000
    @Option(parsing: .unconditional, help: "Videos that are made at a time; 0 for one a core.")
    var workers = 0

    func validate() throws {
        if let count { try checkOption("count", count, 1...100_000) }
        if let longCount { try checkOption("long-count", longCount, 0...100_000) }
        try checkOption("steps", steps, 1...100_000_000)
        try checkOption("workers", workers, 0...1024)
    }

    func run() throws {
        let home = URL(fileURLWithPath: folder)
        try makeFolder(home)
        TorchLibrary.flushDenormals(true)
        let token = CancellationToken()
        let interruption = Interruption(token)
        defer { withExtendedLifetime(interruption) {} }
        guard let measured = try measuredModel(home, token) else {
            throw CommandError.cancelled("Stopped; the same command goes on.")
        }
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let workers = workers == 0 ? cores : workers
        // Several threads in one operation would wait for each other wherever a core is taken.
        TorchLibrary.setThreadCount(1)
        let experiment = OrdersExperiment(
            measured, extent: extent, cache: home.appendingPathComponent("videos"),
            workers: workers)
        let table = OrdersTable(try measure(experiment, token))
        print(table.text)
        try writeJSON(table, to: home.appendingPathComponent("orders.json"))
        try Data((table.markdown + "\n").utf8).write(to: home.appendingPathComponent("orders.md"))
        for (report, name) in zip(table.reports, ["orders-5s.png", "orders-30s.png"]) {
            try report.picture().writePNG(to: home.appendingPathComponent(name))
        }
    }

    private func measure(_ experiment: OrdersExperiment, _ token: CancellationToken) throws
        -> [EvaluationReport]
    {
        do {
            return try experiment.run { progress in
                try token.check()
                guard !progress.isKept else { return }
                Terminal.writeError(
                    String(
                        format: "%@: %d/%d, %.1f s\n", progress.row, progress.video,
                        progress.count, progress.seconds))
            }
        } catch FramePackError.cancelled {
            throw CommandError.cancelled(
                "Stopped; what was measured is kept, and the same command goes on.")
        }
    }

    private var extent: OrdersExperiment.Extent {
        var extent = quick ? OrdersExperiment.Extent.quick : .full
        if let count { extent.lengths[0].count = count }
        if let longCount { extent.lengths[1].count = longCount }
        extent.lengths.removeAll { $0.count == 0 }
        return extent
    }

    /// The model whose videos are measured; nil where its training was stopped.
    private func measuredModel(_ home: URL, _ token: CancellationToken) throws -> ModelFolder? {
        let base = try ModelFolder.locate(model)
        guard !quick else { return base }
        var training = OrdersTraining(folder: home.appendingPathComponent("run"), base: base)
        training.steps = steps
        let isDone = try training.train(
            shouldStop: { token.isCancelled }, onStage: { print($0) }
        ) { report in
            guard report.step % 100 == 0 else { return }
            print(
                String(
                    format: "step %d/%d  loss %.4f  %.2f s/step", report.step, report.totalSteps,
                    report.loss, report.seconds))
            fflush(nil)
        }
        return isDone ? try ModelFolder(training.model) : nil
    }
}
