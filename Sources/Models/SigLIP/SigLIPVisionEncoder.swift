public import Torch
public import TorchNN

/// SigLIP's vision encoder, which turns the start image into the transformer's vision tokens.
///
/// Source: transformers `SiglipVisionModel`.
public final class SigLIPVisionEncoder {
    /// What published files put before every name; take off the first one that occurs.
    public static let prefixes = ["vision_model."]

    /// The sizes.
    public let config: SigLIPVisionConfig
    private let patches: Conv2d
    private let positions: Embedding
    private let layers: [CLIPLayer]
    private let finalNorm: LayerNorm

    /// Builds the encoder from its weights, whose names begin with `embeddings`, `encoder` and
    /// `post_layernorm`.
    ///
    /// - Throws: `ModelError` if the sizes are impossible; what the weights' source throws.
    public init(_ config: SigLIPVisionConfig, _ weights: Weights) throws {
        if let problem = config.problem { throw ModelError(problem) }
        self.config = config
        let (width, patch) = (config.hiddenSize, [config.patchSize, config.patchSize])
        let embeddings = weights["embeddings"]
        patches = try Conv2d(
            config.channelCount, width, kernel: patch, stride: patch,
            embeddings["patch_embedding"])
        positions = try Embedding(config.patchCount, width, embeddings["position_embedding"])
        layers = try (0..<config.layerCount).map {
            try CLIPLayer(config.layerSizes, weights["encoder.layers"][$0])
        }
        finalNorm = try LayerNorm(width, eps: config.normEpsilon, weights["post_layernorm"])
    }

    /// Gives the last hidden state of each patch, `(B, N, C)`, row by row of the picture.
    ///
    /// - Parameters:
    ///   - pixelValues: Normalised pictures `(B, 3, S, S)`, in [-1, 1] as released.
    ///   - dtype: The type to compute in; nil computes in that of `pixelValues`.
    ///   - onProgress: Called before each layer; what it throws ends the pass.
    /// - Throws: `ModelError` that names the shape found and the one wanted.
    public func callAsFunction(
        _ pixelValues: Tensor, dtype: DType? = nil, onProgress: () throws -> Void = {}
    ) throws -> Tensor {
        let wanted = [config.channelCount, config.imageSize, config.imageSize]
        guard pixelValues.rank == 4, Array(pixelValues.shape.dropFirst()) == wanted,
            pixelValues.dim(0) > 0
        else {
            throw ModelError(
                """
                pixel_values has the shape \(pixelValues.shape); wanted is (batch, \
                \(wanted.map(String.init).joined(separator: ", ")))
                """)
        }
        guard pixelValues.dtype.isFloatingPoint else {
            throw ModelError(
                "pixel_values is \(pixelValues.dtype); wanted are normalised floating point numbers"
            )
        }
        let dtype = dtype ?? pixelValues.dtype
        let input = try pixelValues.to(positions.weight.value.device, dtype)
        var x = try patches(input).flatten(2).transpose(1, 2) + positions.weight.value(as: dtype)
        for layer in layers {
            try onProgress()
            x = try layer(x)
        }
        return try finalNorm(x)
    }

    /// The shape of every weight in a published folder of these sizes, by name.
    ///
    /// - Throws: `ModelError` if the sizes are impossible.
    public static func publishedShapes(_ config: SigLIPVisionConfig) throws -> [String: [Int]] {
        let weights = Weights(ShapesOnly())
        _ = try SigLIPVisionEncoder(config, weights["vision_model"])
        let head = config.hasHead ? headShapes(config) : [:]
        return weights.store.tensors.mapValues(\.shape).merging(
            head.map { ("vision_model.\($0.key)", $0.value) }
        ) { first, _ in first }
    }

    /// Tells which names a published file may hold though the encoder doesn't read them: those of
    /// the pooling head and the stored position ids.
    public static func ignoredKeys(_ config: SigLIPVisionConfig) -> (String) -> Bool {
        let unread = Set(headShapes(config).keys).union(["embeddings.position_ids"])
        return { unread.contains(withoutPrefix($0, prefixes)) }
    }

    private static func headShapes(_ config: SigLIPVisionConfig) -> [String: [Int]] {
        let (width, inner) = (config.hiddenSize, config.intermediateSize)
        return [
            "head.probe": [1, 1, width],
            "head.attention.in_proj_weight": [3 * width, width],
            "head.attention.in_proj_bias": [3 * width],
            "head.attention.out_proj.weight": [width, width],
            "head.attention.out_proj.bias": [width],
            "head.layernorm.weight": [width],
            "head.layernorm.bias": [width],
            "head.mlp.fc1.weight": [inner, width],
            "head.mlp.fc1.bias": [inner],
            "head.mlp.fc2.weight": [width, inner],
            "head.mlp.fc2.bias": [width],
        ]
    }
}
