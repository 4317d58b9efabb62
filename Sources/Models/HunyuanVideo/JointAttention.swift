import Torch
import TorchNN

/// Queries, keys and values of one stream, queries and keys with root mean square 1 per head.
final class HeadProjections {
    private let query, key, value: Linear
    private let queryNorm, keyNorm: RMSNorm
    private let headSize: Int

    /// Names of the layers of a stream in diffusers' attention.
    enum Stream {
        case video, text

        var names: (query: String, key: String, value: String, queryNorm: String, keyNorm: String) {
            switch self {
            case .video: ("to_q", "to_k", "to_v", "norm_q", "norm_k")
            case .text:
                ("add_q_proj", "add_k_proj", "add_v_proj", "norm_added_q", "norm_added_k")
            }
        }
    }

    init(_ config: TransformerConfig, _ stream: Stream, _ weights: Weights) throws {
        let (size, names) = (config.hiddenSize, stream.names)
        headSize = config.headSize
        query = try Linear(size, size, weights[names.query])
        key = try Linear(size, size, weights[names.key])
        value = try Linear(size, size, weights[names.value])
        queryNorm = try RMSNorm(headSize, eps: 1e-6, weights[names.queryNorm])
        keyNorm = try RMSNorm(headSize, eps: 1e-6, weights[names.keyNorm])
    }

    /// Projects `(B, L, C)`, and turns queries and keys; each result is `(B, L, H, D)`.
    ///
    /// - Parameter rotary: Phases of the first tokens; nil turns none.
    func callAsFunction(_ x: Tensor, _ rotary: VideoPhases? = nil) throws -> (
        q: Tensor, k: Tensor, v: Tensor
    ) { (try queries(x, rotary), try keys(x, rotary), try values(x)) }

    /// The turned queries of `(B, L, C)`, `(B, L, H, D)`.
    func queries(_ x: Tensor, _ rotary: VideoPhases? = nil) throws -> Tensor {
        try turned(query(x).unflatten(-1, [-1, headSize]), queryNorm, rotary)
    }

    /// The turned keys of `(B, L, C)`, `(B, L, H, D)`.
    func keys(_ x: Tensor, _ rotary: VideoPhases? = nil) throws -> Tensor {
        try turned(key(x).unflatten(-1, [-1, headSize]), keyNorm, rotary)
    }

    /// The values of `(B, L, C)`, `(B, L, H, D)`.
    func values(_ x: Tensor) throws -> Tensor { try value(x).unflatten(-1, [-1, headSize]) }

    private func turned(_ heads: Tensor, _ norm: RMSNorm, _ rotary: VideoPhases?) throws -> Tensor {
        if let result = try norm.fused(heads, phases: rotary?.phases) { return result }
        let normalized = try norm(heads)
        return try rotary?(normalized) ?? normalized
    }
}

/// Attention in which video and text, each with weights of its own, see each other.
final class JointAttention {
    private let video, text: HeadProjections
    private let videoOutput, textOutput: Linear
    private let name: String
    /// What the names of the text's weights begin with.
    let textPrefixes: [String]

    init(_ config: TransformerConfig, _ weights: Weights) throws {
        let (size, names) = (config.hiddenSize, HeadProjections.Stream.text.names)
        name = weights.prefix
        textPrefixes = [
            names.query, names.key, names.value, names.queryNorm, names.keyNorm, "to_add_out",
        ].map { "\(weights.prefix)\($0)." }
        video = try HeadProjections(config, .video, weights)
        text = try HeadProjections(config, .text, weights)
        videoOutput = try Linear(size, size, weights["to_out"][0])
        textOutput = try Linear(size, size, weights["to_add_out"])
    }

    /// Queries, keys and values of video `(B, L, C)`, whose heads are turned, and text `(B, T, C)`
    /// together; each is `(B, L + T, H, D)`.
    func heads(_ x: Tensor, context: Tensor, _ conditions: BlockConditions) throws -> (
        q: Tensor, k: Tensor, v: Tensor
    ) {
        // One after the other, so that only one of them is there twice, in parts and joined.
        let rotary = conditions.rotary
        let q = try Tensor.cat([video.queries(x, rotary), text.queries(context)], axis: 1)
        let k = try Tensor.cat([video.keys(x, rotary), text.keys(context)], axis: 1)
        let v = try Tensor.cat([video.values(x), text.values(context)], axis: 1)
        return (q, k, v)
    }

    /// Attends over all of them, video and text together, `(B, L + T, C)`.
    func attended(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ conditions: BlockConditions) throws
        -> Tensor
    {
        try conditions.keep(name, k, v)
        return try attend(q, k, v, conditions.lengths, conditions.execution)
    }

    /// What attention gives the video, `(B, L, C)`, and the text, from `(B, L + T, C)`.
    func outputs(_ y: Tensor, videoCount: Int) throws -> (x: Tensor, context: Tensor) {
        let parts = try y.split([videoCount, y.dim(1) - videoCount], axis: 1)
        return (try videoOutput(parts[0]), try textOutput(parts[1]))
    }

    /// Attends from the section's own tokens alone, `(B, L, C)`, to the kept context and to each other.
    func callAsFunction(_ x: Tensor, _ conditions: BlockConditions) throws -> Tensor {
        let own = try video(x, conditions.rotary)
        let (k, v) = try conditions.joined(name, own.k, own.v)
        return try videoOutput(attend(own.q, k, v, conditions.lengths, conditions.execution))
    }
}
