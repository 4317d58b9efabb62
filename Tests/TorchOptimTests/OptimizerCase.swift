import TestSupport
import Testing
import Torch
import TorchNN
import TorchOptim

/// Five stored steps of a reference's optimizer: gradients before, values after each.
struct OptimizerCase {
    let name: String
    let parameters: [Parameter]
    private let tensors: [String: Tensor]

    init(_ name: String) throws {
        self.name = name
        tensors = try Fixtures.tensors("optimizers/optimizers.safetensors")
        parameters = try ["weight", "bias"].map { key in
            Parameter(key, try #require(tensors["in.\(key)"]).clone())
        }
    }

    /// One step with the stored gradients.
    func step(_ optimizer: any Optimizer, _ number: Int) throws {
        for parameter in parameters {
            let gradients = try #require(tensors["out.\(name).\(parameter.name)_gradient"])
            try parameter.value.setGradient(
                gradients.select(0, number).clone().to(parameter.value.dtype))
        }
        try optimizer.step()
    }

    /// Holds the parameters against those after a step.
    func check(_ number: Int) throws {
        for parameter in parameters {
            let wanted = try #require(tensors["out.\(name).\(parameter.name)"])
            try expectClose(
                parameter.value, wanted.select(0, number), absolute: 1e-6, relative: 1e-6,
                "\(name), \(parameter.name) after step \(number + 1)")
        }
    }

    /// All five steps.
    func run(_ optimizer: any Optimizer) throws {
        for number in 0..<5 {
            try step(optimizer, number)
            try check(number)
        }
    }

    /// That a run continued from a stored state gives the same bits as an undisturbed one.
    static func checkResuming(
        _ name: String, dtype: DType = .float32, _ make: ([Parameter]) throws -> any Optimizer
    ) throws {
        let whole = try OptimizerCase(name)
        let first = try OptimizerCase(name)
        let second = try OptimizerCase(name)
        for parameter in whole.parameters + first.parameters + second.parameters {
            parameter.value = try parameter.value.to(dtype)
        }
        let undisturbed = try make(whole.parameters)
        for number in 0..<5 { try whole.step(undisturbed, number) }

        let stopped = try make(first.parameters)
        for number in 0..<2 { try first.step(stopped, number) }
        let continued = try make(second.parameters)
        try continued.setState(stopped.state())
        for (target, source) in zip(second.parameters, first.parameters) {
            target.value = try source.value.clone()
        }
        for number in 2..<5 { try second.step(continued, number) }
        for (a, b) in zip(whole.parameters, second.parameters) {
            #expect(try a.value.array(Float.self) == b.value.array(Float.self), "\(a.name)")
        }
        let (a, b) = (try undisturbed.state(), try continued.state())
        #expect(a.keys == b.keys)
        for (key, value) in a {
            #expect(try value.array(Float.self) == #require(b[key]).array(Float.self), "\(key)")
        }
    }
}
