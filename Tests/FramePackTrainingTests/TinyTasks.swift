import Checkpoints
import Foundation
import FramePack
import FramePackTraining
import Models
import Torch
import TorchDistributed
import TorchNN
import TorchOptim
import ToyWorld

/// Trainings that take a few seconds: everything of them is there, and everything is small.
enum TinyTasks {
    static let side = 16

    static let vaeConfig = VAEConfig(
        blockOutChannels: [8, 8, 8, 8], layersPerBlock: 1, normNumGroups: 4)

    /// Two steps on single frames, then two on clips of five frames.
    static func vae(seed: UInt64 = 1, _ execution: TrainingExecution = exact) throws -> VAETraining
    {
        var config = VAETrainingConfig()
        config.side = side
        (config.pictureSteps, config.clipSteps) = (2, 2)
        (config.pictureBatch, config.clipBatch, config.clipFrames) = (2, 1, 5)
        return try VAETraining(
            config, model: vaeConfig, worlds: [(.simple, 0.6), (.full, 0.4)], seed: seed,
            execution: execution)
    }

    /// The released models' packings: what tests of the training itself draw from.
    static let packings = ["f1k1_x_f16k4f2k2f1k1_g9", "f1k1_x_g9_f1k1f2k2f16k4_td"]

    /// A training's settings with those packings.
    static func config(steps: Int, batch: Int, packings: [String] = packings) throws
        -> TransformerTrainingConfig
    {
        var config = TransformerTrainingConfig()
        (config.steps, config.batch) = (steps, batch)
        config.layouts = try packings.map { TrainingLayout(try Packing(name: $0)) }
        return config
    }

    static let exact = TrainingExecution(dtype: .float32)

    /// A folder with tokenizers and two shards of random latents.
    static func prepare(_ folder: URL) throws -> TrainingRun {
        let run = TrainingRun(folder: folder)
        var sizes = SmallModelSizes(side: side)
        sizes.llama.vocabularySize = 300
        sizes.clip.vocabularySize = 560
        try SmallModel.writeTokenizers(to: run.model, sizes: sizes, seed: 1, captions: 200)
        try FileManager.default.createDirectory(
            at: run.clips, withIntermediateDirectories: true)
        for (number, sections) in [1, 2].enumerated() {
            let frames = 9 * sections + 1
            let generator = try Generator(seed: UInt64(number))
            let latents = try Tensor.randn([3, 16, frames, 2, 2], generator: generator)
            let masks = try Tensor.rand([3, frames, 2, 2], generator: generator) * 255
            try writeSafetensors(
                ["latents": latents.to(.bfloat16), "masks": masks.to(.uint8)],
                metadata: ["first": "\(number * 3)"],
                to: run.clips.appendingPathComponent("clips-000\(number).safetensors"))
        }
        return run
    }

    /// A few steps of a tiny transformer with its encoders.
    static func transformer(
        _ run: TrainingRun, steps: Int = 4, batch: Int = 2, blocks: Int = 1,
        packings: [String] = packings, _ execution: TrainingExecution = exact,
        change: (inout TransformerTrainingConfig) -> Void = { _ in }
    ) throws -> TransformerTraining {
        var sizes = SmallModelSizes(side: side)
        sizes.transformer.headCount = 2
        sizes.transformer.headSize = 16
        sizes.transformer.rotaryAxes = [4, 6, 6]
        sizes.transformer.doubleBlockCount = blocks
        sizes.transformer.singleBlockCount = blocks
        sizes.llama.layerCount = 3
        let model = try SmallModel(sizes, folder: run.model, source: RandomWeights(seed: 5))
        var config = try config(steps: steps, batch: batch, packings: packings)
        change(&config)
        let cache = ClipCache(folder: run.clips, clips: WorldClips(side: side, seed: 11))
        return try TransformerTraining(
            config, model: model, cache: cache, plainStart: .zeros([16, 1, 2, 2]), plainLevel: 0,
            codebook: codebook(), seed: 3, execution: execution)
    }

    /// A codebook of eight random entries, for packings with +D.
    static func codebook() throws -> HistoryCodebook {
        try HistoryCodebook(entries: .randn([8, 16], generator: Generator(seed: 6)))
    }

    /// A loop whose step size moves the weights visibly.
    static func loop(
        _ task: any TrainingTask, _ folder: URL, optimizer: OptimizerChoice = .adamw,
        checkpointSteps: Int = 200, accumulation: Int = 1, isSharded: Bool = false,
        group: ProcessGroup? = nil
    ) throws -> TrainingLoop {
        TorchLibrary.setThreadCount(1)
        var config = TrainingLoopConfig(
            learningRate: LearningRateSchedule(peak: 1e-2, warmupSteps: 1, decayStart: 0.5))
        config.optimizer = optimizer
        config.checkpointSteps = checkpointSteps
        config.accumulation = accumulation
        config.isSharded = isSharded
        // Several buckets, some of many parameters and some of one.
        config.bucketSize = 100_000
        return try TrainingLoop(task, config: config, folder: folder, group: group)
    }

    /// The stored state, each tensor as its numbers.
    static func state(_ folder: URL) throws -> [String: [Float]] {
        let file = try SafetensorsFile(folder.appendingPathComponent("state.safetensors"))
        return try file.tensors().mapValues { try $0.array(Float.self) }
    }
}

/// A task of one weight, whose loss can be made to fail.
final class OneWeight: TrainingTask {
    let store = ParameterStore()
    let totalSteps: Int
    let device = Device.cpu
    let metricNames = ["weight"]
    private let factor: (Int) -> Double
    private let weight: Parameter

    /// The loss of a step is that step's factor times the weight.
    init(steps: Int, factor: @escaping (Int) -> Double = { _ in 1 }) throws {
        totalSteps = steps
        self.factor = factor
        weight = try Weights(RandomWeights(seed: 1), store: store).parameter("weight", [1], .ones)
    }

    func prepare(step: Int) -> Bool { false }

    func sampleCount(step: Int) -> Int { 1 }

    func loss(step: Int, samples: Range<Int>) throws -> TrainingLoss {
        let loss = try (weight.value * factor(step)).sum()
        return TrainingLoss(loss: loss, metrics: ["weight": try weight.value.detach().item()])
    }
}
