import CUDAEmulator
import Foundation
import TestSupport
import Testing
import Torch
import TorchNN

/// Products of eight bits as GPUs do them, their kernels run by the emulator, libtorch's operators on the
/// CPU, and by a GPU where there is one, against float64.
@Suite struct CUDAProductTests {
    private static let hasGPU: Bool = {
        try? Accelerator.loadCUDA()
        return Accelerator.cudaDeviceCount > 0
    }()
    private static let devices: [Device] = hasGPU ? [.cpu, .cuda()] : [.cpu]

    /// Runs `body` on a GPU, or with a GPU's kernels on the CPU.
    private func onGPU<Result>(_ device: Device, _ body: () throws -> Result) throws -> Result {
        try withoutGradients {
            guard device == .cpu else { return try body() }
            return try CUDAKernels.emulated(by: cuda_emulator_launch, body)
        }
    }

    /// 10 log₁₀ of a signal's power over its error's.
    private func decibels(_ found: Tensor, _ wanted: Tensor) throws -> Double {
        let wanted = try wanted.to(.float64)
        let noise = try (found.to(.cpu, .float64) - wanted).square().sum().item()
        return try 10 * log10(wanted.square().sum().item() / noise)
    }

    /// Rows of very different sizes, one of zeros: each has a scale of its own.
    private func activations(_ rows: Int, _ columns: Int, _ dtype: DType) throws -> Tensor {
        let sizes = try Tensor.arange(0, Double(rows)).reshape(1, rows, 1) * 0.1
        let x = try Tensor.randn([1, rows, columns], generator: Generator(seed: 1))
        return try (x * sizes).to(dtype)
    }

    private func weight(_ rows: Int, _ columns: Int, as target: QuantizationTarget) throws
        -> QuantizedWeight
    {
        let numbers = try Tensor.randn([rows, columns], generator: Generator(seed: 2)) * 0.03
        return try QuantizedWeight("w", numbers, as: target)
    }

    /// The input's rows as codes of eight bits give them back, in float64.
    private func rounded(_ x: Tensor, largest: Double, _ code: (Tensor) throws -> Tensor) throws
        -> Tensor
    {
        let wide = try x.to(.float64)
        let scale = try wide.abs().max([-1], keepAxes: true) / largest
        let divisor = try scale.filled(1, where: scale.equal(0))
        return try code(wide / divisor) * scale
    }

    @Test(
        "Bytes: rows that fill no vector of threads, an activation, and the error of rounding alone",
        arguments: [DType.float32, .bfloat16, .float16], devices)
    func bytes(_ dtype: DType, _ device: Device) throws {
        let stored = try weight(96, 528, as: .int8)
        let scales = try #require(stored.scales)
        let bias = try Tensor.randn([96], generator: Generator(seed: 3)).to(dtype)
        let x = try activations(19, 528, dtype)
        let product = try rounded(x, largest: 127) { try $0.round() }
            .linear(stored.dequantized(to: .float32).to(.float64), bias.to(.float64))
        for activation in [nil, .silu, .gelu(.tanh)] as [Activation?] {
            let wanted = try activation.map { try product.activated(by: $0) } ?? product
            let found = try onGPU(device) {
                try x.to(device).fusedByteProduct(
                    stored.codes.to(device), scales: scales.to(device), bias.to(device),
                    then: activation)
            }
            let y = try #require(found)
            #expect(y.dtype == dtype && y.shape == [1, 19, 96])
            let distance = try decibels(y, wanted)
            print(
                "    bytes, \(dtype), \(device), \(activation.map { "\($0)" } ?? "none"): \(distance) dB"
            )
            // A half that is rounded the other way moves a product by one code of many.
            #expect(distance > (dtype == .float32 ? 70 : 48))
        }
    }

    @Test(
        "fp8 with a scale for each row, and with one for all",
        arguments: [DType.bfloat16], devices)
    func fp8(_ dtype: DType, _ device: Device) throws {
        let stored = try weight(64, 528, as: .fp8)
        let bias = try Tensor.randn([64], generator: Generator(seed: 4)).to(dtype)
        let x = try activations(19, 528, dtype)
        let input = try rounded(x, largest: 448) {
            try $0.to(.float32).to(.float8e4m3).to(.float32).to(.float64)
        }
        for isWhole in [false, true] {
            let scales = try isWhole ? Tensor.full([1, 1], 0.002) : #require(stored.scales)
            let numbers = try stored.codes.to(.float32).to(.float64) * scales.to(.float64)
            let wanted = try input.linear(numbers, bias.to(.float64))
            let found = try onGPU(device) {
                try x.to(device).fusedFP8Product(
                    stored.codes.to(device), scales: scales.to(device), bias.to(device))
            }
            let y = try #require(found)
            #expect(y.dtype == dtype && y.shape == [1, 19, 64])
            let distance = try decibels(y, wanted)
            print("    fp8, \(device), one scale \(isWhole): \(distance) dB")
            #expect(distance > 46)
            // It is the product of eight bits, and not of the numbers.
            let exact = try x.to(.float64).linear(numbers, bias.to(.float64))
            #expect(try decibels(y, exact) < 40)
        }
    }

    @Test("Rounding to fp8 gives the nearest code, small and halfway numbers too")
    func nearestCodes() throws {
        // From the largest number down below the smallest, and halfway between two codes.
        let exponents = try Tensor.arange(0, 62) * -0.35
        let powers = try Tensor.pow(2, exponents) * 447
        let halves = try Tensor.arange(0, 62).remainder(16) * 0.0009765625
        let row = try Tensor.cat([Tensor.full([2], 448), powers], axis: 0)
        let other = try Tensor.cat([Tensor.full([2], -448), -halves], axis: 0)
        let rows = Array(repeating: row, count: 10) + Array(repeating: other, count: 10)
        let x = try Tensor.stack(rows, axis: 0).to(.bfloat16)
        let identity = try Tensor.arange(0, 64).reshape(64, 1).equal(Tensor.arange(0, 64))
        let found = try onGPU(.cpu) {
            try x.fusedFP8Product(
                identity.to(.float32).to(.float8e4m3), scales: .ones([1, 1]), nil)
        }
        let wanted = try x.to(.float32).to(.float8e4m3).to(.float32)
        #expect(try (#require(found).to(.float32) - wanted).abs().max().item() == 0)
    }

    @Test("fp8 products are to be asked for; other formats and few rows have none")
    func choices() throws {
        let x = try activations(19, 128, .bfloat16)
        func product(_ target: QuantizationTarget, _ x: Tensor, asked: Bool) throws -> Bool {
            let layer = try weight(32, 128, as: target)
            let before = cuda_emulator_launches("round_rows")
            let y = try onGPU(.cpu) {
                try Kernels.$multipliesFP8.withValue(asked) { try linear(layer)(x) }
            }
            let numbers = try layer.dequantized(to: .float32).to(.float64)
            #expect(try decibels(y, x.to(.float64).linear(numbers)) > 27)
            return cuda_emulator_launches("round_rows") > before
        }
        #expect(try product(.fp8, x, asked: true))
        #expect(try !product(.fp8, x, asked: false))
        #expect(try !product(.fp8Block, x, asked: true))
        #expect(try !product(.int4, x, asked: true))
        #expect(try !product(.fp8, x.narrow(1, 1, 16), asked: true))
        #expect(try !product(.fp8, x.to(.float32), asked: true))
    }

    private func linear(_ weight: QuantizedWeight) throws -> Linear {
        struct Given: WeightSource {
            let weight: QuantizedWeight

            func contains(_ name: String) -> Bool { true }

            func tensor(_ name: String, shape: [Int], initialization: Initialization) throws
                -> Tensor
            { try .zeros(shape) }

            func quantized(_ name: String, shape: [Int]) throws -> QuantizedWeight? { weight }
        }
        return try Linear(
            weight.shape[1], weight.shape[0], bias: false, Weights(Given(weight: weight))["a"])
    }

    @Test("Rows that are not finite stay so, and rows of zeros are zeros")
    func notFinite() throws {
        let stored = try weight(32, 64, as: .int8)
        let x = try Tensor.randn([20, 64], generator: Generator(seed: 5))
        try x.narrow(0, 1, 1).narrow(1, 3, 1).fillInPlace(.nan)
        try x.narrow(0, 2, 1).narrow(1, 5, 1).fillInPlace(.infinity)
        try x.narrow(0, 3, 1).fillInPlace(0)
        let found = try onGPU(.cpu) {
            try x.fusedByteProduct(
                stored.codes, scales: #require(stored.scales), nil, then: nil)
        }
        let y = try #require(found)
        let finite = try (0..<4).map { row in
            try y.select(0, row).isFinite().to(.float32).sum().item()
        }
        #expect(finite == [32, 0, 0, 32])
        #expect(try y.select(0, 3).abs().sum().item() == 0)
    }
}
