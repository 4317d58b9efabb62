import Foundation
import Models
public import Torch
import TorchNN

/// How quickly a device does what a transformer block consists of.
public struct ComputeRates: Codable, Equatable, Sendable {
    /// Sizes of the work that is measured.
    public struct Work: Codable, Equatable, Sendable {
        /// Tokens, N.
        public var tokens: Int
        /// Channels of a token, C.
        public var width: Int
        /// Heads, H.
        public var heads: Int
        /// Channels of the VAE's largest level.
        public var channels: Int

        /// Makes a work.
        public init(tokens: Int, width: Int, heads: Int, channels: Int) {
            (self.tokens, self.width, self.heads) = (tokens, width, heads)
            self.channels = channels
        }

        /// A piece of the released transformer that a laptop does in a moment.
        public static let released = Work(tokens: 1024, width: 3072, heads: 24, channels: 128)
    }

    /// The device.
    public let device: String
    /// The number type: f32 or bf16.
    public let dtype: String
    /// Multiplication of matrices, in floating point operations a second.
    public let matmul: Double
    /// Attention, in floating point operations a second.
    public let attention: Double

    /// Convolution of a video, in floating point operations a second, at the type in which the VAE
    /// computes there: f32 on a CPU, f16 on a GPU.
    public let convolution: Double

    /// Puts rates together.
    public init(
        device: String, dtype: String, matmul: Double, attention: Double, convolution: Double
    ) {
        (self.device, self.dtype) = (device, dtype)
        (self.matmul, self.attention, self.convolution) = (matmul, attention, convolution)
    }

    /// Measures for about a second.
    ///
    /// - Parameters:
    ///   - seconds: How long each of the three is repeated, at least once after a warm-up.
    /// - Throws: `TorchError` where the device cannot do it.
    public static func measured(
        _ work: Work, device: Device, dtype: DType, seconds: Double = 0.4
    ) throws -> ComputeRates {
        let (n, c) = (work.tokens, work.width)
        return try withoutGradients {
            let x = try Tensor.randn([n, c]).to(device, dtype)
            let weight = try Tensor.randn([c, c]).to(device, dtype)
            let matmul = try rate(2.0 * Double(n) * Double(c) * Double(c), device, seconds) {
                _ = try x.linear(weight)
            }
            let heads = try x.reshape(1, n, work.heads, c / work.heads).transpose(1, 2).contiguous()
            let attention = try rate(4.0 * Double(n) * Double(n) * Double(c), device, seconds) {
                _ = try Tensor.attention(heads, heads, heads)
            }
            return ComputeRates(
                device: "\(device)", dtype: dtype == .bfloat16 ? "bf16" : "f32", matmul: matmul,
                attention: attention,
                convolution: try convolutionRate(work.channels, device, seconds))
        }
    }

    /// Attends once as the released model does at 608 x 640, so that the quicker way is known.
    static func attend(on device: Device) throws {
        let size = TransformerSize()
        try withoutGradients {
            let heads = try Tensor.empty(
                [
                    1, size.hiddenSize / size.headSize, SpeedPrediction.StepCost.released.tokens,
                    size.headSize,
                ],
                dtype: .bfloat16, device: device)
            try heads.normalInPlace()
            _ = try Tensor.attention(heads, heads, heads)
        }
    }

    private static func convolutionRate(_ channels: Int, _ device: Device, _ seconds: Double)
        throws -> Double
    {
        let dtype = Precision(nil, stored: .bfloat16, device: device, parity: false).decoding
        // A window of 17 frames of 64 x 64 positions, with the edge that the kernel eats: for much
        // smaller ones libtorch takes another, slower way.
        let x = try Tensor.randn([1, channels, 19, 66, 66]).to(device, dtype)
            .contiguous(.channelsLast3d)
        let store = ParameterStore()
        let convolution = try Conv3d(
            channels, channels, kernel: [3, 3, 3], Weights(RandomWeights(seed: 1), store: store))
        try store.move(to: device, dtype)
        let operations = 2.0 * 27 * Double(channels * channels) * Double(17 * 64 * 64)
        return try rate(operations, device, seconds) { _ = try convolution(x) }
    }

    /// Bytes a second of copying 64 MiB within the device, read and written counted once.
    public static func copyRate(from source: Device, to target: Device) throws -> Double {
        let bytes = 64 << 20
        let memory = try Tensor.zeros([bytes], dtype: .uint8, device: source)
        return try rate(Double(bytes), target, 0.2) {
            _ = source == target ? try memory.clone() : try memory.to(target)
        }
    }

    /// The best of repetitions of some work, as amount a second.
    private static func rate(
        _ amount: Double, _ device: Device, _ seconds: Double, _ body: () throws -> Void
    ) throws -> Double {
        try body()
        try Accelerator.synchronize(device)
        var (best, spent) = (Double.infinity, 0.0)
        repeat {
            let began = ContinuousClock.now
            try body()
            try Accelerator.synchronize(device)
            let took = (ContinuousClock.now - began) / .seconds(1)
            (best, spent) = (min(best, took), spent + took)
        } while spent < seconds
        return amount / max(best, 1e-9)
    }
}
