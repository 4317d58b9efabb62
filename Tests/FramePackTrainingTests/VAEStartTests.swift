import FramePack
import FramePackTraining
import Models
import TestSupport
import Testing
import Torch
import TorchNN
import ToyWorld

@Suite struct VAEStartTests {
    /// The share of the colours' variance that a linear map from latents explains.
    private func explained(_ vae: VAE) throws -> Double {
        let clips = WorldClips(side: 32, seed: 5)
        let samples = try (0..<12).map { number in
            try clips.render([clips.scene(number)], starts: [0], count: 1)
        }
        let map = try LatentPreview.Map(vae, samples)
        let (fit, total) = try withoutGradients {
            try samples.reduce((0.0, 0.0)) { sums, clip in
                let latents = try vae.encode(clip.video).mean * vae.config.scalingFactor
                let factors = try Tensor(
                    map.weights.flatMap { $0.map(Float.init) }, [map.weights.count, 3])
                let colours = try (clip.video.averagePool3d([1, 8, 8]) + 1) * 0.5
                let rows = try latents.transpose(0, 1).flatten(1).transpose(0, 1)
                let predicted =
                    try rows.matmul(factors)
                    + Tensor(map.bias.map(Float.init), [1, 3])
                let wanted = try colours.transpose(0, 1).flatten(1).transpose(0, 1)
                // What colour is beyond brightness: the hard part.
                let hue = try wanted - wanted.mean([1], keepAxes: true)
                let seen = try predicted - predicted.mean([1], keepAxes: true)
                return (
                    sums.0 + (try (hue - seen).square().sum().item()),
                    sums.1 + (try hue.square().sum().item())
                )
            }
        }
        return 1 - fit / total
    }

    @Test func freshWeightsPassHuesThrough() throws {
        let config = VAEConfig(
            blockOutChannels: [16, 16, 32, 32], layersPerBlock: 1, normNumGroups: 4)
        let task = try VAETraining(
            VAETrainingConfig(), model: config, worlds: [(.simple, 1)], seed: 3)
        let prepared = try VAE(config, Weights(StoredWeights(task.store)))
        let usual = try VAE(config, Weights(RandomWeights(seed: 3)))
        let (new, old) = (try explained(prepared), try explained(usual))
        print("hue explained by fresh latents: \(new), with the usual weights \(old)")
        #expect(new > 2 * old)
        #expect(new > 0.25)
    }
}
