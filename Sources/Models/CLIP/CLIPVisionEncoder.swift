public import Torch
public import TorchNN

/// CLIP's vision encoder with its projection: one vector for a picture.
///
/// Source: transformers `CLIPVisionModelWithProjection`.
public final class CLIPVisionEncoder {
    /// The sizes.
    public let config: CLIPVisionConfig
    private let classEmbedding: Parameter
    private let patches: Conv2d
    private let positions: Embedding
    private let firstNorm: LayerNorm
    private let layers: [CLIPLayer]
    private let finalNorm: LayerNorm
    private let projection: Linear

    /// Builds the encoder from its weights, whose names begin with `vision_model` and
    /// `visual_projection`.
    ///
    /// - Throws: `ModelError` if the sizes are impossible; what the weights' source throws.
    public init(_ config: CLIPVisionConfig, _ weights: Weights) throws {
        if let problem = config.problem { throw ModelError(problem) }
        self.config = config
        let (width, patch) = (config.hiddenSize, [config.patchSize, config.patchSize])
        let vision = weights["vision_model"]
        let embeddings = vision["embeddings"]
        classEmbedding = try embeddings.parameter("class_embedding", [width], .normal(1))
        patches = try Conv2d(
            3, width, kernel: patch, stride: patch, bias: false, embeddings["patch_embedding"])
        positions = try Embedding(config.patchCount + 1, width, embeddings["position_embedding"])
        // Spelled so in the published files.
        firstNorm = try LayerNorm(width, eps: config.normEpsilon, vision["pre_layrnorm"])
        layers = try (0..<config.layerCount).map {
            try CLIPLayer(config.layerSizes, vision["encoder.layers"][$0])
        }
        finalNorm = try LayerNorm(width, eps: config.normEpsilon, vision["post_layernorm"])
        projection = try Linear(
            width, config.projectionSize, bias: false, weights["visual_projection"])
    }

    /// Gives each picture's embedding, `(B, D)`; its length is not 1.
    ///
    /// - Parameter pixelValues: Normalised pictures `(B, 3, S, S)`; see ``pixelValues(_:)``.
    /// - Throws: `ModelError` that names the shape found and the one wanted.
    public func callAsFunction(_ pixelValues: Tensor) throws -> Tensor {
        let wanted = [3, config.imageSize, config.imageSize]
        guard pixelValues.rank == 4, Array(pixelValues.shape.dropFirst()) == wanted,
            pixelValues.dim(0) > 0, pixelValues.dtype.isFloatingPoint
        else {
            throw ModelError(
                "pixel_values are \(pixelValues); wanted are numbers of (batch, "
                    + "\(wanted.map(String.init).joined(separator: ", ")))")
        }
        let table = positions.weight.value
        let input = try pixelValues.to(table.device, table.dtype)
        let start = try classEmbedding.value.expand([input.dim(0), 1, config.hiddenSize])
        var x = try Tensor.cat([start, patches(input).flatten(2).transpose(1, 2)], axis: 1)
        x = try firstNorm(x + table)
        for layer in layers { x = try layer(x) }
        return try projection(finalNorm(x.select(1, 0)))
    }

    /// Turns 8-bit levels of pictures that have their size already into the encoder's input.
    ///
    /// - Parameter levels: uint8 `(B, S, S, 3)`: resized by PIL's bicubic filter until the shorter
    ///   side is S, then cut to the centre.
    /// - Returns: float32 `(B, 3, S, S)`.
    ///
    /// Source: transformers `CLIPImageProcessor`.
    public static func pixelValues(_ levels: Tensor) throws -> Tensor {
        let mean = try Tensor([Float(0.48145466), 0.4578275, 0.40821073], [3, 1, 1])
        let deviation = try Tensor([Float(0.26862954), 0.26130258, 0.27577711], [3, 1, 1])
        let channels = try levels.permute(0, 3, 1, 2).to(.float32) / 255
        return try ((channels - mean.to(levels.device)) / deviation.to(levels.device)).contiguous()
    }

    /// Tells which names a published file may hold though the encoder doesn't read them: those of
    /// the text encoder, and the stored position ids.
    public static func isIgnored(_ name: String) -> Bool {
        name.hasPrefix("text_model.")
            || ["text_projection.weight", "logit_scale"].contains(name)
            || name == "vision_model.embeddings.position_ids"
    }
}

extension CLIPVisionConfig {
    /// Reads the sizes off a file's weights; heads are 64 wide, as in all published ones.
    ///
    /// - Parameter shape: The shape of the tensor of a name; nil where there is none.
    /// - Returns: Nil where the file has no CLIP vision encoder with a projection.
    public init?(shape: (String) -> [Int]?) {
        self.init()
        let layers = "vision_model.encoder.layers"
        guard let start = shape("vision_model.embeddings.class_embedding"),
            let patch = shape("vision_model.embeddings.patch_embedding.weight"),
            let positions = shape("vision_model.embeddings.position_embedding.weight"),
            let inner = shape("\(layers).0.mlp.fc1.weight"),
            let projection = shape("visual_projection.weight"), start.count == 1,
            patch.count == 4, positions.count == 2, inner.count == 2, projection.count == 2
        else { return nil }
        (hiddenSize, intermediateSize, patchSize) = (start[0], inner[0], patch[3])
        (headCount, projectionSize) = (max(hiddenSize / 64, 1), projection[0])
        imageSize = patchSize * Int(Double(positions[0] - 1).squareRoot().rounded())
        layerCount = (0..<4096).first { shape("\(layers).\($0).mlp.fc1.weight") == nil } ?? 0
    }
}
