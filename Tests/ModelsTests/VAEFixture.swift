import Checkpoints
import Foundation
import Models
import TestSupport
import Testing
import Torch
import TorchNN

/// A stored case of the VAE: its tensors, its model and how the reference cut it into tiles.
struct VAEFixture {
    let vae: VAE
    let tensors: [String: Tensor]
    let tiling: VAETiling

    init(_ path: String) throws {
        let file = try SafetensorsFile(Fixtures.url(path))
        tensors = try file.tensors()
        // The case that came with the project has no metadata; it lies beside its model.
        let named = file.metadata["model"]?.replacingOccurrences(of: "Tests/Fixtures/", with: "")
        vae = try Self.vae(named ?? "goldens/vae/model")
        tiling = try Self.tiling(file.metadata["options"] ?? "")
    }

    /// The model in a folder below `Tests/Fixtures`, computing in float32.
    static func vae(_ path: String) throws -> VAE {
        let folder = Fixtures.url(path)
        let config = try CheckpointFolder.json(VAEConfig.self, in: folder)
        let source = CheckpointWeights(try CheckpointFolder(folder), dtype: .float32)
        let vae = try VAE(config, Weights(source))
        try source.checkAllUsed()
        return vae
    }

    /// The plan that the probe's options ask for.
    private static func tiling(_ options: String) throws -> VAETiling {
        let words = options.split(separator: " ").map(String.init)
        var tiling = VAETiling.reference
        if words.contains("--no-temporal-tiling") { tiling.frames = nil }
        func axis(_ name: String) throws -> VAETiling.Axis? {
            guard let size = words.firstIndex(of: "--tile-\(name)") else { return nil }
            let stride = try #require(words.firstIndex(of: "--tile-stride-\(name)"))
            return VAETiling.Axis(
                size: try #require(Int(words[size + 1])),
                stride: try #require(Int(words[stride + 1])))
        }
        tiling.frames = try axis("frames") ?? tiling.frames
        tiling.height = try axis("height")
        tiling.width = try axis("width")
        return tiling
    }
}
