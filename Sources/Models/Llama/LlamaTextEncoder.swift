public import Torch
public import TorchNN

/// The lower layers of a Llama model, which turn a prompt into the transformer's text tokens.
///
/// FramePack conditions on the hidden state −3 of all that the model gives, so the last two layers
/// and the final norm are neither built nor read. Source: FramePack section 3 of arXiv 2504.12626,
/// `encode_prompt_conds` of its code; transformers `LlamaModel`.
public final class LlamaTextEncoder {
    /// What published files put before every name; take off the first one that occurs.
    public static let prefixes = ["model."]

    /// The sizes.
    public let config: LlamaConfig
    private let embedding: Embedding
    private let layers: [LlamaLayer]

    /// Builds the encoder from its weights, which are named as in transformers' `LlamaModel`.
    ///
    /// - Parameter layerCount: How many layers to build; nil builds those that hidden state −3
    ///   needs, two less than the model has.
    /// - Throws: `ModelError` if the sizes are impossible; what the weights' source throws.
    public init(_ config: LlamaConfig, _ weights: Weights, layerCount: Int? = nil) throws {
        if let problem = config.problem { throw ModelError(problem) }
        let count = layerCount ?? config.layerCount - 2
        guard (0...config.layerCount).contains(count) else {
            throw ModelError(
                """
                hidden state -3 comes out of layer \(count) of a Llama model with \
                \(config.layerCount) layers; it needs 2 layers or more
                """)
        }
        self.config = config
        embedding = try Embedding(
            config.vocabularySize, config.hiddenSize, weights["embed_tokens"])
        layers = try (0..<count).map { try LlamaLayer(config, weights["layers"][$0]) }
    }

    /// Gives the hidden state of each token, `(B, T, C)`, without a final norm.
    ///
    /// - Parameters:
    ///   - inputIDs: Token ids `(B, T)`.
    ///   - attentionMask: 1 for text and 0 for padding in any type, `(B, T)`, padded on the right;
    ///     nil if nothing is padding. Rows of padding hold finite values without a meaning.
    ///   - dtype: The type to compute in; nil computes in that of the embedding table.
    ///   - onProgress: Called before each layer; what it throws ends the pass.
    /// - Throws: `ModelError` that names the input, the value found and the one wanted.
    public func callAsFunction(
        _ inputIDs: Tensor, _ attentionMask: Tensor? = nil, dtype: DType? = nil,
        onProgress: () throws -> Void = {}
    ) throws -> Tensor {
        let input = try TextInput(inputIDs, vocabularySize: config.vocabularySize)
        if let attentionMask { try input.checkRightPadded(attentionMask) }
        let table = embedding.weight.value
        // The table may lie in the machine's memory when the layers compute on a GPU.
        var x = try embedding(inputIDs.to(table.device, .int64))
            .to(layers.first?.device ?? table.device, dtype ?? table.dtype)
        let phases = try RotaryPhases(
            config, length: input.length, dtype: x.dtype, device: x.device)
        for layer in layers {
            try onProgress()
            x = try layer(x, phases)
        }
        return x
    }

    /// The shape of every weight in a published folder of these sizes, by name.
    ///
    /// - Throws: `ModelError` if the sizes are impossible.
    public static func publishedShapes(_ config: LlamaConfig) throws -> [String: [Int]] {
        let weights = Weights(ShapesOnly())
        _ = try LlamaTextEncoder(config, weights, layerCount: config.layerCount)
        var shapes = weights.store.tensors.mapValues(\.shape)
        shapes["norm.weight"] = [config.hiddenSize]
        return shapes
    }

    /// Tells which names a published file may hold though the encoder doesn't read them.
    ///
    /// These are the upper layers, the final norm, the language model's head, stored rotary
    /// frequencies, and a tokenizer that some single files carry.
    public static func ignoredKeys(_ config: LlamaConfig, layerCount: Int? = nil) throws -> (
        String
    ) -> Bool {
        let weights = Weights(ShapesOnly())
        _ = try LlamaTextEncoder(config, weights, layerCount: layerCount)
        let unread = Set(try publishedShapes(config).keys)
            .subtracting(weights.store.tensors.keys)
        return { name in
            let bare = withoutPrefix(name, prefixes)
            return unread.contains(bare) || name == "lm_head.weight" || name == "tokenizer"
                || bare.hasSuffix("rotary_emb.inv_freq")
        }
    }
}
