import ArgumentParser
import Foundation
import FramePackTraining
import Torch
import TorchNN
import TorchOptim

/// `framepack train guidance`.
struct TrainGuidanceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guidance",
        abstract: "Teach the transformer to give in one pass what its true guidance gives in two.")

    @Option(help: "Folder of the training; a run that lies there is continued.")
    var folder: String
    @Option(parsing: .unconditional, help: "Steps of the whole run.")
    var steps = GuidanceDistillationConfig().steps
    @Option(parsing: .unconditional, help: "Samples in a step.")
    var batch = TransformerTrainingConfig().batch
    @Option(parsing: .unconditional, help: "The least scale that is learnt.")
    var leastScale = GuidanceDistillationConfig().leastScale
    @Option(parsing: .unconditional, help: "The greatest scale that is learnt.")
    var greatestScale = GuidanceDistillationConfig().greatestScale
    @Option(parsing: .unconditional, help: "Highest step size.")
    var learningRate = 1e-4
    @Option(parsing: .unconditional, help: "Seed of the data.")
    var seed: UInt64 = 2
    @OptionGroup var options: TrainingOptions

    func validate() throws {
        try checkOption("steps", steps, 0...100_000_000)
        try checkOption("batch", batch, 1...4096)
        try checkOption("least-scale", leastScale, 1...32)
        try checkOption("greatest-scale", greatestScale, leastScale...max(leastScale, 32))
        try checkOption("learning-rate", learningRate, 0...1)
    }

    func run() throws { try options.inProcesses(train) }

    private func train(_ processes: TrainingProcesses, _ execution: TrainingExecution) throws {
        let run = TrainingRun(path: folder)
        var config = GuidanceDistillationConfig()
        config.steps = steps
        config.leastScale = leastScale
        config.greatestScale = greatestScale
        let task = try run.guidanceDistillation(
            config, batch: batch, seed: seed, execution: execution)
        let schedule = LearningRateSchedule(
            peak: learningRate, final: learningRate / 20, warmupSteps: 50, decayStart: 0.4)
        var settings = options.loopConfig(schedule)
        // A short run: what the student was at its beginning has to fade in time.
        settings.averaging = 0.99
        let loop = try TrainingLoop(
            task, config: settings, folder: run.guidanceState, group: processes.group)
        processes.print("teacher of step \(task.teacherStep ?? 0), from step \(loop.step)")
        try options.run(loop, in: run.guidanceState, processes, lineInterval: 20)
    }
}
