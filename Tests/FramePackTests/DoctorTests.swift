import FramePack
import Models
import Testing
import Torch

@Suite struct DoctorTests {
    @Test func aStepOfTheReleasedModelTakes495TrillionOperations() {
        let cost = SpeedPrediction.StepCost.released
        #expect(abs(cost.linear / 248.5e12 - 1) < 1e-3)
        #expect(abs(cost.attention / 246.6e12 - 1) < 1e-3)
    }

    @Test func framesFollowFromRates() throws {
        let rates = ComputeRates(
            device: "gpu", dtype: "bf16", matmul: 790e12, attention: 660e12, convolution: 300e12)
        let found = SpeedPrediction(
            .released, decoding: try .released(), steps: 25, window: 9, rates: rates)
        #expect(abs(found.secondsPerStep - 0.688) < 1e-3)
        #expect(abs(found.secondsPerFrame - found.decodingSeconds - 0.478) < 1e-3)
    }

    /// Counted by hand for a VAE of one level, which neither grows space nor time.
    @Test func decodingIsCountedLayerByLayer() {
        var config = VAEConfig(blockOutChannels: [8], layersPerBlock: 1, normNumGroups: 4)
        (config.spatialCompressionRatio, config.temporalCompressionRatio) = (1, 1)
        let cost = config.decodingOperations(latents: 2, height: 3, width: 5)
        // conv_in and conv_out; two blocks in the middle and two in the level; the pointwise ones.
        let taps = 27 * (16 * 8 + 8 * 3 + 4 * 2 * 8 * 8) + 16 * 16 + 4 * 8 * 8
        #expect(cost.convolution == Double(2 * taps * 2 * 3 * 5))
        #expect(cost.attention == Double(4 * 15 * 15 * 3 * 8))
    }

    @Test func overlappingWindowsAreDecodedOnce() throws {
        let released = try DecodingCost.released()
        print(
            "    decoding a frame of the released model: \(released.convolutionPerFrame / 1e12) T")
        let apart = VAEConfig().decodingOperations(latents: 5, height: 80, width: 76)
        // A window of 5 latents gives 17 frames; they overlap, but by less than a half.
        #expect(released.convolutionPerFrame > apart.convolution / 17)
        #expect(released.convolutionPerFrame < apart.convolution / 17 * 3)
    }

    @Test func processorFeaturesAreRead() {
        let text = """
            processor\t: 0
            model name\t: Some Processor 9
            flags\t\t: fpu avx2 avx512f avx512_bf16 avx_vnni
            """
        let processor = Processor(cpuInfo: text, cores: 2)
        #expect(processor.name == "Some Processor 9")
        #expect(
            processor.features == [
                "AVX2": true, "AVX512": true, "AVX512-BF16": true, "VNNI": true, "AMX": false,
            ])
        #expect(Processor(cpuInfo: "", cores: 1).name == "unknown")
    }

    @Test func theBlockIsItselfInFloat32() throws {
        let check = try BlockCheck.run(on: .cpu, dtype: .float32)
        #expect(check.relativeError < 1e-6)
        let half = try BlockCheck.run(on: .cpu, dtype: .bfloat16)
        #expect(half.relativeError > 1e-5 && half.isGood)
    }
}
