import FramePackTraining
import Models
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct LatentFittingTests {
    @Test func normalisingLatentsLeavesThePixelsUnchanged() throws {
        let store = ParameterStore()
        let config = TinyTasks.vaeConfig
        let vae = try VAE(config, Weights(RandomWeights(seed: 2), store: store))
        let clips = WorldClips(side: TinyTasks.side, seed: 4)
        let samples = try (0..<3).map {
            try clips.render([clips.scene($0)], starts: [0], count: 5)
        }
        try withoutGradients {
            let noise = try Tensor.randn([1, 16, 2, 2, 2], generator: Generator(seed: 1))
            func seen(_ vae: VAE) throws -> (decoded: Tensor, drawn: Tensor) {
                let moments = try vae.encode(samples[0].video)
                let scale = vae.config.scalingFactor
                return (
                    try vae.decode(moments.mean * scale),
                    try vae.decode(moments.sample(noise) * scale)
                )
            }
            let before = try seen(vae)
            let statistics = try LatentStatistics(vae, samples)
            let fitted = try normalizeLatents(store, config, statistics)
            let normal = try VAE(fitted, Weights(StoredWeights(store)))
            let after = try seen(normal)
            try expectClose(after.decoded, before.decoded, absolute: 3e-4, "decoded means")
            try expectClose(after.drawn, before.drawn, absolute: 3e-4, "decoded draws")

            // What the transformer sees has mean 0 and deviation 1 in every channel.
            let now = try LatentStatistics(normal, samples)
            for (mean, deviation) in zip(now.means, now.deviations) {
                #expect(abs(mean * fitted.scalingFactor) < 1e-3, "mean \(mean)")
                #expect(abs(deviation * fitted.scalingFactor - 1) < 1e-3, "deviation \(deviation)")
            }
        }
    }

    @Test func aParameterThatIsMissingIsNamed() throws {
        let statistics = try withoutGradients {
            let vae = try VAE(TinyTasks.vaeConfig, Weights(RandomWeights(seed: 2)))
            let clips = WorldClips(side: TinyTasks.side, seed: 4)
            return try LatentStatistics(
                vae, [clips.render([clips.scene(0)], starts: [0], count: 5)])
        }
        let error = #expect(throws: TrainingError.self) {
            try normalizeLatents(ParameterStore(), TinyTasks.vaeConfig, statistics)
        }
        #expect(error?.description.contains("quant_conv.weight") == true)
    }
}
