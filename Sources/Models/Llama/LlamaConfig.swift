/// The sizes of a Llama text encoder, as in its `config.json`.
///
/// Keys that are absent have the values that transformers gives them; keys that change nothing
/// here, such as `torch_dtype`, are passed over. Source: transformers `LlamaConfig`.
public struct LlamaConfig: Sendable, Equatable {
    /// The number of token ids.
    public var vocabularySize = 32000
    /// The width of the hidden state, C.
    public var hiddenSize = 4096
    /// The width inside the MLP.
    public var intermediateSize = 11008
    /// The number of layers of the published model, those that a hidden state needn't included.
    public var layerCount = 32
    /// The number of query heads, H.
    public var headCount = 32
    /// The number of key and value heads; it divides `headCount`.
    public var keyValueHeadCount = 32
    /// The width of a head, D; even.
    public var headSize = 128
    /// The base of the rotary wavelengths.
    public var rotaryBase = 10000.0
    /// How rotary frequencies are stretched.
    public var rotaryScaling = RotaryScaling.none
    /// What is added to a mean square before its root is taken.
    public var normEpsilon = 1e-6
    /// Whether the attention's four linear maps have a bias.
    public var attentionBias = false
    /// Whether the MLP's three linear maps have a bias.
    public var mlpBias = false

    /// The defaults of transformers, to be changed field by field.
    public init() {}

    /// What makes the sizes impossible, as a sentence; nil if nothing does.
    package var problem: String? {
        let sizes = [
            ("vocab_size", vocabularySize), ("hidden_size", hiddenSize),
            ("intermediate_size", intermediateSize), ("num_attention_heads", headCount),
            ("num_key_value_heads", keyValueHeadCount), ("head_dim", headSize),
        ]
        if let problem = sizeProblem(sizes, layers: layerCount) { return problem }
        if headCount % keyValueHeadCount != 0 {
            return """
                num_attention_heads \(headCount) is not a multiple of num_key_value_heads \
                \(keyValueHeadCount)
                """
        }
        if headSize % 2 != 0 { return "head_dim is \(headSize); rotary positions need an even one" }
        if rotaryBase <= 0 { return "rope_theta is \(rotaryBase); it must be above 0" }
        return rotaryScaling.problem
    }
}

extension LlamaConfig: Codable {
    enum CodingKeys: String, CodingKey {
        case architectures
        case modelType = "model_type"
        case vocabularySize = "vocab_size"
        case hiddenSize = "hidden_size"
        case intermediateSize = "intermediate_size"
        case layerCount = "num_hidden_layers"
        case headCount = "num_attention_heads"
        case keyValueHeadCount = "num_key_value_heads"
        case headSize = "head_dim"
        case rotaryBase = "rope_theta"
        case rotaryScaling = "rope_scaling"
        case rotaryParameters = "rope_parameters"
        case normEpsilon = "rms_norm_eps"
        case attentionBias = "attention_bias"
        case mlpBias = "mlp_bias"
        case activation = "hidden_act"
    }

    /// Reads a `config.json`, with the rotary table of transformers 4 or 5.
    ///
    /// - Throws: `DecodingError` that names an impossible size or a rule that isn't known.
    public init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        vocabularySize = try keys.value(.vocabularySize, or: vocabularySize)
        hiddenSize = try keys.value(.hiddenSize, or: hiddenSize)
        intermediateSize = try keys.value(.intermediateSize, or: intermediateSize)
        layerCount = try keys.value(.layerCount, or: layerCount)
        headCount = try keys.value(.headCount, or: headCount)
        keyValueHeadCount = try keys.value(.keyValueHeadCount, or: headCount)
        headSize = try keys.value(.headSize, or: headCount > 0 ? hiddenSize / headCount : 0)
        let table =
            try keys.decodeIfPresent(RotaryTable.self, forKey: .rotaryParameters)
            ?? keys.decodeIfPresent(RotaryTable.self, forKey: .rotaryScaling)
        rotaryScaling = table?.scaling ?? .none
        rotaryBase = try table?.theta ?? keys.value(.rotaryBase, or: rotaryBase)
        normEpsilon = try keys.value(.normEpsilon, or: normEpsilon)
        attentionBias = try keys.value(.attentionBias, or: attentionBias)
        mlpBias = try keys.value(.mlpBias, or: mlpBias)
        let activation = try keys.value(.activation, or: "silu")
        try keys.check(
            activation == "silu" ? problem : "hidden_act is \"\(activation)\"; wanted is \"silu\"")
    }

    /// Writes the keys of a `config.json` that transformers reads too.
    public func encode(to encoder: any Encoder) throws {
        var keys = encoder.container(keyedBy: CodingKeys.self)
        try keys.encode(["LlamaModel"], forKey: .architectures)
        try keys.encode("llama", forKey: .modelType)
        try keys.encode(vocabularySize, forKey: .vocabularySize)
        try keys.encode(hiddenSize, forKey: .hiddenSize)
        try keys.encode(intermediateSize, forKey: .intermediateSize)
        try keys.encode(layerCount, forKey: .layerCount)
        try keys.encode(headCount, forKey: .headCount)
        try keys.encode(keyValueHeadCount, forKey: .keyValueHeadCount)
        try keys.encode(headSize, forKey: .headSize)
        try keys.encode(rotaryBase, forKey: .rotaryBase)
        if rotaryScaling == .none {
            try keys.encodeNil(forKey: .rotaryScaling)
        } else {
            try keys.encode(RotaryTable(rotaryScaling), forKey: .rotaryScaling)
        }
        try keys.encode(normEpsilon, forKey: .normEpsilon)
        try keys.encode(attentionBias, forKey: .attentionBias)
        try keys.encode(mlpBias, forKey: .mlpBias)
        try keys.encode("silu", forKey: .activation)
    }
}
