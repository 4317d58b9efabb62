import Torch
import TorchNN

/// The bend between an encoder layer's two linear maps, by its name in a `config.json`.
public enum EncoderActivation: String, Sendable, Codable {
    /// x · sigmoid(1.702 x).
    case quickGELU = "quick_gelu"
    /// The Gaussian error linear unit with the error function.
    case gelu
    /// The Gaussian error linear unit with the tanh approximation.
    case geluTanh = "gelu_pytorch_tanh"

    /// What it is.
    var activation: Activation {
        switch self {
        case .quickGELU: .quickGELU
        case .gelu: .gelu(.exact)
        case .geluTanh: .gelu(.tanh)
        }
    }
}

/// The sizes of a layer of CLIP's text encoder or SigLIP's vision encoder.
struct CLIPLayerSizes {
    let hiddenSize: Int
    let intermediateSize: Int
    let headCount: Int
    let normEpsilon: Double
    let activation: EncoderActivation
    /// Whether a token sees only itself and those before it.
    let causal: Bool
}

/// Attention with biases on all four linear maps.
///
/// Source: transformers `CLIPAttention`, `SiglipAttention`.
final class CLIPAttention {
    private let query: Linear
    private let key: Linear
    private let value: Linear
    private let output: Linear
    private let headCount: Int
    private let causal: Bool

    init(_ sizes: CLIPLayerSizes, _ weights: Weights) throws {
        (headCount, causal) = (sizes.headCount, sizes.causal)
        let width = sizes.hiddenSize
        query = try Linear(width, width, weights["q_proj"])
        key = try Linear(width, width, weights["k_proj"])
        value = try Linear(width, width, weights["v_proj"])
        output = try Linear(width, width, weights["out_proj"])
    }

    /// Maps `(B, N, C)`.
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        let mixed = try Tensor.attention(
            heads(query(x)), heads(key(x)), heads(value(x)), causal: causal)
        return try output(mixed.transpose(1, 2).flatten(2))
    }

    /// `(B, N, C)` as `(B, H, N, D)`.
    private func heads(_ x: Tensor) throws -> Tensor {
        try x.unflatten(-1, [headCount, -1]).transpose(1, 2)
    }
}

/// Attention and MLP, each behind a layer norm and added to what came in.
///
/// CLIP and SigLIP share it, down to the names of its weights.
/// Source: transformers `CLIPEncoderLayer`, `SiglipEncoderLayer`.
final class CLIPLayer {
    private let attentionNorm: LayerNorm
    private let attention: CLIPAttention
    private let mlpNorm: LayerNorm
    private let up: Linear
    private let down: Linear
    private let activation: Activation

    init(_ sizes: CLIPLayerSizes, _ weights: Weights) throws {
        let (width, inner) = (sizes.hiddenSize, sizes.intermediateSize)
        attentionNorm = try LayerNorm(width, eps: sizes.normEpsilon, weights["layer_norm1"])
        attention = try CLIPAttention(sizes, weights["self_attn"])
        mlpNorm = try LayerNorm(width, eps: sizes.normEpsilon, weights["layer_norm2"])
        up = try Linear(width, inner, weights["mlp.fc1"])
        down = try Linear(inner, width, weights["mlp.fc2"])
        activation = sizes.activation.activation
    }

    /// Maps `(B, N, C)`.
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        let x = try x + attention(attentionNorm(x))
        return try x + down(up(mlpNorm(x), then: activation))
    }
}
