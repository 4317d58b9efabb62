import Models
import TestSupport
import Testing
import Torch
import TorchNN

/// The VAE's fused way against the reference's operations one by one.
///
/// Norms, activations and edges are joined there, and repeated pixels are never made.
@Suite struct VAEKernelTests {
    private static let config = VAEConfig(
        blockOutChannels: [32, 32, 64, 64], layersPerBlock: 1, normNumGroups: 8)

    private func vae(_ config: VAEConfig = config) throws -> VAE {
        try VAE(config, Weights(RandomWeights(seed: 5)))
    }

    private func random(_ shape: [Int], _ seed: UInt64) throws -> Tensor {
        try Tensor.randn(shape, generator: Generator(seed: seed))
    }

    /// |a - b| / |b|.
    private func error(_ a: Tensor, _ b: Tensor) throws -> Double {
        let (a, b) = (try a.to(.float64), try b.to(.float64))
        return try ((a - b).square().sum().item() / b.square().sum().item()).squareRoot()
    }

    /// Checks that both ways give the same in float32, and that in bfloat16 the fused one is as near
    /// to it as the plain one.
    private func check(_ x: Tensor, _ run: (Tensor) throws -> Tensor) throws {
        let truth = try Kernels.plainly { try run(x) }
        let half = try Kernels.plainly { try error(run(x.to(.bfloat16)), truth) }
        try withoutGradients {
            #expect(try error(run(x), truth) < 2e-5)
            let fused = try run(x.to(.bfloat16))
            #expect(fused.dtype == .bfloat16)
            let own = try error(fused, truth)
            print("    fused \(own), plain \(half)")
            #expect(own < 1.1 * half)
        }
    }

    @Test("Decoding", arguments: [[1, 16, 4, 3, 5], [2, 16, 1, 4, 4], [1, 16, 7, 2, 3]])
    func decoding(_ shape: [Int]) throws {
        let vae = try vae()
        try check(random(shape, 1)) { try vae.decode($0) }
    }

    @Test("Decoding where time and space are scaled in other levels")
    func factors() throws {
        var config = Self.config
        config.temporalCompressionRatio = 2
        let vae = try vae(config)
        try check(random([1, 16, 3, 2, 4], 2)) { try vae.decode($0, tiling: .none) }
    }

    @Test("Encoding", arguments: [[1, 3, 9, 24, 16], [2, 3, 1, 48, 64]])
    func encoding(_ shape: [Int]) throws {
        let vae = try vae()
        try check(random(shape, 3)) { try vae.encode($0).mean }
    }

    /// Decodes latents some frames at a time.
    private func decoded(_ latents: Tensor, in pieces: [Int], by vae: VAE) throws -> Tensor {
        let stream = VAEStream()
        var start = 0
        return try .cat(
            pieces.map { count in
                defer { start += count }
                return try vae.decode(latents.narrow(2, start, count), stream: stream)
            }, axis: 2)
    }

    @Test("Decoding piece by piece", arguments: [[1, 3, 2], [5], [2, 1, 1]])
    func stream(_ pieces: [Int]) throws {
        let vae = try vae()
        try check(random([1, 16, pieces.reduce(0, +), 3, 4], 4)) {
            try decoded($0, in: pieces, by: vae)
        }
    }

    /// Runs as it is, and in pieces of a row or some more; both are held against the truth, and
    /// against each other.
    private func checkPieces(_ x: Tensor, _ run: (Tensor) throws -> Tensor) throws {
        for bytes in [1, 20_000, 60_000] {
            try VAEPieces.$bytes.withValue(bytes) { try check(x, run) }
            try withoutGradients {
                let pieces = try VAEPieces.$bytes.withValue(bytes) { try run(x) }
                #expect(try error(pieces, run(x)) < 2e-6)
            }
        }
    }

    @Test("Decoding in pieces of rows", arguments: [[1, 16, 4, 3, 5], [2, 16, 1, 4, 4]])
    func decodingInPieces(_ shape: [Int]) throws {
        let vae = try vae()
        let latents = try random(shape, 1)
        let before = try latents.clone()
        try checkPieces(latents) { try vae.decode($0) }
        // Results take the place of what the network made, never of what it was given.
        #expect(try (latents - before).abs().max().item() == 0)
    }

    @Test("Encoding in pieces of rows", arguments: [[1, 3, 9, 24, 16], [2, 3, 1, 48, 64]])
    func encodingInPieces(_ shape: [Int]) throws {
        let vae = try vae()
        let video = try random(shape, 3)
        let before = try video.clone()
        try checkPieces(video) { try vae.encode($0).mean }
        #expect(try (video - before).abs().max().item() == 0)
    }

    @Test("Decoding a stream in pieces of rows", arguments: [[1, 3, 2], [2, 1, 1]])
    func streamInPieces(_ pieces: [Int]) throws {
        let vae = try vae()
        try checkPieces(random([1, 16, pieces.reduce(0, +), 3, 4], 4)) {
            try decoded($0, in: pieces, by: vae)
        }
    }

    @Test("What was derived from weights follows them when they change")
    func changedWeights() throws {
        let store = ParameterStore()
        let vae = try VAE(Self.config, Weights(RandomWeights(seed: 5), store: store))
        let latents = try random([1, 16, 2, 3, 3], 6)
        func difference() throws -> Double {
            try error(
                withoutGradients { try vae.decode(latents) },
                Kernels.plainly { try vae.decode(latents) })
        }
        #expect(try difference() < 2e-5)
        // In place, as an optimizer does, and by another tensor, as averaged weights come.
        let names = ["decoder.up_blocks.0.upsamplers.0.conv.conv", "decoder.conv_in.conv"]
        for name in names {
            let weight = try #require(store[name + ".weight"])
            try withoutGradients { try weight.value.copy(from: weight.value * -0.5) }
            #expect(try difference() < 2e-5)
            weight.value = try weight.value.flip([0])
            #expect(try difference() < 2e-5)
        }
    }
}
