import Foundation
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct QuantizationTests {
    /// Gaussian weights, as a trained layer's are.
    private static func weight(_ rows: Int, _ columns: Int) throws -> Tensor {
        try Tensor.randn([rows, columns], generator: Generator(seed: 7)) * 0.03
    }

    /// 10 log₁₀ of a signal's power over its error's.
    private func decibels(_ found: Tensor, _ wanted: Tensor) throws -> Double {
        let wanted = try wanted.to(.float64)
        let noise = try (found.to(.float64) - wanted).square().sum().item()
        let signal = try wanted.square().sum().item()
        return 10 * log10(signal / noise)
    }

    @Test(
        "A rounded weight is as near as its bits allow",
        arguments: zip(
            QuantizationTarget.allCases, [31.3, 31.8, 41.5, 20.7, 44.5, 21.5, 33.5]))
    func error(_ target: QuantizationTarget, _ bound: Double) throws {
        let weight = try Self.weight(48, 1024)
        let rounded = try QuantizedWeight("w", weight, as: target)
        let found = try decibels(rounded.dequantized(to: .float32), weight)
        print("    \(target.rawValue): \(found) dB, \(rounded.bitsPerWeight) bits a weight")
        #expect(found > bound)
        // What is rounded stays when it is rounded again, but for a last bit of the scales.
        let again = try QuantizedWeight("w", rounded.dequantized(to: .float32), as: target)
        let distance = try decibels(
            again.dequantized(to: .float32), rounded.dequantized(to: .float32))
        #expect(distance > found + 3 || distance.isInfinite)
    }

    @Test("Bits of a weight, scales and all")
    func size() throws {
        let weight = try Self.weight(32, 1024)
        func bits(_ target: QuantizationTarget) throws -> Double {
            try QuantizedWeight("w", weight, as: target).bitsPerWeight
        }
        #expect(try bits(.int4) == 4.25)
        #expect(try bits(.q4_k) == 4.5)
        #expect(try bits(.q6_k) == 6.5625)
        #expect(try bits(.q8_0) == 8.5)
        #expect(try bits(.fp8Block) == 8.5)
        #expect(try bits(.int8) == 8.03125)
    }

    @Test(
        "Kernels give what libtorch's operations give, at every level",
        arguments: QuantizationTarget.allCases, [DType.float32, .bfloat16])
    func kernels(_ target: QuantizationTarget, _ dtype: DType) throws {
        defer { Kernels.limit(to: 3) }
        let weight = try QuantizedWeight("w", Self.weight(37, 512), as: target)
        let plain = try Kernels.$current.withValue(.plain) { try weight.dequantized(to: dtype) }
        for level in 1...max(Kernels.level, 1) where level <= Kernels.level {
            Kernels.limit(to: level)
            let fused = try weight.codes.fusedDecoded(
                scales: weight.scales, format: weight.format, columns: 512,
                group: weight.scales.map { 512 / $0.dim(1) } ?? 512, dtype: dtype)
            let found = try #require(fused, "no kernel at level \(level)")
            #expect(found.dtype == dtype)
            let difference = try (found.to(.float32) - plain.to(.float32)).abs().max().item()
            #expect(difference <= (dtype == .float32 ? 1e-8 : 5e-4), "level \(level)")
        }
    }

    @Test("A layer with a rounded weight gives what the rounded numbers give")
    func products() throws {
        let weight = try Self.weight(64, 512)
        let bias = try Tensor.randn([64], generator: Generator(seed: 8))
        let x = try Tensor.randn([2, 5, 512], generator: Generator(seed: 9))
        for target in QuantizationTarget.allCases where target != .int8 {
            let stored = try QuantizedWeight("a.weight", weight, as: target)
            let layer = try Linear(
                512, 64, Weights(Given(weight: stored, bias: bias))["a"])
            let wanted = try x.to(.float64).linear(
                stored.dequantized(to: .float32).to(.float64), bias.to(.float64)
            ).gelu(.tanh)
            #expect(try decibels(layer(x, then: .gelu(.tanh)), wanted) > 100, "\(target)")
        }
    }

    /// `x · codesᵀ` with each row of x rounded to eight bits, in float64.
    private func byteProduct(_ x: Tensor, _ stored: QuantizedWeight) throws -> Tensor {
        let wide = try x.to(.float64)
        let scale = try wide.abs().max([-1], keepAxes: true) / 127
        let rounded = try (wide / scale).round() * scale
        return try rounded.linear(stored.dequantized(to: .float32).to(.float64))
    }

    @Test(
        "Products of bytes: rows beyond a block, an activation, and the error of rounding alone",
        .enabled(if: Kernels.multiplyBytes), arguments: [DType.float32, .bfloat16])
    func byteProducts(_ dtype: DType) throws {
        let stored = try QuantizedWeight("a.weight", Self.weight(96, 512), as: .int8)
        let bias = try Tensor.randn([96], generator: Generator(seed: 10))
        let layer = try Linear(512, 96, Weights(Given(weight: stored, bias: bias))["a"])
        // Rows of very different sizes: each has a scale of its own.
        let sizes = try Tensor.arange(0, 300).reshape(1, 300, 1) * 0.1 + 0.01
        let x = try (Tensor.randn([1, 300, 512], generator: Generator(seed: 11)) * sizes).to(dtype)
        for activation in [nil, .silu, .gelu(.tanh)] as [Activation?] {
            let linear = try byteProduct(x, stored) + bias.to(.float64)
            let wanted = try activation.map { try linear.activated(by: $0) } ?? linear
            let found = try withoutGradients { try layer(x, then: activation) }
            #expect(found.dtype == dtype && found.shape == [1, 300, 96])
            let distance = try decibels(found, wanted)
            print("    \(dtype), \(activation.map { "\($0)" } ?? "none"): \(distance) dB")
            // A half that is rounded the other way moves a product by one code of many.
            #expect(distance > (dtype == .float32 ? 70 : 48))
            // It is the product of bytes, and not of the numbers.
            let plain = try Kernels.$current.withValue(.plain) { try layer(x, then: activation) }
            #expect(try decibels(found, plain) < 45)
        }
    }

    @Test("What is not finite stays in its row", .enabled(if: Kernels.multiplyBytes))
    func notFinite() throws {
        let stored = try QuantizedWeight("a.weight", Self.weight(32, 64), as: .int8)
        let layer = try Linear(
            64, 32, Weights(Given(weight: stored, bias: .zeros([32])))["a"])
        let x = try Tensor.randn([4, 64], generator: Generator(seed: 12))
        try x.narrow(0, 1, 1).narrow(1, 3, 1).fillInPlace(.nan)
        try x.narrow(0, 2, 1).narrow(1, 5, 1).fillInPlace(.infinity)
        try x.narrow(0, 3, 1).fillInPlace(0)
        let y = try withoutGradients { try layer(x) }
        func finite(_ row: Int) throws -> Double {
            try y.select(0, row).isFinite().to(.float32).sum().item()
        }
        let found = try (0..<4).map(finite)
        #expect(found == [32, 0, 0, 32])
        #expect(try y.select(0, 3).abs().sum().item() == 0)
    }

    @Test("Adapters act beside a rounded weight, before the activation")
    func adapters() throws {
        let stored = try QuantizedWeight("a.weight", Self.weight(32, 64), as: .int4)
        let layer = try Linear(
            64, 32, Weights(Given(weight: stored, bias: .zeros([32])))["a"])
        let down = try Tensor.randn([2, 64], generator: Generator(seed: 13))
        let up = try Tensor.randn([32, 2], generator: Generator(seed: 14))
        let set = AdapterSet(
            "s",
            [("a", LowRankAdapter(down: Parameter("d", down), up: Parameter("u", up), alpha: 2))])
        try set.attach(to: [("a", layer)])
        let x = try Tensor.randn([3, 64], generator: Generator(seed: 15))
        let wanted = try (x.linear(stored.dequantized(to: .float32)) + x.linear(down).linear(up))
            .silu()
        #expect(try decibels(layer(x, then: .silu), wanted) > 100)
    }

    @Test("Gradients flow through a rounded weight to its input")
    func gradients() throws {
        let stored = try QuantizedWeight("a.weight", Self.weight(32, 64), as: .int8)
        let layer = try Linear(
            64, 32, Weights(Given(weight: stored, bias: .zeros([32])))["a"])
        let x = try Tensor.randn([3, 64], generator: Generator(seed: 16))
        try x.setRequiresGradient(true)
        try layer(x).sum().backward()
        let wanted = try stored.dequantized(to: .float32).sum([0])
        let found = try #require(try x.gradient())
        #expect(try (found - wanted).abs().max().item() < 1e-5)
    }

    @Test("What does not fit is named")
    func misfits() throws {
        func message(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return ""
        }
        let narrow = message { _ = try QuantizedWeight("w", Self.weight(4, 96), as: .int4) }
        #expect(narrow.contains("w: int4") && narrow.contains("64"))
        let infinite = message {
            _ = try QuantizedWeight("w", Tensor.full([4, 64], .infinity), as: .int8)
        }
        #expect(infinite.contains("not finite"))
        let codes = try Tensor.zeros([4, 64], dtype: .int8)
        let unscaled = message {
            _ = try QuantizedWeight("w", .int8, shape: [4, 64], codes: codes)
        }
        #expect(unscaled.contains("scales"))
        let misshapen = message {
            _ = try QuantizedWeight(
                "w", .int8, shape: [4, 32], codes: codes, scales: .ones([4, 1]))
        }
        #expect(misshapen.contains("[4, 32]") && misshapen.contains("[4, 64]"))
    }
}

/// One layer's weight in few bits, and its bias.
private struct Given: WeightSource {
    let weight: QuantizedWeight
    let bias: Tensor

    func tensor(_ name: String, shape: [Int], initialization: Initialization) throws -> Tensor {
        bias
    }
    func quantized(_ name: String, shape: [Int]) throws -> QuantizedWeight? { weight }
    func contains(_ name: String) -> Bool { true }
}
