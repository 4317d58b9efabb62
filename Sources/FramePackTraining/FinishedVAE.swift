import Checkpoints
public import FramePack
public import Models
public import Torch
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

/// The parameters of one store as a source for another model.
public struct StoredWeights: WeightSource {
    private let store: ParameterStore

    /// Reads from a store.
    public init(_ store: ParameterStore) { self.store = store }

    /// The parameter's own tensor.
    public func tensor(_ name: String, shape: [Int], initialization: Initialization) throws
        -> Tensor
    {
        guard let value = store[name]?.value, value.shape == shape else {
            throw TrainingError("the store has no \(name) of shape \(shape)")
        }
        return value
    }

    /// Whether the store has that parameter.
    public func contains(_ name: String) -> Bool { store[name] != nil }
}
