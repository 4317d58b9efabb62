import Checkpoints
import Foundation
import Models
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct VAETests {
    /// Every stored case; those without a video or without latents show one direction only.
    static let cases =
        ["goldens/vae/f9.safetensors"]
        + [
            "f1", "f5_b2", "f17", "f33", "f33_whole", "f45", "f25_frames8", "f29_frames12",
            "space_encode", "space_decode", "space_uneven", "space_time", "space_time_encode",
            "small_activations",
        ].map { "vae/\($0).safetensors" }

    @Test func everyStoredCaseIsTried() throws {
        let stored = try FileManager.default.contentsOfDirectory(
            atPath: Fixtures.url("vae").path
        ).filter { $0.hasSuffix(".safetensors") }.map { "vae/\($0)" }
        #expect(Set(stored).isSubset(of: Self.cases))
    }

    @Test(arguments: cases) func encodesAsTheReference(_ path: String) throws {
        let golden = try VAEFixture(path)
        guard let video = golden.tensors["in.video"] else { return }
        let absolute = path.contains("small_activations") ? 2e-6 : 2e-5
        func wanted(_ name: String) throws -> Tensor { try #require(golden.tensors[name]) }
        try withoutGradients {
            let moments = try golden.vae.encode(video, tiling: golden.tiling)
            try expectClose(moments.mean, wanted("out.mean"), absolute: absolute, "mean")
            try expectClose(
                moments.logVariance, wanted("out.logvar"), absolute: absolute, "logvar")
            let sample = try moments.sample(wanted("in.eps")) * golden.vae.config.scalingFactor
            try expectClose(sample, wanted("out.sample_scaled"), absolute: absolute, "sample")
        }
    }

    @Test(arguments: cases) func decodesAsTheReference(_ path: String) throws {
        let golden = try VAEFixture(path)
        guard let latents = golden.tensors["in.latents"] else { return }
        let absolute = path.contains("small_activations") ? 2e-6 : 2e-5
        let wanted = try #require(golden.tensors["out.decoded"])
        try withoutGradients {
            let decoded = try golden.vae.decode(latents, tiling: golden.tiling)
            try expectClose(decoded, wanted, absolute: absolute, "decoded")
        }
    }

    @Test func namesAndShapesAreThoseOfTheReleasedFolder() throws {
        let folder = Fixtures.url("released/vae")
        let config = try CheckpointFolder.json(VAEConfig.self, in: folder)
        #expect(config == VAEConfig())
        let store = ParameterStore()
        _ = try VAE(config, Weights(ShapesOnly(), store: store))
        let data = try Data(contentsOf: folder.appendingPathComponent("expected.json"))
        let expected = try JSONDecoder().decode([String: [Int]].self, from: data)
        #expect(expected.count == 248)
        #expect(store.tensors.mapValues(\.shape) == expected)
    }

    /// So that a run can be ended in the middle of a picture of a large model.
    @Test func everyConvolutionCanEndThePass() throws {
        struct Enough: Error {}
        let golden = try VAEFixture("vae/f33_whole.safetensors")
        let latents = try #require(golden.tensors["in.latents"]).narrow(2, 0, 2)
        let video = try Tensor.zeros([1, 3, 5, 32, 32])
        try withoutGradients {
            var calls = 0
            func count(_ body: (@escaping () throws -> Void) throws -> Void) rethrows -> Int {
                calls = 0
                try body { calls += 1 }
                return calls
            }
            let decoding = try count { _ = try golden.vae.decode(latents, onProgress: $0) }
            let encoding = try count { _ = try golden.vae.encode(video, onProgress: $0) }
            print("    \(decoding) calls while decoding, \(encoding) while encoding")
            #expect(decoding > 20 && encoding > 15)
            calls = 0
            #expect(throws: Enough.self) {
                _ = try golden.vae.decode(
                    latents,
                    onProgress: {
                        calls += 1
                        if calls == 10 { throw Enough() }
                    })
            }
            #expect(calls == 10)
        }
    }

    @Test func aMissingWeightIsNamed() throws {
        try withChangedWeights({ $0["quant_conv.bias"] = nil }) { error in
            #expect(error.contains("lacks the tensor quant_conv.bias"))
        }
    }

    @Test func aMisshapenWeightIsNamedWithBothShapes() throws {
        let name = "decoder.mid_block.attentions.0.to_q.weight"
        try withChangedWeights({ $0[name] = try $0[name]?.narrow(0, 0, 3) }) { error in
            for part in [name, "[3, 16]", "[16, 16]"] { #expect(error.contains(part)) }
        }
    }

    @Test func aWeightWithoutALayerIsNamed() throws {
        try withChangedWeights({ $0["decoder.extra.weight"] = try .zeros([2]) }) { error in
            #expect(error.contains("decoder.extra.weight"))
        }
    }

    /// Loads a copy of the tiny model with other weights, which must fail.
    private func withChangedWeights(
        _ change: (inout [String: Tensor]) throws -> Void, _ check: (String) -> Void
    ) throws {
        try withTemporaryFolder { folder in
            let model = Fixtures.url("vae/model")
            let file = "diffusion_pytorch_model.safetensors"
            var tensors = try SafetensorsFile(model.appendingPathComponent(file)).tensors()
            try change(&tensors)
            try writeSafetensors(tensors, to: folder.appendingPathComponent(file))
            let config = try CheckpointFolder.json(VAEConfig.self, in: model)
            let error = #expect(throws: CheckpointError.self) {
                let source = CheckpointWeights(try CheckpointFolder(folder))
                _ = try VAE(config, Weights(source))
                try source.checkAllUsed()
            }
            check(error?.description ?? "")
        }
    }
}
