import ArgumentParser
import Foundation
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
    @Option(help: "Side of the pictures, in pixels.")
    var side = 64
    @Option(help: "Steps of the whole run.")
    var steps = 20000
    @Option(help: "Samples in a step.")
    var batch = 8
    @Option(help: "Share of samples in inverted order, 0 to 1; the others are in F1 order.")
    var invertedShare = 0.5
    @Option(help: "Share of samples in the section that is generated first, 0 to 1.")
    var firstShare = 0.35
    @Option(help: "Shift of the noise levels; larger means more samples near pure noise.")
    var shift = 3.0
    @Option(help: "Steps between two sets of sample videos in RUN/samples; 0 makes none.")
    var sampleSteps = 2000
    @Option(help: "Highest step size.")
    var learningRate = 1e-3
    @Option(help: "Seed of weights and data.")
    var seed: UInt64 = 1
    @OptionGroup var options: TrainingOptions

    func run() throws {
        let execution = try options.execution()
        let run = TrainingRun(path: folder)
        let sizes = try run.storedSizes() ?? SmallModelSizes(side: side)
        let tokenizer = run.model.appendingPathComponent("tokenizer/tokenizer.json")
        if !FileManager.default.fileExists(atPath: tokenizer.path) {
            try SmallModel.writeTokenizers(to: run.model, sizes: sizes, seed: seed)
            try writeJSON(sizes, to: run.sizesFile)
        }
        let model = try SmallModel(
            sizes, folder: run.model, source: run.startWeights(seed: seed))
        var config = TransformerTrainingConfig()
        config.steps = steps
        config.batch = batch
        config.invertedShare = invertedShare
        config.firstShare = firstShare
        config.shift = shift
        let cache = run.clipCache(side: side)
        let plain = try run.plainStart(side: side)
        let task = try TransformerTraining(
            config, model: model, cache: cache, plainStart: plain,
            plainLevel: TrainingRun.plainLevel, seed: seed, execution: execution)
        let schedule = LearningRateSchedule(
            peak: learningRate, final: learningRate / 20, warmupSteps: 100, decayStart: 0.4)
        var loopConfig = TrainingLoopConfig(learningRate: schedule)
        loopConfig.optimizer = options.optimizer
        let loop = try TrainingLoop(task, config: loopConfig, folder: run.transformerState)
        print(
            """
            \(task.store.elementCount) parameters, template of \(model.crop) tokens, from step \
            \(loop.step)
            """)
        let samples = SampleVideos(run)
        try options.run(loop, in: run.transformerState, lineInterval: 20) { step in
            guard sampleSteps > 0, (step + 1) % sampleSteps == 0 else { return }
            do {
                let files = try samples.write(step: step + 1)
                print("\(files.count) sample videos of step \(step + 1) in \(samples.folder.path)")
            } catch {
                // A training of hours does not end for want of a video.
                print("no sample videos of step \(step + 1): \(error)")
            }
        }
    }
}
