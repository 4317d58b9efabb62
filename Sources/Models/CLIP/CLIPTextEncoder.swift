public import Torch
public import TorchNN

/// CLIP's text encoder, which gives the transformer one vector for the whole prompt.
///
/// Source: transformers `CLIPTextModel`.
public final class CLIPTextEncoder {
    /// What published files put before every name; take off the first one that occurs.
    public static let prefixes = ["text_model."]

    /// What the encoder gives.
    public struct Output {
        /// The hidden state of each token after the last norm, `(B, T, C)`.
        public let lastHiddenState: Tensor
        /// The hidden state of the token that ends the text, `(B, C)`; no projection.
        public let pooled: Tensor
    }

    /// The sizes.
    public let config: CLIPTextConfig
    private let tokens: Embedding
    private let positions: Embedding
    private let layers: [CLIPLayer]
    private let finalNorm: LayerNorm

    /// Builds the encoder from its weights, whose names begin with `embeddings`, `encoder` and
    /// `final_layer_norm`.
    ///
    /// - Throws: `ModelError` if the sizes are impossible; what the weights' source throws.
    public init(_ config: CLIPTextConfig, _ weights: Weights) throws {
        if let problem = config.problem { throw ModelError(problem) }
        self.config = config
        let width = config.hiddenSize
        let embeddings = weights["embeddings"]
        tokens = try Embedding(config.vocabularySize, width, embeddings["token_embedding"])
        positions = try Embedding(
            config.positionCount, width, deviation: 0.1, embeddings["position_embedding"])
        layers = try (0..<config.layerCount).map {
            try CLIPLayer(config.layerSizes, weights["encoder.layers"][$0])
        }
        finalNorm = try LayerNorm(width, eps: config.normEpsilon, weights["final_layer_norm"])
    }

    /// Encodes token ids `(B, T)`, with T up to the number of positions (77 as released).
    ///
    /// - Parameters:
    ///   - inputIDs: Whole numbers, each in the vocabulary.
    ///   - dtype: The type to compute in; nil computes in that of the embedding table.
    /// - Returns: `(B, T, C)` and `(B, C)` in that type, on the weights' device.
    /// - Throws: `ModelError` that names the input, the value found and the one wanted.
    public func callAsFunction(_ inputIDs: Tensor, dtype: DType? = nil) throws -> Output {
        let input = try TextInput(inputIDs, vocabularySize: config.vocabularySize)
        guard input.length <= config.positionCount else {
            throw ModelError(
                """
                input_ids has \(input.length) tokens a row; this text encoder has \
                \(config.positionCount) positions, so cut longer texts
                """)
        }
        let table = tokens.weight.value
        let dtype = dtype ?? table.dtype
        let places = try positions.weight.value(as: dtype).narrow(0, 0, input.length)
        var x = try tokens(inputIDs.to(table.device, .int64)).to(dtype) + places
        for layer in layers { x = try layer(x) }
        x = try finalNorm(x)
        let rows = (0..<input.batch).map { Int64($0 * input.length + endPosition(input, row: $0)) }
        let pooled = try x.flatten(0, 1).indexSelect(0, Tensor(rows).to(x.device))
        return Output(lastHiddenState: x, pooled: pooled)
    }

    /// The position of the first token that ends a row's text; 0 if none does.
    private func endPosition(_ input: TextInput, row: Int) -> Int {
        let ids = input.ids[(row * input.length)..<((row + 1) * input.length)]
        let end = config.endTokenID == 2 ? ids.max() : Int64(config.endTokenID)
        return (ids.firstIndex { $0 == end } ?? ids.startIndex) - ids.startIndex
    }

    /// The shape of every weight in a published folder of these sizes, by name.
    ///
    /// - Throws: `ModelError` if the sizes are impossible.
    public static func publishedShapes(_ config: CLIPTextConfig) throws -> [String: [Int]] {
        let weights = Weights(ShapesOnly())
        _ = try CLIPTextEncoder(config, weights["text_model"])
        return weights.store.tensors.mapValues(\.shape)
    }

    /// Tells which names a published file may hold though the encoder doesn't read them.
    ///
    /// These are the stored position ids and the projection of a whole CLIP model.
    public static func ignoredKeys(_ config: CLIPTextConfig) -> (String) -> Bool {
        { name in
            withoutPrefix(name, prefixes) == "embeddings.position_ids"
                || ["text_projection.weight", "logit_scale"].contains(name)
        }
    }
}
