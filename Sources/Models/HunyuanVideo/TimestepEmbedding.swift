import Foundation
import Torch
import TorchNN

/// Sine and cosine of a number at many frequencies, then two linear layers.
///
/// Source: diffusers `Timesteps` and `TimestepEmbedding`.
final class TimestepEmbedding {
    static let waveCount = 128
    static let longestPeriod = 10_000.0
    private let layers: TwoLayers

    init(_ size: Int, _ weights: Weights) throws {
        layers = try TwoLayers(2 * Self.waveCount, size, weights)
    }

    /// Embeds `(B)` as `(B, C)` in the type of the activations.
    func callAsFunction(_ value: Tensor, _ dtype: DType) throws -> Tensor {
        try layers(Self.waves(value).to(dtype))
    }

    /// Cosines, then sines, of `(B)`: `(B, 256)` in float32.
    static func waves(_ value: Tensor) throws -> Tensor {
        // The order of these operations decides the last bits of angles up to ten thousand.
        let steps = try Tensor.arange(0, Double(waveCount), device: value.device)
        let rates = try (steps * -log(longestPeriod) / Double(waveCount)).exp()
        let angles = try value.to(.float32).unsqueeze(1) * rates.unsqueeze(0)
        return try .cat([angles.cos(), angles.sin()], axis: 1)
    }
}

/// Linear, SiLU, linear.
final class TwoLayers {
    private let first, second: Linear

    init(_ inputSize: Int, _ size: Int, _ weights: Weights) throws {
        first = try Linear(inputSize, size, weights["linear_1"])
        second = try Linear(size, size, weights["linear_2"])
    }

    func callAsFunction(_ x: Tensor) throws -> Tensor { try second(first(x, then: .silu)) }
}

/// The conditions of a pass in one vector: time, guidance where there is one, and pooled text.
///
/// Source: diffusers `CombinedTimestepGuidanceTextProjEmbeddings`.
final class ConditionEmbedding {
    private let timestep: TimestepEmbedding
    private let guidance: TimestepEmbedding?
    private let text: TwoLayers

    init(_ size: Int, pooledSize: Int, hasGuidance: Bool, _ weights: Weights) throws {
        timestep = try TimestepEmbedding(size, weights["timestep_embedder"])
        guidance = hasGuidance ? try TimestepEmbedding(size, weights["guidance_embedder"]) : nil
        text = try TwoLayers(pooledSize, size, weights["text_embedder"])
    }

    /// Embeds 1000 · sigma `(B)`, 1000 · scale `(B)` and pooled text `(B, P)` as `(B, C)`.
    func callAsFunction(timestep time: Tensor, guidance scale: Tensor?, pooled: Tensor) throws
        -> Tensor
    {
        var sum = try timestep(time, pooled.dtype)
        if let guidance, let scale { sum = try sum + guidance(scale, pooled.dtype) }
        return try sum + text(pooled)
    }
}
