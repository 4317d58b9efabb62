/// The sizes of a FramePack transformer, from which its parameters are counted.
public struct TransformerSize: Equatable, Codable, Sendable {
    /// Channels of a token, C.
    public var hiddenSize = 3072
    /// Channels of a head, D.
    public var headSize = 128
    /// Double-stream blocks.
    public var doubleBlocks = 20
    /// Single-stream blocks.
    public var singleBlocks = 40
    /// Blocks of the text refiner.
    public var refinerBlocks = 2
    /// Channels of the text encoder's tokens.
    public var textSize = 4096
    /// Channels of the pooled text.
    public var pooledSize = 768
    /// Channels of the vision encoder's tokens.
    public var visionSize = 1152
    /// Channels of the latents.
    public var latentChannels = 16

    /// The released sizes; change what differs.
    public init() {}

    /// All blocks but those of the refiner.
    public var blockCount: Int { doubleBlocks + singleBlocks }

    /// Parameters of the whole network: 12.874 billion at the released sizes.
    ///
    /// With C the width, a linear layer C to C is counted as C^2 + C, and so on: a double block is
    /// 36 C^2 + 30 C + 4 D, a single block 15 C^2 + 11 C + 2 D, a refiner block 14 C^2 + 15 C.
    public var parameterCount: Int {
        doubleBlocks * doubleBlockParameters + singleBlocks * singleBlockParameters
            + refinerParameters + embeddingParameters + outputParameters
    }

    /// Parameters of one double-stream block: two adaLN layers (6C), eight projections, two
    /// feed-forward layers of 4C, four head norms.
    public var doubleBlockParameters: Int { 36 * square + 30 * hiddenSize + 4 * headSize }
    /// Parameters of one single-stream block: adaLN (3C), three projections, 4C up, 5C down.
    public var singleBlockParameters: Int { 15 * square + 11 * hiddenSize + 2 * headSize }

    /// Weights of the blocks' linear layers but for modulation, which may be held in few bits: 24 C^2
    /// of a double block, 12 C^2 of a single one.
    var quantizableParameters: Int { (24 * doubleBlocks + 12 * singleBlocks) * square }

    /// Numbers of the largest weight of a linear layer: in the released model a double block's modulation,
    /// C to 6 C; in very small ones an embedder's.
    package var largestWeight: Int {
        let inputs = [
            6 * hiddenSize, 256, textSize, pooledSize, 3 * visionSize, 4 * latentChannels,
        ]
        return hiddenSize * (inputs.max() ?? 0)
    }

    private var square: Int { hiddenSize * hiddenSize }

    private func linear(_ input: Int, _ output: Int) -> Int { (input + 1) * output }

    private var refinerParameters: Int {
        let block = 14 * square + 15 * hiddenSize
        let entrance = linear(textSize, hiddenSize)
        return refinerBlocks * block + entrance + embedder(textSize) + embedder(256)
    }

    /// A two-layer embedder from any width.
    private func embedder(_ input: Int) -> Int {
        linear(input, hiddenSize) + linear(hiddenSize, hiddenSize)
    }

    private var embeddingParameters: Int {
        let conditions = 2 * embedder(256) + embedder(pooledSize)
        let vision = linear(visionSize, 3 * hiddenSize) + linear(3 * hiddenSize, hiddenSize)
        // The kernels of x and of clean latents at 1x, 2x and 4x hold 4, 4, 32 and 256 latents.
        let patches = [4, 4, 32, 256].reduce(0) { $0 + linear(latentChannels * $1, hiddenSize) }
        return conditions + vision + patches
    }

    private var outputParameters: Int {
        linear(hiddenSize, 2 * hiddenSize) + linear(hiddenSize, 4 * latentChannels)
    }
}

/// The sizes of a whole model, as far as they decide its memory.
public struct ModelSize: Equatable, Codable, Sendable {
    /// The transformer.
    public var transformer = TransformerSize()
    /// Parameters of the two text encoders: 7.5 billion and 123 million.
    public var textEncoderParameters = 7_505_000_000 + 123_000_000
    /// Parameters of the vision encoder.
    public var visionEncoderParameters = 428_000_000
    /// Numbers of the largest weight of the encoders' linear layers: Llama's feed-forward.
    public var encoderLargestWeight = 4096 * 14_336
    /// Tokens that the vision encoder gives.
    public var visionTokens = 729
    /// Parameters of the VAE.
    public var vaeParameters = 246_000_000
    /// Channels of the VAE's last level.
    public var vaeChannels = 128
    /// Channels that the VAE's last level begins with.
    public var vaeUpsampledChannels = 256
    /// Whether the VAE decodes in pieces of rows, as it does by the fused kernels of a CPU.
    public var decodesInPieces = true
    /// Whether norms and what follows them are one pass, as by the fused kernels.
    public var normsAreFused = true
    /// Bytes of int8 weights that are there a second time, in the order of their product.
    public var packedTransformerBytes = 0
    /// Whether the transformer's numbers are converted from another type as they are read.
    public var convertsTransformer = false
    /// Whether the transformer's numbers are rounded to few bits as they are read.
    public var roundsTransformer = false
    /// Bytes of a number of the transformer: 2 for bf16 and f16, 4 for f32.
    public var transformerBytes = 2
    /// Bytes of the transformer's weights where some are held in few bits; nil where all are
    /// numbers of `transformerBytes`.
    public var transformerWeights: Int?
    /// Bytes of a parameter of the encoders, which keep the type of their files.
    public var encoderBytes = 2
    /// Bytes of a number of the VAE: 2 for f16, 4 for f32.
    public var vaeBytes = 2

    /// The released sizes; change what differs.
    public init() {}
}
