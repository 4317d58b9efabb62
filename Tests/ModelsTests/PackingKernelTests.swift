import Checkpoints
import Foundation
import Models
import TestSupport
import Testing
import Torch
import TorchNN

/// A transformer whose base patches are those of the golden; all else is drawn.
private struct GoldenPatches: WeightSource {
    let golden: SafetensorsFile
    let others: RandomWeights

    func tensor(_ name: String, shape: [Int], initialization: Initialization) throws -> Tensor {
        contains(name)
            ? try golden.tensor(name)
            : try others.tensor(name, shape: shape, initialization: initialization)
    }

    func contains(_ name: String) -> Bool {
        name.hasPrefix("clean_x_embedder.") ? false : golden.names.contains(name)
    }
}

@Suite struct PackingKernelTests {
    private static let cases: [(kernel: String, averaging: TailAveraging?)] = [
        ("k1", nil), ("k2", nil), ("k4", nil), ("k8", nil), ("k16", nil), ("k1h4w4", nil),
        ("k4", .eachFrame), ("k4", .allFrames),
    ]

    private static let config: TransformerConfig = {
        var config = TransformerConfig()
        (config.headCount, config.headSize, config.rotaryAxes) = (2, 16, [4, 6, 6])
        (config.doubleBlockCount, config.singleBlockCount, config.refinerBlockCount) = (1, 1, 1)
        (config.textSize, config.pooledSize, config.imageSize) = (12, 6, 10)
        config.packingKernels =
            [1, 2, 4, 8].map { PatchKernel(rate: $0) }
            + [PatchKernel(frames: 1, height: 4, width: 4)]
        return config
    }()

    private func input(_ groups: [PackedGroup], height: Int, width: Int) throws
        -> TransformerInput
    {
        TransformerInput(
            latents: try .zeros([1, 16, 1, height, width]), timestep: try Tensor([500] as [Float]),
            guidance: try Tensor([1000] as [Float]), indices: .shared([0]),
            context: PackedContext(groups),
            conditioning: Conditioning(
                promptEmbeds: try .zeros([1, 1, 12]), pooled: try .zeros([1, 6])))
    }

    @Test(arguments: cases.indices) func tokensAndPhasesAreTheReferences(number: Int) throws {
        let golden = try SafetensorsFile(Fixtures.url("packing/kernels.safetensors"))
        let source = KernelInitialization(
            GoldenPatches(golden: golden, others: try RandomWeights(seed: 1)), config: Self.config)
        let model = try Transformer(Self.config, Weights(source))
        let (name, averaging) = Self.cases[number]
        let kernel = try #require(PatchKernel(name: name))
        let indices = try golden.tensor("\(number).indices").array(Int64.self).map { Int($0) }
        let latents = try golden.tensor("\(number).latents").to(.float32)
        let group = PackedGroup(
            kernel, averaging: averaging, ContextFrames(latents, .shared(indices)))
        let streams = try model.embed(
            input([group], height: latents.dim(3), width: latents.dim(4)))
        let tokens = try golden.tensor("\(number).tokens")
        try expectClose(
            streams.x.narrow(1, 0, tokens.dim(1)), tokens, absolute: 2e-6, relative: 1e-4,
            "\(name) tokens")
        let phases = try golden.tensor("\(number).phases")
        #expect(phases.dim(1) == tokens.dim(1))
        #expect(streams.x.dim(1) == tokens.dim(1) + latents.dim(3) * latents.dim(4) / 4)
        try expectClose(
            streams.rotaryRows().narrow(1, 0, tokens.dim(1)), phases, absolute: 2e-6,
            "\(name) phases")
    }

    /// Downsampling does what a layer of its own does as the paper initializes it.
    @Test(arguments: ["k1h4w4", "k1h2w4", "k2h8w4", "k8", "k16", "k16h2w2"])
    func downsampledKernelsAreAsALayerBegins(_ name: String) throws {
        let kernel = try #require(PatchKernel(name: name))
        var (layered, downsampled) = (Self.config, Self.config)
        layered.packingKernels = TransformerConfig.releasedKernels + [kernel]
        downsampled.packingKernels = TransformerConfig.releasedKernels
        downsampled.downsampledKernels = [kernel]
        func tokens(_ config: TransformerConfig) throws -> Tensor {
            let golden = try SafetensorsFile(Fixtures.url("packing/kernels.safetensors"))
            let source = KernelInitialization(
                GoldenPatches(golden: golden, others: try RandomWeights(seed: 1)), config: config)
            let latents = try Tensor.randn([1, 16, 16, 32, 32], generator: Generator(seed: 4))
            let frames = ContextFrames(latents, .shared(Array(0..<16)))
            let model = try Transformer(config, Weights(source))
            return try model.embed(input([PackedGroup(kernel, frames)], height: 32, width: 32)).x
        }
        try expectClose(
            tokens(downsampled), tokens(layered), absolute: 2e-6, relative: 1e-4, "\(name)")
    }

    @Test func groupsAreLaidOutFromTheCoarsestOn() throws {
        let model = try Transformer(Self.config, Weights(RandomWeights(seed: 1)))
        func group(_ rate: Int, _ index: Int) throws -> PackedGroup {
            PackedGroup(
                PatchKernel(rate: rate),
                ContextFrames(
                    try .full([1, 16, rate, 16, 16], Double(index)),
                    .shared(Array(index..<(index + rate)))))
        }
        let groups = try [group(1, 0), group(2, 1), group(2, 3), group(8, 5)]
        let streams = try model.embed(input(groups, height: 16, width: 16))
        let alone = try groups.map { try model.embed(input([$0], height: 16, width: 16)).x }
        // One token of k8, twice 16 of k2 in the order given, 64 of k1, 64 of the section.
        #expect(streams.x.dim(1) == 1 + 16 + 16 + 64 + 64)
        try expectClose(streams.x.narrow(1, 0, 1), alone[3].narrow(1, 0, 1), absolute: 0)
        try expectClose(streams.x.narrow(1, 1, 16), alone[1].narrow(1, 0, 16), absolute: 0)
        try expectClose(streams.x.narrow(1, 17, 16), alone[2].narrow(1, 0, 16), absolute: 0)
        try expectClose(streams.x.narrow(1, 33, 64), alone[0].narrow(1, 0, 64), absolute: 0)
    }

    @Test func aKernelThatTheModelLacksIsNamed() throws {
        var config = Self.config
        config.packingKernels = TransformerConfig.releasedKernels
        let frames = ContextFrames(try .zeros([1, 16, 8, 16, 16]), .shared(Array(0..<8)))
        let input = try input(
            [PackedGroup(PatchKernel(rate: 8), frames)], height: 16, width: 16)
        let error = #expect(throws: ModelError.self) { try input.validate(for: config) }
        #expect(error?.description.contains("k8") == true)
        #expect(error?.description.contains("k1, k2 and k4") == true)
    }

    @Test func configurationsNameTheirKernels() throws {
        let data = try JSONEncoder().encode(Self.config)
        let read = try TransformerConfig(json: data)
        #expect(read.packingKernels == Self.config.packingKernels)
        #expect(read.encodes(PatchKernel(rate: 16)) && !read.encodes(PatchKernel(rate: 32)))
        let old = try TransformerConfig(json: Data("{\"has_clean_x_embedder\": true}".utf8))
        #expect(old.packingKernels == TransformerConfig.releasedKernels)
        // A model may average latents for more kernels than the paper does.
        var averaged = TransformerConfig()
        #expect(!averaged.encodes(PatchKernel(rate: 16)))
        averaged.downsampledKernels = [8, 16].map { PatchKernel(rate: $0) }
        #expect(
            averaged.encodes(PatchKernel(rate: 16))
                && averaged.kernelNames == "k1, k2, k4, k8 and k16")
        #expect(try TransformerConfig(json: JSONEncoder().encode(averaged)) == averaged)
        averaged.downsampledKernels = [PatchKernel(frames: 1, height: 4, width: 8)]
        #expect(averaged.encodes(PatchKernel(frames: 1, height: 4, width: 8)))
        #expect(!averaged.encodes(PatchKernel(frames: 1, height: 4, width: 4)))
        // A patch finer than the finest layer's cannot be had of means.
        #expect(throws: ModelError.self) {
            try TransformerConfig(json: Data("{\"downsampled_kernels\": [\"k1h1w2\"]}".utf8))
        }
        for wrong in ["[\"k3\"]", "[\"k1\", \"k1\"]", "[\"k1h1w2\"]"] {
            #expect(throws: ModelError.self) {
                try TransformerConfig(json: Data("{\"packing_kernels\": \(wrong)}".utf8))
            }
        }
    }

    @Test func kernelNamesAreReadAndWritten() {
        for name in ["k1", "k2", "k16", "k1h4w4", "k2h2w8"] {
            #expect(PatchKernel(name: name)?.description == name)
        }
        #expect(PatchKernel(name: "k2h4w4")?.description == "k2")
        for name in ["", "k", "k0", "k3", "k1h2", "k1h2w3", "k8192", "1", "k1w2h2"] {
            #expect(PatchKernel(name: name) == nil)
        }
    }
}
