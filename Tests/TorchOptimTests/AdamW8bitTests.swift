import Foundation
import TestSupport
import Testing
import Torch
import TorchNN
import TorchOptim

@Suite struct AdamW8bitTests {
    private static let shape = [65, 70]

    /// The formula of the script that made the fixture.
    private func start(_ shape: [Int]) throws -> Tensor {
        let count = shape.reduce(1, *)
        return try Tensor((0..<count).map { Float(sin(0.73 * Double($0))) }, shape)
    }

    private func gradient(_ shape: [Int], step: Int) throws -> Tensor {
        let values = (0..<shape.reduce(1, *)).map { index -> Float in
            if [3, 4].contains(index / 256) { return 0 }
            let size = pow(10, -3 * (Double(index) * 0.618034).truncatingRemainder(dividingBy: 1))
            return Float(size * sin(0.37 * Double(index) + 1.3 * Double(step)))
        }
        return try Tensor(values, shape)
    }

    private func parameters() throws -> [Parameter] {
        [
            Parameter("weight", try start(Self.shape)),
            Parameter("bias", try start([Self.shape[1]])),
        ]
    }

    private func optimizer(_ parameters: [Parameter]) throws -> AdamW8bit {
        try AdamW8bit(
            parameters, learningRate: 1e-2, betas: (0.9, 0.98), weightDecay: 0.05
        ) { _ in true }
    }

    private func step(_ optimizer: any Optimizer, _ number: Int) throws {
        for parameter in optimizer.parameters {
            let gradient = try gradient(parameter.value.shape, step: number)
            try parameter.value.setGradient(gradient.to(parameter.value.dtype))
        }
        try optimizer.step()
    }

    @Test func givesTheNumbersOfBitsandbytes() throws {
        let golden = try Fixtures.tensors("optimizers/adamw8bit.safetensors")
        func wanted(_ name: String) throws -> Tensor { try #require(golden["out.\(name)"]) }
        let parameters = try parameters()
        let optimizer = try optimizer(parameters)
        for number in 0..<6 { try step(optimizer, number) }
        for parameter in parameters {
            try expectClose(
                parameter.value, wanted(parameter.name), absolute: 1e-6, relative: 1e-6,
                "\(parameter.name) after 6 steps")
        }
        let state = try optimizer.state()
        for name in ["first", "second"] {
            let found = try #require(state["weight.\(name)"]).array(UInt8.self)
            let codes = try wanted(name).array(UInt8.self)
            let differing = zip(found, codes).count(where: { $0 != $1 })
            print("    \(name): \(differing) of \(codes.count) codes differ")
            #expect(differing == 0)
            try expectClose(
                #require(state["weight.\(name)_scales"]), wanted("\(name)_scales"), absolute: 0,
                relative: 1e-6, "\(name) scales")
        }
    }

    @Test func theStateTakesTwoBytesAWeightAndSmallTensorsStayExact() throws {
        let matrix = Parameter("matrix", try .zeros([128, 256]))
        let small = Parameter("small", try .zeros([16, 16]))
        let vector = Parameter("vector", try .zeros([5000]))
        let state = try AdamW8bit([matrix, small, vector], learningRate: 1).state()
        func bytes(_ name: String) -> Int {
            state.filter { $0.key.hasPrefix("\(name).") && !$0.key.hasSuffix("step") }
                .reduce(0) { $0 + $1.value.count * $1.value.dtype.size }
        }
        #expect(bytes("matrix") == 128 * 256 * 2 + 2 * 4 * 128)
        #expect(bytes("small") == 16 * 16 * 8)
        #expect(bytes("vector") == 5000 * 8)
    }

    @Test(arguments: [DType.float32, .bfloat16])
    func aContinuedRunGivesTheSameBits(_ dtype: DType) throws {
        func make() throws -> AdamW8bit {
            let parameters = try parameters()
            for parameter in parameters { parameter.value = try parameter.value.to(dtype) }
            return try optimizer(parameters)
        }
        let whole = try make()
        for number in 0..<5 { try step(whole, number) }
        let (stopped, continued) = (try make(), try make())
        for number in 0..<2 { try step(stopped, number) }
        try continued.setState(stopped.state())
        for (target, source) in zip(continued.parameters, stopped.parameters) {
            target.value = try source.value.clone()
        }
        for number in 2..<5 { try step(continued, number) }
        for (a, b) in zip(whole.parameters, continued.parameters) {
            #expect(try a.value.array(Float.self) == b.value.array(Float.self), "\(a.name)")
        }
        let (a, b) = (try whole.state(), try continued.state())
        #expect(a.keys == b.keys)
        for (key, value) in a {
            #expect(try value.array(Float.self) == b[key]?.array(Float.self), "\(key)")
        }
    }

    @Test func aStateOfAnotherTypeIsRefused() throws {
        let optimizer = try optimizer(parameters())
        var state = try optimizer.state()
        state["weight.first"] = try .zeros(Self.shape)
        let error = #expect(throws: OptimizerError.self) { try optimizer.setState(state) }
        #expect(error?.description.contains("weight.first is float32; uint8 is needed") == true)
    }

    @Test func aParameterWithoutAGradientStays() throws {
        let parameters = try parameters()
        let before = try parameters[0].value.clone()
        try optimizer(parameters).step()
        try expectClose(parameters[0].value, before, absolute: 0, relative: 0)
    }

    /// A regression that a network of two layers learns, from the same start.
    private func losses(_ make: ([Parameter]) throws -> any Optimizer) throws -> [Double] {
        let x = try Tensor.randn([256, 64], generator: Generator(seed: 1))
        let teacher = try Tensor.randn([64, 16], generator: Generator(seed: 2)) * 0.2
        let y = try x.matmul(teacher).sin()
        let layers = [
            Parameter("in", try Tensor.randn([64, 128], generator: Generator(seed: 3)) * 0.1),
            Parameter("out", try Tensor.randn([128, 16], generator: Generator(seed: 4)) * 0.1),
        ]
        for layer in layers { try layer.value.setRequiresGradient(true) }
        let optimizer = try make(layers)
        return try (0..<150).map { _ in
            let guess = try x.matmul(layers[0].value).tanh().matmul(layers[1].value)
            let loss = try guess.squaredError(y)
            try loss.backward()
            try optimizer.step()
            try optimizer.clearGradients()
            return try loss.detach().item()
        }
    }

    @Test func theTrainingCurveIsThatOfAdamW() throws {
        let exact = try losses { try AdamW($0, learningRate: 3e-3) }
        let quantised = try losses {
            let optimizer = try AdamW8bit($0, learningRate: 3e-3, quantising: { _ in true })
            #expect(try optimizer.state()["in.first"]?.dtype == .uint8)
            return optimizer
        }
        for step in [0, 10, 50, 149] {
            print("    step \(step): AdamW \(exact[step]), in 8 bits \(quantised[step])")
        }
        for (a, b) in zip(exact, quantised) { #expect(abs(a - b) < 0.02 * exact[0]) }
        #expect(exact[149] < 0.01 * exact[0] && quantised[149] < 0.01 * exact[0])
    }

    @Test(arguments: [true, false])
    func smallStepsAreNotLostInBFloat16(_ rounds: Bool) throws {
        let makers: [([Parameter]) throws -> any Optimizer] = [
            { try AdamW($0, learningRate: 1e-3, weightDecay: 0, roundsStochastically: rounds) },
            { try AdamW8bit($0, learningRate: 1e-3, weightDecay: 0, roundsStochastically: rounds) },
        ]
        for make in makers {
            let weight = Parameter("weight", try .ones([64, 64]).to(.bfloat16))
            let optimizer = try make([weight])
            for _ in 0..<100 {
                try weight.value.setGradient(.ones([64, 64]).to(.bfloat16))
                try optimizer.step()
            }
            let mean = try weight.value.to(.float32).mean().item()
            print("    mean \(mean)")
            #expect(weight.value.dtype == .bfloat16)
            #expect(abs(mean - (rounds ? 0.9 : 1)) < 0.005)
        }
    }
}
