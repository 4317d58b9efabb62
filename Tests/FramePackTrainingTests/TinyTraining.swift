import Foundation
import FramePack
import FramePackTraining
import Models
import TestSupport
import Torch
import TorchNN
import TorchOptim

/// A training whose networks are as small as they can be, with fresh weights.
struct TinyTraining {
    let run: TrainingRun
    let sizes: SmallModelSizes

    /// Fresh weights none of which are zeros, so that every input matters.
    private struct NoisyWeights: WeightSource {
        let source: RandomWeights

        func tensor(_ name: String, shape: [Int], initialization: Initialization) throws -> Tensor {
            if case .zeros = initialization {
                return try source.tensor(name, shape: shape, initialization: .normal(0.1))
            }
            return try source.tensor(name, shape: shape, initialization: initialization)
        }

        func contains(_ name: String) -> Bool { true }
    }

    /// Writes everything that a training has after its last step.
    init(in folder: URL) throws {
        run = TrainingRun(folder: folder)
        var sizes = SmallModelSizes(side: 64)
        sizes.transformer.headCount = 2
        sizes.transformer.headSize = 16
        sizes.transformer.rotaryAxes = [4, 6, 6]
        sizes.transformer.doubleBlockCount = 1
        sizes.transformer.singleBlockCount = 1
        sizes.transformer.textSize = 32
        sizes.transformer.pooledSize = 16
        sizes.transformer.imageSize = 16
        (sizes.llama.hiddenSize, sizes.llama.intermediateSize) = (32, 32)
        (sizes.llama.headCount, sizes.llama.keyValueHeadCount) = (2, 1)
        (sizes.llama.headSize, sizes.llama.layerCount) = (16, 3)
        sizes.llama.vocabularySize = 300
        (sizes.clip.hiddenSize, sizes.clip.intermediateSize) = (16, 16)
        (sizes.clip.layerCount, sizes.clip.vocabularySize) = (1, 600)
        (sizes.siglip.hiddenSize, sizes.siglip.intermediateSize) = (16, 16)
        sizes.siglip.layerCount = 1
        self.sizes = sizes
        try writeJSON(sizes, to: run.sizesFile)
        try writeVAE()
        try SmallModel.writeTokenizers(to: run.model, sizes: sizes, seed: 1, captions: 200)
        try ClipCache(folder: run.clips, clips: clips).fill(
            run.finishedVAE(), count: 1, size: 2, execution: TrainingExecution(dtype: .float32)
        ) { _ in }
        try writeTransformer()
    }

    var clips: WorldClips { WorldClips(side: sizes.side, seed: 11) }

    private func writeVAE() throws {
        let config = VAEConfig(
            blockOutChannels: [8, 8, 8, 8], layersPerBlock: 1, normNumGroups: 4)
        let store = ParameterStore()
        let vae = try VAE(config, Weights(RandomWeights(seed: 3), store: store))
        try writeNetwork(
            store, stem: "diffusion_pytorch_model", config: config,
            to: run.model.appendingPathComponent("vae"))
        let clip = try clips.render([clips.scene(0)], starts: [0], count: 5)
        try writeJSON(
            LatentPreview.Map(vae, [clip]), to: run.folder.appendingPathComponent("colours.json"))
    }

    private func writeTransformer() throws {
        let task = try training(NoisyWeights(source: RandomWeights(seed: 4)), steps: 0)
        try loop(task, in: run.transformerState).run { _ in }
    }

    /// The transformer's training on the tiny model.
    func training(_ source: any WeightSource, steps: Int = 4) throws -> TransformerTraining {
        let config = try TinyTasks.config(steps: steps, batch: 2)
        return try TransformerTraining(
            config, model: SmallModel(sizes, folder: run.model, source: source),
            cache: ClipCache(folder: run.clips, clips: clips),
            plainStart: run.plainStart(side: sizes.side), plainLevel: TrainingRun.plainLevel,
            codebook: TinyTasks.codebook(), seed: 1, execution: TrainingExecution(dtype: .float32))
    }

    /// The distillation of the tiny model's guidance.
    func distillation(steps: Int) throws -> GuidanceDistillation {
        let teacher = try AveragedWeights(run.transformerState)
        var config = GuidanceDistillationConfig()
        config.steps = steps
        return try GuidanceDistillation(
            config, data: training(teacher), source: teacher, teacherStep: teacher.step)
    }

    /// A loop with a constant step size.
    func loop(_ task: any TrainingTask, in folder: URL, learningRate: Double = 1e-3) throws
        -> TrainingLoop
    {
        let schedule = LearningRateSchedule(peak: learningRate, final: learningRate)
        return try TrainingLoop(
            task, config: TrainingLoopConfig(learningRate: schedule), folder: folder)
    }
}
