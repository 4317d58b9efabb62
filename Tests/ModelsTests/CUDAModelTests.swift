import CUDAEmulator
import Models
import TestSupport
import Testing
import Torch
import TorchNN

/// Networks with the kernels for GPUs in the place of the CPU's, against libtorch's plain operations.
@Suite struct CUDAModelTests {
    /// |a - b| / |b|.
    private func error(_ a: Tensor, _ b: Tensor) throws -> Double {
        let (a, b) = (try a.to(.float64), try b.to(.float64))
        return try ((a - b).square().sum().item() / b.square().sum().item()).squareRoot()
    }

    /// Checks that in float32 both ways give the same, that in bfloat16 the kernels' is as near to it as
    /// the plain one, and that all kernels of a list took part.
    private func check(_ kernels: [String], _ run: (DType) throws -> Tensor) throws {
        let truth = try Kernels.plainly { try run(.float32) }
        let bounds: [(DType, Double)] = [
            (.float32, 2e-5),
            (.bfloat16, 1.1 * (try Kernels.plainly { try error(run(.bfloat16), truth) })),
        ]
        for (dtype, bound) in bounds {
            let before = kernels.map { cuda_emulator_launches($0) }
            let found = try CUDAKernels.emulated(by: cuda_emulator_launch) {
                try withoutGradients { try run(dtype) }
            }
            let own = try error(found, truth)
            print("    \(dtype): error \(own), bound \(bound)")
            #expect(own < bound)
            for (kernel, count) in zip(kernels, before) {
                #expect(cuda_emulator_launches(kernel) > count, "\(kernel) took no part")
            }
        }
    }

    @Test("The transformer")
    func transformer() throws {
        let small = try SmallTransformer()
        let prompt = try SmallTransformer.prompt(3, lengths: [4, 6])
        let input = try SmallTransformer.section(2, prompt)
        try check(["norm_modulate", "norm_rotate", "add_product"]) { dtype in
            try small.model(input, Execution(dtype: dtype))
        }
    }

    @Test("The VAE, whole and in pieces of some rows", arguments: [20_000, 64 << 20])
    func vae(_ bytes: Int) throws {
        let config = VAEConfig(
            blockOutChannels: [32, 32, 64, 64], layersPerBlock: 1, normNumGroups: 8)
        let vae = try VAE(config, Weights(RandomWeights(seed: 5)))
        let latents = try Tensor.randn([1, 16, 2, 3, 5], generator: Generator(seed: 1))
        let video = try Tensor.randn([1, 3, 5, 24, 16], generator: Generator(seed: 2))
        let kernels = ["channel_sums", "channel_scales", "frame"]
        try VAEPieces.$bytes.withValue(bytes) {
            try check(kernels) { try vae.decode(latents.to($0)) }
            try check(kernels) { try vae.encode(video.to($0)).mean }
        }
    }
}
