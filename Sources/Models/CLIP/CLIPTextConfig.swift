/// The sizes of a CLIP text encoder, as in its `config.json`.
///
/// Keys that are absent have the values that transformers gives them; keys that change nothing
/// here are passed over. Source: transformers `CLIPTextConfig`.
public struct CLIPTextConfig: Sendable, Equatable {
    /// The number of token ids.
    public var vocabularySize = 49408
    /// The width of the hidden state, C.
    public var hiddenSize = 512
    /// The width inside the MLP.
    public var intermediateSize = 2048
    /// The number of layers.
    public var layerCount = 12
    /// The number of heads, H; it divides `hiddenSize`.
    public var headCount = 8
    /// The number of positions, the longest text in tokens.
    public var positionCount = 77
    /// The activation of the MLP.
    public var activation = EncoderActivation.quickGELU
    /// What is added to a variance before its root is taken.
    public var normEpsilon = 1e-5
    /// The id that ends a text; 2 stands for the largest id, as in OpenAI's files.
    public var endTokenID = 49407

    /// The defaults of transformers, to be changed field by field.
    public init() {}

    /// What makes the sizes impossible, as a sentence; nil if nothing does.
    package var problem: String? {
        let sizes = [
            ("vocab_size", vocabularySize), ("hidden_size", hiddenSize),
            ("intermediate_size", intermediateSize), ("num_attention_heads", headCount),
            ("max_position_embeddings", positionCount),
        ]
        return sizeProblem(sizes, layers: layerCount)
            ?? headProblem(hiddenSize: hiddenSize, headCount: headCount)
    }

    var layerSizes: CLIPLayerSizes {
        CLIPLayerSizes(
            hiddenSize: hiddenSize, intermediateSize: intermediateSize, headCount: headCount,
            normEpsilon: normEpsilon, activation: activation, causal: true)
    }
}

extension CLIPTextConfig: Codable {
    enum CodingKeys: String, CodingKey {
        case architectures
        case modelType = "model_type"
        case vocabularySize = "vocab_size"
        case hiddenSize = "hidden_size"
        case intermediateSize = "intermediate_size"
        case layerCount = "num_hidden_layers"
        case headCount = "num_attention_heads"
        case positionCount = "max_position_embeddings"
        case activation = "hidden_act"
        case normEpsilon = "layer_norm_eps"
        case endTokenID = "eos_token_id"
    }

    /// Reads a `config.json`.
    ///
    /// - Throws: `DecodingError` that names an impossible size or an activation that isn't known.
    public init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        vocabularySize = try keys.value(.vocabularySize, or: vocabularySize)
        hiddenSize = try keys.value(.hiddenSize, or: hiddenSize)
        intermediateSize = try keys.value(.intermediateSize, or: intermediateSize)
        layerCount = try keys.value(.layerCount, or: layerCount)
        headCount = try keys.value(.headCount, or: headCount)
        positionCount = try keys.value(.positionCount, or: positionCount)
        activation = try keys.activation(.activation, or: activation)
        normEpsilon = try keys.value(.normEpsilon, or: normEpsilon)
        endTokenID = try keys.value(.endTokenID, or: endTokenID)
        try keys.check(problem)
    }

    /// Writes the keys of a `config.json` that transformers reads too.
    public func encode(to encoder: any Encoder) throws {
        var keys = encoder.container(keyedBy: CodingKeys.self)
        try keys.encode(["CLIPTextModel"], forKey: .architectures)
        try keys.encode("clip_text_model", forKey: .modelType)
        try keys.encode(vocabularySize, forKey: .vocabularySize)
        try keys.encode(hiddenSize, forKey: .hiddenSize)
        try keys.encode(intermediateSize, forKey: .intermediateSize)
        try keys.encode(layerCount, forKey: .layerCount)
        try keys.encode(headCount, forKey: .headCount)
        try keys.encode(positionCount, forKey: .positionCount)
        try keys.encode(activation, forKey: .activation)
        try keys.encode(normEpsilon, forKey: .normEpsilon)
        try keys.encode(endTokenID, forKey: .endTokenID)
    }
}

extension KeyedDecodingContainer {
    /// The activation of a key, or what holds where the key is absent.
    func activation(_ key: Key, or other: EncoderActivation) throws -> EncoderActivation {
        let name = try value(key, or: other.rawValue)
        guard let activation = EncoderActivation(rawValue: name) else {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: self,
                debugDescription: """
                    the activation "\(name)" is unknown; wanted is "quick_gelu", "gelu" or \
                    "gelu_pytorch_tanh"
                    """)
        }
        return activation
    }
}
