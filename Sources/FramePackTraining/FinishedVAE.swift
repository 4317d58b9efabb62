import Checkpoints
import Foundation
public import FramePack
public import Models
public import TorchNN

/// A trained VAE with its latents normalised, and what was measured on it.
public struct FinishedVAE {
    /// The configuration with the fitted scaling factor.
    public let config: VAEConfig
    /// The weights.
    public let store: ParameterStore
    /// The map from latents to colours.
    public let colours: LatentPreview.Map
    /// What it can carry.
    public let gate: VAEGate

    /// Takes the averaged weights of a run, folds the latents' statistics in and measures.
    ///
    /// - Parameter clips: Scenes that training did not see are drawn from its end.
    public init(_ averages: AveragedWeights, model: VAEConfig, clips: WorldClips) throws {
        let fresh = ParameterStore()
        let trained = try VAE(model, Weights(averages, store: fresh))
        let numbers = 900_000_000..<900_000_024
        let samples = try numbers.map { number in
            try clips.render([clips.scene(number)], starts: [0], count: 33)
        }
        let statistics = try LatentStatistics(trained, samples)
        config = try normalizeLatents(fresh, model, statistics)
        store = fresh
        let vae = try VAE(config, Weights(StoredWeights(fresh)))
        colours = try LatentPreview.Map(vae, samples)
        gate = try VAEGate(vae, clips, numbers: 900_001_000..<900_001_040, frames: 73)
    }
}

extension TrainingRun {
    /// Takes the trained VAE into the run's model, beside it what was measured: `vae-gate.json` and
    /// `colours.json`.
    ///
    /// - Throws: `CheckpointError` if there is no trained VAE, or for a file that cannot be written.
    public func finishVAE(_ config: VAEConfig, side: Int) throws -> FinishedVAE {
        let finished = try FinishedVAE(
            AveragedWeights(vaeState), model: config, clips: WorldClips(side: side, seed: 7))
        try writeNetwork(
            finished.store, stem: "diffusion_pytorch_model", config: finished.config,
            to: model.appendingPathComponent("vae"))
        try writeJSON(finished.gate, to: folder.appendingPathComponent("vae-gate.json"))
        try writeJSON(finished.colours, to: folder.appendingPathComponent("colours.json"))
        return finished
    }
}
