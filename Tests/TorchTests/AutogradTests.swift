import Testing
import Torch

@Suite("Gradients")
struct AutogradTests {
    /// Holds the gradient of `function` at `point` against central differences in float64.
    static func check(
        _ shape: [Int], seed: UInt64 = 3, sourceLocation: SourceLocation = #_sourceLocation,
        _ function: (Tensor) throws -> Tensor
    ) throws {
        let point = try Tensor.randn(shape, generator: Generator(seed: seed), dtype: .float64)
        let leaf = try point.clone()
        try leaf.setRequiresGradient(true)
        try function(leaf).backward()
        let found = try #require(try leaf.gradient()).array(Double.self)
        let start = try point.array(Double.self)
        for index in start.indices {
            let step = 1e-6
            var moved = start
            moved[index] = start[index] + step
            let above = try function(Tensor(moved, shape)).item()
            moved[index] = start[index] - step
            let below = try function(Tensor(moved, shape)).item()
            let wanted = (above - below) / (2 * step)
            #expect(
                abs(found[index] - wanted) < 1e-6 * max(1, abs(wanted)),
                "\(index): \(found[index]), wanted \(wanted)", sourceLocation: sourceLocation)
        }
    }

    @Test("Gradients are those of finite differences")
    func finiteDifferences() throws {
        try Self.check([2, 3]) { try ($0.silu() * $0.sin()).sum() }
        try Self.check([2, 3]) { try $0.softmax(1).square().sum() }
        try Self.check([2, 4]) { try $0.layerNorm(4, eps: 1e-5).pow(3).sum() }
        try Self.check([1, 4, 3]) {
            try $0.groupNorm(2, weight: nil, bias: nil, eps: 1e-5).pow(3).sum()
        }
        try Self.check([1, 2, 3, 4]) { try Tensor.attention($0, $0, $0, causal: true).sin().sum() }
        try Self.check([1, 1, 2, 3, 3]) {
            try $0.conv3d(.ones([2, 1, 2, 2, 2], dtype: .float64), nil).sin().sum()
        }
        try Self.check([1, 1, 2, 2, 2]) {
            try $0.pad([1, 0, 0, 1, 2, 0], .replicate).averagePool3d([2, 1, 1]).exp().sum()
        }
        try Self.check([3, 2]) { x in
            let parts = try x.chunk(2, axis: 1)
            return try Tensor.cat([parts[1], -parts[0]], axis: 1).gelu(.tanh)
                .matmul(x.transpose(0, 1)).sum()
        }
    }

    @Test("checkpoint gives the same gradients as a plain pass, and runs its body twice")
    func checkpointing() throws {
        let weight = try values(0.5, -2)
        try weight.setRequiresGradient(true)
        let x = try values(3, 4)
        try x.setRequiresGradient(true)
        func run(_ input: Tensor) throws -> Tensor { try (input * weight).sin() }
        try run(x).sum().backward()
        let wanted = try (x.gradient()?.array(Double.self), weight.gradient()?.array(Double.self))
        try x.setGradient(nil)
        try weight.setGradient(nil)
        #expect(try x.gradient() == nil)
        final class Counter: @unchecked Sendable { var count = 0 }
        let counter = Counter()
        let outputs = try checkpoint([x]) { inputs in
            counter.count += 1
            return [try run(inputs[0])]
        }
        #expect(outputs.count == 1 && counter.count == 1)
        try outputs[0].sum().backward()
        #expect(counter.count == 2)
        #expect(try x.gradient()?.array(Double.self) == wanted.0)
        #expect(try weight.gradient()?.array(Double.self) == wanted.1)
    }

    @Test("What a checkpoint's body throws comes out of checkpoint")
    func checkpointError() throws {
        struct Stop: Error {}
        let x = try values(1)
        try x.setRequiresGradient(true)
        for code in [TorchError.Code.outOfMemory, .invalid] {
            var calls = 0
            let outputs = try checkpoint([x]) { inputs in
                calls += 1
                if calls == 2 { throw TorchError(code, "the second call failed") }
                return inputs
            }
            #expect {
                try outputs[0].sum().backward()
            } throws: { error in
                (error as? TorchError)?.code == code
                    && "\(error)".contains("the second call failed")
            }
            #expect(calls == 2)
        }
        #expect(throws: Stop.self) { _ = try checkpoint([x]) { _ in throw Stop() } }
    }

    @Test("Nothing is recorded where recording is off")
    func recording() throws {
        let x = try values(2)
        try x.setRequiresGradient(true)
        #expect(gradientsEnabled)
        let quiet = try withoutGradients {
            #expect(!gradientsEnabled)
            return try x * 3
        }
        #expect(gradientsEnabled && !quiet.requiresGradient)
        #expect(try (x * 3).requiresGradient)
        #expect(try !x.detach().requiresGradient)
        #expect(message { try quiet.backward() } != "")
    }

    @Test("Gradients of gradients, and of what isn't reached")
    func higher() throws {
        let (x, unused) = (try values(2), try values(1))
        try x.setRequiresGradient(true)
        try unused.setRequiresGradient(true)
        let first = try gradients(
            of: [x.pow(3)], withRespectTo: [x, unused], createGraph: true)
        try expectValues(#require(first[0]), [12])
        #expect(first[1] == nil)
        let second = try gradients(of: [#require(first[0])], withRespectTo: [x])
        try expectValues(#require(second[0]), [12])
    }

    @Test("Gradients add up, and can be set")
    func accumulation() throws {
        let x = try values(2)
        try x.setRequiresGradient(true)
        try x.square().backward()
        try (x * 3).backward(values(2))
        try expectValues(#require(try x.gradient()), [10])
        try x.setGradient(values(1))
        try expectValues(#require(try x.gradient()), [1])
    }
}
