import ArgumentParser
import Foundation
import FramePackTraining
import Models
import Torch
import TorchNN
import TorchOptim
import ToyWorld

/// `framepack train vae`.
struct TrainVAECommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vae", abstract: "Train the VAE: single frames first, then clips.")

    @Option(help: "Folder of the run; a run that lies there is continued.")
    var folder: String
    @Option(parsing: .unconditional, help: "Steps on single frames.")
    var pictureSteps = VAETrainingConfig().pictureSteps
    @Option(parsing: .unconditional, help: "Steps on clips of 17 frames.")
    var clipSteps = VAETrainingConfig().clipSteps
    @Option(parsing: .unconditional, help: "Frames in a step on single frames.")
    var pictureBatch = VAETrainingConfig().pictureBatch
    @Option(parsing: .unconditional, help: "Highest step size.")
    var learningRate = 6e-4
    @Option(parsing: .unconditional, help: "Share of clips whose colours are drawn anew, 0 to 1.")
    var recolouredShare = VAETrainingConfig().recolouredShare
    @Option(
        parsing: .unconditional,
        help: "Share of single frames that are collages of shapes in all colours, 0 to 1.")
    var collageShare = VAETrainingConfig().collageShare
    @Option(parsing: .unconditional, help: "Weight of decoding latents at half their size.")
    var halfSizeWeight = VAETrainingConfig().halfSizeWeight
    @Option(
        parsing: .unconditional,
        help: "How much more an object's pixel counts than the background's.")
    var objectWeight = VAETrainingConfig().objectWeight
    @Option(parsing: .unconditional, help: "Weight of the differences between colour channels.")
    var chromaWeight = VAETrainingConfig().chromaWeight
    @Option(parsing: .unconditional, help: "Seed of weights and data.")
    var seed: UInt64 = 1
    @OptionGroup var network: VAEOptions
    @OptionGroup var options: TrainingOptions

    func validate() throws {
        try checkOption("picture-steps", pictureSteps, 0...10_000_000)
        try checkOption("clip-steps", clipSteps, 0...10_000_000)
        try checkOption("picture-batch", pictureBatch, 1...4096)
        try checkOption("learning-rate", learningRate, 0...1)
        try checkOption("recoloured-share", recolouredShare, 0...1)
        try checkOption("collage-share", collageShare, 0...1)
        try checkOption("half-size-weight", halfSizeWeight, 0...1000)
        try checkOption("object-weight", objectWeight, 0...1000)
        try checkOption("chroma-weight", chromaWeight, 0...1000)
    }

    func run() throws { try options.inProcesses(train) }

    private func train(_ processes: TrainingProcesses, _ execution: TrainingExecution) throws {
        var config = VAETrainingConfig()
        config.side = network.side
        config.pictureSteps = pictureSteps
        config.clipSteps = clipSteps
        config.pictureBatch = pictureBatch
        config.recolouredShare = recolouredShare
        config.collageShare = collageShare
        config.halfSizeWeight = halfSizeWeight
        config.objectWeight = objectWeight
        config.chromaWeight = chromaWeight
        let task = try VAETraining(
            config, model: network.config, worlds: [(.simple, 0.6), (.full, 0.4)], seed: seed,
            execution: execution)
        let schedule = LearningRateSchedule(
            peak: learningRate, final: 3e-5, warmupSteps: 50, decayStart: 0.3)
        let state = TrainingRun(path: folder).vaeState
        let loop = try TrainingLoop(
            task, config: options.loopConfig(schedule), folder: state, group: processes.group)
        processes.print("\(task.store.elementCount) parameters, from step \(loop.step)")
        try options.run(loop, in: state, processes, lineInterval: 10)
    }
}
