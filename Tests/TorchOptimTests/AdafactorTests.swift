import TestSupport
import Testing
import Torch
import TorchNN
import TorchOptim

@Suite struct AdafactorTests {
    private func check(
        _ name: String, learningRate: Double = 1e-2, _ change: (inout Adafactor.Options) -> Void
    ) throws {
        let golden = try OptimizerCase("transformers_adafactor_\(name)")
        var options = Adafactor.Options()
        change(&options)
        try golden.run(
            Adafactor(golden.parameters, learningRate: learningRate, options: options) { _ in true }
        )
    }

    @Test func givesTheReferencesNumbersWithAFixedStep() throws { try check("fixed") { _ in } }

    @Test func givesThemWithMomentum() throws { try check("beta1") { $0.momentum = 0.9 } }

    @Test func givesThemWithScaledStepsTighterClippingAndDecay() throws {
        try check("scaled") {
            $0.scalesByParameter = true
            $0.clipThreshold = 0.5
            $0.weightDecay = 0.05
        }
    }

    @Test func givesThemWithRelativeStepsThatWarmUp() throws {
        try check("relative", learningRate: 1e9) {
            $0.scalesByParameter = true
            $0.hasRelativeStep = true
            $0.warmsUp = true
        }
    }

    @Test func aMatrixNeedsOneNumberARowAndOneAColumn() throws {
        let kernel = Parameter("kernel", try .zeros([4, 3, 2, 2, 2]))
        let bias = Parameter("bias", try .zeros([4]))
        let state = try Adafactor([kernel, bias], learningRate: 1).state()
        let shapes = state.mapValues(\.shape)
        #expect(
            shapes == [
                "steps": [1], "kernel.rows": [4], "kernel.columns": [24], "bias.second": [4],
            ])
    }

    @Test func aKernelIsChangedLikeTheMatrixOfItsOutputs() throws {
        let values = try Tensor.randn([4, 24], generator: Generator(seed: 1))
        let gradient = try Tensor.randn([4, 24], generator: Generator(seed: 2))
        let matrix = Parameter("w", try values.clone())
        let kernel = Parameter("w", try values.reshape(4, 3, 2, 2, 2).clone())
        for (parameter, shape) in [(matrix, [4, 24]), (kernel, [4, 3, 2, 2, 2])] {
            let optimizer = try Adafactor([parameter], learningRate: 0.1)
            try parameter.value.setGradient(gradient.reshape(shape))
            try optimizer.step()
        }
        try expectClose(
            kernel.value.reshape(4, 24), matrix.value, absolute: 0, relative: 0, "kernel")
    }

    @Test(arguments: [DType.float32, .bfloat16])
    func aContinuedRunGivesTheSameBits(_ dtype: DType) throws {
        try OptimizerCase.checkResuming("transformers_adafactor_beta1", dtype: dtype) {
            var options = Adafactor.Options()
            options.momentum = 0.9
            return try Adafactor($0, learningRate: 1e-2, options: options)
        }
    }

    /// A step of 1e-4 on weights of 1 is far below bfloat16's spacing of 2⁻⁷ there.
    @Test func smallStepsAreNotLostInBFloat16() throws {
        for (rounds, wanted) in [(true, 0.9), (false, 1.0)] {
            var options = Adafactor.Options()
            options.roundsStochastically = rounds
            let weight = Parameter("weight", try .ones([64, 64]).to(.bfloat16))
            let optimizer = try Adafactor([weight], learningRate: 1e-3, options: options)
            for _ in 0..<100 {
                try weight.value.setGradient(.ones([64, 64]).to(.bfloat16))
                try optimizer.step()
            }
            let mean = try weight.value.to(.float32).mean().item()
            print("    mean \(mean), wanted \(wanted)")
            #expect(abs(mean - wanted) < 0.005)
        }
    }

    @Test func roundingAtRandomKeepsTheMeanAndGivesOnlyNeighbours() throws {
        // bfloat16 has 1 and 1 + 2⁻⁷ here; 0.3 of the way.
        let low = 1.0
        let high = 1.0 + 0.0078125
        let value = low + 0.3 * (high - low)
        for sign in [1.0, -1.0] {
            let rounded = try Tensor.full([100_000], sign * value)
                .roundedStochastically(Generator(seed: 3)).array(Double.self)
            #expect(Set(rounded) == [sign * low, sign * high])
            let share = Double(rounded.count(where: { $0 == sign * high })) / Double(rounded.count)
            #expect(abs(share - 0.3) < 0.01, "\(share)")
        }
    }

    @Test func roundingAtRandomKeepsWhatNeedsNoRounding() throws {
        let values: [Float] = [0, 1, -2, 0.5, .infinity, -.infinity]
        let rounded = try Tensor(values).roundedStochastically(Generator(seed: 4))
        #expect(try rounded.array(Float.self) == values)
        let nothing = try Tensor([Float.nan]).roundedStochastically(Generator(seed: 4))
        #expect(try nothing.item().isNaN)
    }
}
