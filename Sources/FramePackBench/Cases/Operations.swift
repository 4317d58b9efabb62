import Models

/// Floating point operations, counted from shapes alone; a multiplication and an addition are two.
enum Operations {
    /// The blocks of a transformer, which take all but a hundredth of a pass.
    ///
    /// Of a token, a block's linear layers multiply 4 C² and 2 C I weights (attention and
    /// feed-forward of the inner width I), attention meets every other token twice.
    static func blocks(_ config: TransformerConfig, tokens: Int) -> Double {
        let (width, inner) = (Double(config.hiddenSize), Double(config.feedForwardSize))
        let blocks = Double(config.doubleBlockCount + config.singleBlockCount)
        let linear = 2 * Double(tokens) * (4 * width * width + 2 * width * inner)
        return blocks * (linear + attention(tokens, width))
    }

    /// Scores and sums of attention in which every token meets every one.
    static func attention(_ tokens: Int, _ width: Double) -> Double {
        4 * Double(tokens) * Double(tokens) * width
    }

    /// Decoding in the windows of a plan.
    static func decoding(_ config: VAEConfig, _ tiling: VAETiling, shape: [Int]) -> Double {
        tiling.windows(latentCount: shape[0], config).reduce(0) { sum, window in
            let cost = config.decodingOperations(
                latents: window.count, height: shape[1], width: shape[2])
            return sum + cost.convolution + cost.attention
        }
    }

    /// A Llama encoder; half of what attention could meet is hidden from it.
    static func llama(_ config: LlamaConfig, tokens: Int) -> Double {
        let width = Double(config.hiddenSize)
        let keys = Double(config.keyValueHeadCount * config.headSize)
        let queries = Double(config.headCount * config.headSize)
        let weights =
            2 * width * queries + 2 * width * keys + 3 * width * Double(config.intermediateSize)
        let layer = 2 * Double(tokens) * weights + attention(tokens, queries) / 2
        return Double(config.layerCount) * layer
    }

    /// A layer of CLIP or SigLIP.
    static func encoderLayer(tokens: Int, width: Int, inner: Int) -> Double {
        let (width, inner) = (Double(width), Double(inner))
        return 2 * Double(tokens) * (4 * width * width + 2 * width * inner)
            + attention(tokens, width)
    }
}
