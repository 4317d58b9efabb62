public import Foundation
public import FramePack
import Torch
import TorchOptim
import ToyWorld

/// Trains the base that ``OrdersExperiment`` compares orders with, from fresh weights.
///
/// The VAE and the tokenizers are those of a finished small model; clips, codebook, transformer and
/// encoders are made anew in a folder. Each stage that is done is passed over, so that a run that was
/// interrupted goes on where it was.
public struct OrdersTraining: Sendable {
    /// Where everything lies.
    public let run: TrainingRun
    /// The model whose VAE is taken.
    public let base: ModelFolder
    /// Steps of the transformer.
    public var steps = 30_000
    /// Steps of the guidance's distillation.
    public var guidanceSteps = 500
    /// Shards of clips.
    public var shards = 60
    /// Clips in each of them.
    public var clipsPerShard = 50

    /// Prepares a training.
    public init(folder: URL, base: ModelFolder) {
        run = TrainingRun(folder: folder)
        self.base = base
    }

    /// The trained model, once ``train(shouldStop:onStage:onStep:)`` is through.
    public var model: URL { run.folder.appendingPathComponent("export") }

    /// Goes on until the model is exported.
    ///
    /// - Parameters:
    ///   - shouldStop: Asked before each step and shard; what is done stays done.
    ///   - onStage: Called at the beginning of each stage with a sentence.
    ///   - onStep: Called after each step.
    /// - Returns: Whether the model is there; false where it was stopped before.
    /// - Throws: What adopting, rendering, training and exporting throw.
    public func train(
        shouldStop: () -> Bool, onStage: (String) -> Void,
        onStep: (TrainingReport) throws -> Void
    ) throws -> Bool {
        let index = model.appendingPathComponent("model_index.json")
        guard !FileManager.default.fileExists(atPath: index.path) else { return true }
        if try run.storedSizes() == nil {
            onStage("Taking over the VAE and the tokenizers of \(base.name)")
            try run.adopt(base, fresh: AdoptedWeights.parts)
        }
        let side = try run.sizes().side
        onStage("Rendering and encoding \(shards) shards of clips")
        guard try fillClips(side: side, shouldStop: shouldStop) else { return false }
        if try run.codebook() == nil {
            onStage("Making the codebook of the discrete history")
            _ = try run.fitCodebook(CodebookFitting(), side: side)
        }
        onStage("Training the transformer, \(counted(steps, "step"))")
        guard try trainTransformer(shouldStop, onStep) else { return false }
        onStage("Distilling the guidance, \(counted(guidanceSteps, "step"))")
        guard try distil(shouldStop, onStep) else { return false }
        onStage("Exporting the model")
        var options = ModelExportOptions()
        (options.name, options.guidance) = ("orders", 2)
        _ = try ModelExport(run, to: model, options: options)
        return true
    }

    private func fillClips(side: Int, shouldStop: () -> Bool) throws -> Bool {
        struct Stopped: Error {}
        do {
            try run.clipCache(side: side).fill(
                run.finishedVAE(), count: shards, size: clipsPerShard
            ) { _ in
                if shouldStop() { throw Stopped() }
            }
            return true
        } catch is Stopped {
            return false
        }
    }

    private func trainTransformer(
        _ shouldStop: () -> Bool, _ onStep: (TrainingReport) throws -> Void
    ) throws -> Bool {
        var config = TransformerTrainingConfig()
        (config.steps, config.shift, config.firstShare) = (steps, 2.5, 0.3)
        let task = try run.transformerTraining(
            config, side: nil, seed: 1, execution: TrainingExecution())
        let schedule = LearningRateSchedule(
            peak: 1e-3, final: 5e-5, warmupSteps: 100, decayStart: 0.4)
        let loop = try TrainingLoop(
            task, config: TrainingLoopConfig(learningRate: schedule),
            folder: run.transformerState)
        try loop.run(shouldStop: shouldStop, onStep: onStep)
        return loop.step >= steps
    }

    private func distil(_ shouldStop: () -> Bool, _ onStep: (TrainingReport) throws -> Void) throws
        -> Bool
    {
        var config = GuidanceDistillationConfig()
        config.steps = guidanceSteps
        let task = try run.guidanceDistillation(
            config, batch: 8, seed: 1, execution: TrainingExecution())
        var settings = TrainingLoopConfig(
            learningRate: LearningRateSchedule(
                peak: 2e-4, final: 1e-5, warmupSteps: 50, decayStart: 0.4))
        settings.averaging = 0.99
        let loop = try TrainingLoop(task, config: settings, folder: run.guidanceState)
        try loop.run(shouldStop: shouldStop, onStep: onStep)
        return loop.step >= guidanceSteps
    }
}
