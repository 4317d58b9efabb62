/// The sizes of a CLIP vision encoder, as in its `config.json`.
///
/// Keys that are absent have the values of CLIP ViT-L/14; keys that change nothing here are passed
/// over. Source: transformers `CLIPVisionConfig`.
public struct CLIPVisionConfig: Sendable, Equatable {
    /// The width of the hidden state, C.
    public var hiddenSize = 1024
    /// The width inside the MLP.
    public var intermediateSize = 4096
    /// The number of layers.
    public var layerCount = 24
    /// The number of heads, H; it divides `hiddenSize`.
    public var headCount = 16
    /// The height and width of the picture in pixels, S.
    public var imageSize = 224
    /// The height and width of a patch in pixels.
    public var patchSize = 14
    /// The width of the embedding, D.
    public var projectionSize = 768
    /// The activation of the MLP.
    public var activation = EncoderActivation.quickGELU
    /// What is added to a variance before its root is taken.
    public var normEpsilon = 1e-5

    /// The sizes of CLIP ViT-L/14, to be changed field by field.
    public init() {}

    /// The number of patches: `(S / patch)²`, 256 as released.
    public var patchCount: Int { (imageSize / patchSize) * (imageSize / patchSize) }

    /// What makes the sizes impossible, as a sentence; nil if nothing does.
    package var problem: String? {
        let sizes = [
            ("hidden_size", hiddenSize), ("intermediate_size", intermediateSize),
            ("num_attention_heads", headCount), ("image_size", imageSize),
            ("patch_size", patchSize), ("projection_dim", projectionSize),
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

extension CLIPVisionConfig: Decodable {
    enum CodingKeys: String, CodingKey {
        case hiddenSize = "hidden_size"
        case intermediateSize = "intermediate_size"
        case layerCount = "num_hidden_layers"
        case headCount = "num_attention_heads"
        case imageSize = "image_size"
        case patchSize = "patch_size"
        case projectionSize = "projection_dim"
        case activation = "hidden_act"
        case normEpsilon = "layer_norm_eps"
    }
    private enum WholeKeys: String, CodingKey {
        case vision = "vision_config"
        case projectionSize = "projection_dim"
    }

    /// Reads a `config.json` of the vision encoder alone, or of a whole CLIP model, whose
    /// `vision_config` then counts.
    ///
    /// - Throws: `DecodingError` that names an impossible size or an activation that isn't known.
    public init(from decoder: any Decoder) throws {
        let whole = try decoder.container(keyedBy: WholeKeys.self)
        let keys =
            whole.contains(.vision)
            ? try whole.nestedContainer(keyedBy: CodingKeys.self, forKey: .vision)
            : try decoder.container(keyedBy: CodingKeys.self)
        hiddenSize = try keys.value(.hiddenSize, or: hiddenSize)
        intermediateSize = try keys.value(.intermediateSize, or: intermediateSize)
        layerCount = try keys.value(.layerCount, or: layerCount)
        headCount = try keys.value(.headCount, or: headCount)
        imageSize = try keys.value(.imageSize, or: imageSize)
        patchSize = try keys.value(.patchSize, or: patchSize)
        projectionSize = try whole.value(.projectionSize, or: projectionSize)
        activation = try keys.activation(.activation, or: activation)
        normEpsilon = try keys.value(.normEpsilon, or: normEpsilon)
        try keys.check(problem)
    }
}
