import TestSupport
import Testing
import Torch
import TorchNN
import TorchOptim

@Suite struct AdamWTests {
    @Test func givesTheNumbersOfTorch() throws {
        let golden = try OptimizerCase("adamw")
        try golden.run(
            AdamW(golden.parameters, learningRate: 1e-2, weightDecay: 0.01) { _ in true })
    }

    @Test func givesThemWithOtherSettingsToo() throws {
        let golden = try OptimizerCase("adamw_other")
        try golden.run(
            AdamW(
                golden.parameters, learningRate: 3e-2, betas: (0.8, 0.95), eps: 1e-5,
                weightDecay: 0.3
            ) { _ in true })
    }

    @Test func vectorsDoNotDecayUnlessToldSo() throws {
        let golden = try OptimizerCase("adamw")
        let before = try golden.parameters.map { try $0.value.clone() }
        let optimizer = try AdamW(golden.parameters, learningRate: 0.1, weightDecay: 0.5)
        for parameter in golden.parameters {
            try parameter.value.setGradient(parameter.value.zerosLike())
        }
        try optimizer.step()
        try expectClose(golden.parameters[0].value, before[0] * 0.95, "matrix")
        try expectClose(golden.parameters[1].value, before[1], absolute: 0, relative: 0, "vector")
    }

    @Test func aParameterWithoutAGradientStays() throws {
        let golden = try OptimizerCase("adamw")
        let before = try golden.parameters[0].value.clone()
        let optimizer = try AdamW(golden.parameters, learningRate: 0.1)
        try golden.parameters[1].value.setGradient(golden.parameters[1].value.onesLike())
        try optimizer.step()
        try expectClose(golden.parameters[0].value, before, absolute: 0, relative: 0)
    }

    @Test(arguments: [DType.float32, .bfloat16])
    func aContinuedRunGivesTheSameBits(_ dtype: DType) throws {
        try OptimizerCase.checkResuming("adamw", dtype: dtype) {
            try AdamW($0, learningRate: 1e-2)
        }
    }

    @Test func aStateThatLacksAMomentIsRefusedAndChangesNothing() throws {
        let golden = try OptimizerCase("adamw")
        let optimizer = try AdamW(golden.parameters, learningRate: 1e-2)
        var state = try optimizer.state().mapValues { try $0.onesLike() }
        state["weight.second"] = nil
        let lacking = #expect(throws: OptimizerError.self) { try optimizer.setState(state) }
        #expect(lacking?.description.contains("lacks weight.second") == true)
        state["weight.second"] = try .zeros([2])
        let misshapen = #expect(throws: OptimizerError.self) { try optimizer.setState(state) }
        #expect(misshapen?.description.contains("[2]; [6, 5] is needed") == true)
        for value in try optimizer.state().values { #expect(try value.abs().max().item() == 0) }
    }

    @Test func parametersInOtherTypesAreRefused() throws {
        let half = Parameter("half.weight", try .zeros([2, 2], dtype: .float16))
        for make in [
            { try AdamW([half], learningRate: 1) as any Optimizer },
            { try AdamW8bit([half], learningRate: 1) as any Optimizer },
        ] {
            let error = #expect(throws: OptimizerError.self) { try make() }
            #expect(error?.description.contains("half.weight is float16") == true)
        }
    }
}
