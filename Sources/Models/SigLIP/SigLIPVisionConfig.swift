/// The sizes of a SigLIP vision encoder, as in its `config.json`.
///
/// Keys that are absent have the values that transformers gives them; keys that change nothing
/// here are passed over. Source: transformers `SiglipVisionConfig`.
public struct SigLIPVisionConfig: Sendable, Equatable {
    /// The width of the hidden state, C.
    public var hiddenSize = 768
    /// The width inside the MLP.
    public var intermediateSize = 3072
    /// The number of layers.
    public var layerCount = 12
    /// The number of heads, H; it divides `hiddenSize`.
    public var headCount = 12
    /// The number of colour channels.
    public var channelCount = 3
    /// The height and width of the picture in pixels, S.
    public var imageSize = 224
    /// The height and width of a patch in pixels; what doesn't fill one is left out.
    public var patchSize = 16
    /// The activation of the MLP.
    public var activation = EncoderActivation.geluTanh
    /// What is added to a variance before its root is taken.
    public var normEpsilon = 1e-6
    /// Whether a published file holds the pooling head, which FramePack has no use for.
    public var hasHead = true

    /// The defaults of transformers, to be changed field by field.
    public init() {}

    /// The number of patches, N: `(S / patch)²`, 729 as released.
    public var patchCount: Int { (imageSize / patchSize) * (imageSize / patchSize) }

    /// What makes the sizes impossible, as a sentence; nil if nothing does.
    package var problem: String? {
        let sizes = [
            ("hidden_size", hiddenSize), ("intermediate_size", intermediateSize),
            ("num_attention_heads", headCount), ("num_channels", channelCount),
            ("image_size", imageSize), ("patch_size", patchSize),
        ]
        return sizeProblem(sizes, layers: layerCount)
            ?? patchProblem(patchSize: patchSize, imageSize: imageSize)
            ?? headProblem(hiddenSize: hiddenSize, headCount: headCount)
    }

    var layerSizes: CLIPLayerSizes {
        CLIPLayerSizes(
            hiddenSize: hiddenSize, intermediateSize: intermediateSize, headCount: headCount,
            normEpsilon: normEpsilon, activation: activation, causal: false)
    }
}

extension SigLIPVisionConfig: Codable {
    enum CodingKeys: String, CodingKey {
        case architectures
        case modelType = "model_type"
        case hiddenSize = "hidden_size"
        case intermediateSize = "intermediate_size"
        case layerCount = "num_hidden_layers"
        case headCount = "num_attention_heads"
        case channelCount = "num_channels"
        case imageSize = "image_size"
        case patchSize = "patch_size"
        case activation = "hidden_act"
        case normEpsilon = "layer_norm_eps"
        case hasHead = "vision_use_head"
    }

    /// Reads a `config.json`.
    ///
    /// - Throws: `DecodingError` that names an impossible size or an activation that isn't known.
    public init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        hiddenSize = try keys.value(.hiddenSize, or: hiddenSize)
        intermediateSize = try keys.value(.intermediateSize, or: intermediateSize)
        layerCount = try keys.value(.layerCount, or: layerCount)
        headCount = try keys.value(.headCount, or: headCount)
        channelCount = try keys.value(.channelCount, or: channelCount)
        imageSize = try keys.value(.imageSize, or: imageSize)
        patchSize = try keys.value(.patchSize, or: patchSize)
        activation = try keys.activation(.activation, or: activation)
        normEpsilon = try keys.value(.normEpsilon, or: normEpsilon)
        hasHead = try keys.value(.hasHead, or: hasHead)
        try keys.check(problem)
    }

    /// Writes the keys of a `config.json` that transformers reads too.
    public func encode(to encoder: any Encoder) throws {
        var keys = encoder.container(keyedBy: CodingKeys.self)
        try keys.encode(["SiglipVisionModel"], forKey: .architectures)
        try keys.encode("siglip_vision_model", forKey: .modelType)
        try keys.encode(hiddenSize, forKey: .hiddenSize)
        try keys.encode(intermediateSize, forKey: .intermediateSize)
        try keys.encode(layerCount, forKey: .layerCount)
        try keys.encode(headCount, forKey: .headCount)
        try keys.encode(channelCount, forKey: .channelCount)
        try keys.encode(imageSize, forKey: .imageSize)
        try keys.encode(patchSize, forKey: .patchSize)
        try keys.encode(activation, forKey: .activation)
        try keys.encode(normEpsilon, forKey: .normEpsilon)
        if !hasHead { try keys.encode(false, forKey: .hasHead) }
    }
}
