import Checkpoints
import Foundation
import Models
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct VAETests {
    static func model(_ path: String) throws -> VAE {
        let folder = Fixtures.url(path)
        let config = try CheckpointFolder.json(VAEConfig.self, in: folder)
        let source = CheckpointWeights(try CheckpointFolder(folder))
        let vae = try VAE(config, Weights(source))
        try source.checkAllUsed()
        return vae
    }

    @Test func matchesTheProvidedCase() throws {
        let vae = try Self.model("goldens/vae/model")
        let golden = try Fixtures.tensors("goldens/vae/f9.safetensors")
        try withoutGradients {
            let video = try #require(golden["in.video"])
            let moments = try vae.encode(video)
            try expectClose(moments.mean, #require(golden["out.mean"]), "mean")
            try expectClose(moments.logVariance, #require(golden["out.logvar"]), "logvar")
            let sample = try moments.sample(#require(golden["in.eps"])) * vae.config.scalingFactor
            try expectClose(sample, #require(golden["out.sample_scaled"]), "sample")
            let decoded = try vae.decode(#require(golden["in.latents"]))
            try expectClose(decoded, #require(golden["out.decoded"]), "decoded")
        }
    }
}
