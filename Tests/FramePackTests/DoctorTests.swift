import FramePack
import Testing
import Torch

@Suite struct DoctorTests {
    @Test func aStepOfTheReleasedModelTakes495TrillionOperations() {
        let cost = SpeedPrediction.StepCost.released
        #expect(abs(cost.linear / 248.5e12 - 1) < 1e-3)
        #expect(abs(cost.attention / 246.6e12 - 1) < 1e-3)
    }

    @Test func framesFollowFromRates() throws {
        let rates = ComputeRates(device: "gpu", dtype: "bf16", matmul: 790e12, attention: 660e12)
        let found = SpeedPrediction(.released, steps: 25, window: 9, rates: rates)
        #expect(abs(found.secondsPerStep - 0.688) < 1e-3)
        #expect(abs(found.secondsPerFrame - 0.478) < 1e-3)
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
