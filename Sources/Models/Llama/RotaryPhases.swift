import Torch

/// Cosines and sines by which queries and keys are turned, each `(T, D)`.
///
/// A channel of the first half of a head is paired with the one D/2 further on.
/// Source: transformers `LlamaRotaryEmbedding`, `apply_rotary_pos_emb`.
struct RotaryPhases {
    let cosine: Tensor
    let sine: Tensor

    /// The phases of positions 0 ..< `length`; angles are taken in float32.
    init(_ config: LlamaConfig, length: Int, dtype: DType, device: Device) throws {
        let channels = try Tensor.arange(0, Double(config.headSize), step: 2)
        var frequencies = try 1 / Tensor.pow(config.rotaryBase, channels / Double(config.headSize))
        if config.rotaryScaling != .none {
            let scaled = try frequencies.array(Float.self).map {
                Float(config.rotaryScaling.scaled(Double($0)))
            }
            frequencies = try Tensor(scaled)
        }
        let positions = try Tensor.arange(0, Double(length)).unsqueeze(1)
        let half = try positions * frequencies
        let angles = try Tensor.cat([half, half], axis: 1)
        cosine = try angles.cos().to(device, dtype)
        sine = try angles.sin().to(device, dtype)
    }

    /// Turns `(B, H, T, D)`.
    func rotate(_ x: Tensor) throws -> Tensor {
        let halves = try x.chunk(2, axis: -1)
        let turned = try Tensor.cat([-halves[1], halves[0]], axis: -1)
        return try x * cosine + turned * sine
    }
}
