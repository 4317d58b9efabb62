import Models
public import Torch
import TorchNN

/// A small transformer, one block of each kind, on a device against the CPU in float32.
public struct BlockCheck: Codable, Equatable, Sendable {
    /// The device.
    public let device: String
    /// The number type.
    public let dtype: String
    /// The largest difference, as a part of the largest value.
    public let relativeError: Double
    /// Whether that is as small as the type allows.
    public let isGood: Bool

    /// The largest relative error that passes, for each type.
    static let bounds: [DType: Double] = [.float32: 1e-3, .bfloat16: 0.1]

    /// Runs the block on a device.
    ///
    /// - Throws: `TorchError` where the device cannot do it.
    public static func run(on device: Device, dtype: DType) throws -> BlockCheck {
        try withoutGradients {
            let wanted = try velocity(on: .cpu, .float32)
            let found = try velocity(on: device, dtype).to(.cpu, .float32)
            let magnitude = try wanted.abs().max().item()
            let error = try (found - wanted).abs().max().item() / magnitude
            return BlockCheck(
                device: "\(device)", dtype: dtype == .bfloat16 ? "bf16" : "f32",
                relativeError: error, isGood: error <= bounds[dtype] ?? 0)
        }
    }

    private static func velocity(on device: Device, _ dtype: DType) throws -> Tensor {
        var config = TransformerConfig()
        (config.headCount, config.headSize, config.rotaryAxes) = (4, 64, [16, 24, 24])
        (config.doubleBlockCount, config.singleBlockCount) = (1, 1)
        (config.textSize, config.pooledSize, config.imageSize) = (64, 64, 64)
        let weights = Weights(try Filled(RandomWeights(seed: 1)))
        let model = try Transformer(config, weights)
        try weights.store.move(to: device, dtype)
        return try model(input(on: device), Execution(dtype: dtype))
    }

    private static func input(on device: Device) throws -> TransformerInput {
        let generator = try Generator(seed: 2)
        func draw(_ shape: Int...) throws -> Tensor {
            try .randn(shape, generator: generator).to(device)
        }
        return TransformerInput(
            latents: try draw(1, 16, 2, 16, 16), timestep: try .full([1], 500, device: device),
            guidance: try .full([1], 10_000, device: device), indices: .shared([0, 1]),
            conditioning: Conditioning(
                promptEmbeds: try draw(1, 8, 64), pooled: try draw(1, 64)))
    }

    /// Random weights where a fresh layer would begin with zeros, so that every layer counts.
    private struct Filled: WeightSource {
        let source: RandomWeights

        init(_ source: RandomWeights) { self.source = source }

        func tensor(_ name: String, shape: [Int], initialization: Initialization) throws -> Tensor {
            guard case .zeros = initialization else {
                return try source.tensor(name, shape: shape, initialization: initialization)
            }
            return try source.tensor(name, shape: shape, initialization: .normal(0.05))
        }

        func contains(_ name: String) -> Bool { true }
    }
}
