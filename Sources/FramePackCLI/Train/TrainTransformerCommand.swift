import ArgumentParser
import Foundation
import FramePack
import FramePackTraining
import Torch
import TorchNN
import TorchOptim

/// `framepack train transformer`.
struct TrainTransformerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transformer",
        abstract: "Train the transformer with its encoders on encoded clips.")

    @Option(help: "Folder of the training; a run that lies there is continued.")
    var folder: String
    @Option(
        parsing: .unconditional,
        help: "Side of the pictures, in pixels; a run that lies there has its own. (default: 64)")
    var side: Int?
    @Option(parsing: .unconditional, help: "Steps of the whole run.")
    var steps = TransformerTrainingConfig().steps
    @Option(parsing: .unconditional, help: "Samples in a step.")
    var batch = TransformerTrainingConfig().batch
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Packings that samples are drawn in, NAME or NAME=WEIGHT, with commas between them. "
                + "(default: all that the small model knows)", valueName: "names"),
        transform: Self.layouts)
    var packings: [TrainingLayout]?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Orders of the history that samples are drawn in: time, similarity, hybrid, with commas "
                + "between them.", valueName: "names"),
        transform: Self.historyOrders)
    var historyOrders = TransformerTrainingConfig().historyOrders
    @Option(parsing: .unconditional, help: "How much nearness in time counts in hybrid order.")
    var historyTimeWeight = TransformerTrainingConfig().historyTimeWeight
    @Option(
        parsing: .unconditional,
        help: "Share of samples in the section that is generated first, 0 to 1.")
    var firstShare = TransformerTrainingConfig().firstShare
    @Option(
        parsing: .unconditional,
        help: "Shift of the noise levels; larger means more samples near pure noise.")
    var shift = TransformerTrainingConfig().shift
    @Option(
        parsing: .unconditional,
        help: "Steps between two sets of sample videos in RUN/samples; 0 makes none.")
    var sampleSteps = 2000
    @Option(parsing: .unconditional, help: "Highest step size.")
    var learningRate = 1e-3
    @Option(parsing: .unconditional, help: "Seed of weights and data.")
    var seed: UInt64 = 1
    @OptionGroup var options: TrainingOptions

    func validate() throws {
        if let side { try checkSide(side) }
        try checkOption("steps", steps, 0...100_000_000)
        try checkOption("batch", batch, 1...4096)
        try checkOption("first-share", firstShare, 0...1)
        try checkOption("shift", shift, 0.01...100)
        try checkOption(
            "history-time-weight", historyTimeWeight, GenerationRequest.Limits.historyTimeWeight)
        try checkOption("sample-steps", sampleSteps, 0...100_000_000)
        try checkOption("learning-rate", learningRate, 0...1)
    }

    /// Reads `NAME` or `NAME=WEIGHT`, with commas between them.
    private static func layouts(_ text: String) throws -> [TrainingLayout] {
        try text.split(separator: ",", omittingEmptySubsequences: false).map { item in
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let packing = try Packing(name: String(parts[0]))
            guard parts.count > 1 else { return TrainingLayout(packing) }
            guard let weight = Double(parts[1]), weight > 0, weight.isFinite else {
                throw ValidationError("the weight of \(parts[0]) is \(parts[1]); write 0.5 or 2")
            }
            return TrainingLayout(packing, weight: weight)
        }
    }

    private static func historyOrders(_ text: String) throws -> [HistoryOrder] {
        try text.split(separator: ",", omittingEmptySubsequences: false).map { name in
            guard let order = HistoryOrder(rawValue: String(name)) else {
                throw ValidationError(
                    "\"\(name)\" is no order of the history; they are "
                        + HistoryOrder.allCases.map(\.rawValue).joined(separator: ", "))
            }
            return order
        }
    }

    func run() throws { try options.inProcesses(train) }

    private func train(_ processes: TrainingProcesses, _ execution: TrainingExecution) throws {
        let run = TrainingRun(path: folder)
        var config = TransformerTrainingConfig()
        config.steps = steps
        config.batch = batch
        config.layouts = packings ?? config.layouts
        (config.historyOrders, config.historyTimeWeight) = (historyOrders, historyTimeWeight)
        config.firstShare = firstShare
        config.shift = shift
        let task = try processes.inTurn {
            try run.transformerTraining(config, side: side, seed: seed, execution: execution)
        }
        let schedule = LearningRateSchedule(
            peak: learningRate, final: learningRate / 20, warmupSteps: 100, decayStart: 0.4)
        let loop = try TrainingLoop(
            task, config: options.loopConfig(schedule), folder: run.transformerState,
            group: processes.group)
        processes.print(
            """
            \(task.store.elementCount) parameters, template of \(task.model.crop) tokens, from step \
            \(loop.step)
            """)
        let samples = SampleVideos(run)
        try options.run(loop, in: run.transformerState, processes, lineInterval: 20) {
            step, record, token in
            guard sampleSteps > 0, (step + 1) % sampleSteps == 0 else { return }
            do {
                let videos = try samples.write(step: step + 1, cancellation: token)
                try record.append(videos, step: step)
                print("\(videos.count) sample videos of step \(step + 1) in \(samples.folder.path)")
            } catch FramePackError.cancelled {
                return
            } catch {
                // A training of hours does not end for want of a video.
                print("no sample videos of step \(step + 1): \(error)")
            }
        }
    }
}
