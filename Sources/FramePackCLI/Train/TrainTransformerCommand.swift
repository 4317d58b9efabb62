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
    @Option(help: "Highest step size.")
    var learningRate = 1e-3
    @Option(help: "Seed of weights and data.")
    var seed: UInt64 = 1
    @OptionGroup var options: TrainingOptions

    func run() throws {
        let execution = try options.execution()
        let run = TrainingRun(folder: URL(fileURLWithPath: folder))
        let sizes = try run.storedSizes() ?? SmallModelSizes(side: side)
        let tokenizer = run.model.appendingPathComponent("tokenizer/tokenizer.json")
        if !FileManager.default.fileExists(atPath: tokenizer.path) {
            try SmallModel.writeTokenizers(to: run.model, sizes: sizes, seed: seed)
            try writeJSON(sizes, to: run.sizesFile)
        }
        let model = try SmallModel(sizes, folder: run.model, source: RandomWeights(seed: seed))
        var config = TransformerTrainingConfig()
        config.steps = steps
        config.batch = batch
        let cache = ClipCache(folder: run.clips, clips: WorldClips(side: side, seed: 11))
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
        try options.run(loop, in: run.transformerState, lineInterval: 20)
    }
}
