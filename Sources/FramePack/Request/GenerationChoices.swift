/// The sampler of a section.
public enum SamplerChoice: String, Codable, Sendable, CaseIterable {
    /// UniPC with B(h) = h: what the reference uses.
    case unipc
    /// UniPC with B(h) = e^h - 1.
    case unipcBH2 = "unipc-bh2"
    /// Euler's method, down to sigma 0.
    case euler
}

/// What reuses the network's work from one step to the next; see `docs/step-caches.md`.
public enum StepCacheChoice: String, Codable, Sendable, CaseIterable {
    /// Every step is computed.
    case none
    /// TeaCache, by the change of the first block's input.
    case teacache
    /// MagCache, by what is known of the model.
    case magcache
    /// EasyCache, by the change of the latents.
    case easycache
    /// The first-block cache, by the change of what the first block adds.
    case firstBlock = "first-block"
}

/// How latents become frames.
public enum DecodeChoice: String, Codable, Sendable, CaseIterable {
    /// Overlapping windows of latents, as the reference decodes; those done before are kept.
    case windows
    /// Each latent once, with what the decoder needs of the latents before kept: quicker, and not
    /// exactly the same.
    case streaming
}

/// The form of the output.
public enum OutputFormat: String, Codable, Sendable, CaseIterable {
    /// H.264 in an mp4 file.
    case mp4
    /// One PNG file a frame, in a folder.
    case png
    /// An animated GIF.
    case gif
    /// An animated WebP.
    case webp
}

/// The number type of the networks' arithmetic.
public enum PrecisionChoice: String, Codable, Sendable, CaseIterable {
    /// 32-bit floating point.
    case f32
    /// bfloat16.
    case bf16
    /// 16-bit floating point.
    case f16
}

/// How the weights of the transformer's blocks are held; see `docs/weight-formats.md`.
public enum WeightFormatChoice: String, Codable, Sendable, CaseIterable {
    /// As its files are stored.
    case stored
    /// fp8 with a scale for each row.
    case fp8
    /// fp8 with a scale for each 64 weights.
    case fp8Block = "fp8-block"
    /// int8 with a scale for each row.
    case int8
    /// int4 with a scale for each 64 weights.
    case int4
    /// ggml's blocks of 8 bits.
    case q8_0
    /// ggml's blocks of 6 bits.
    case q6_k
    /// ggml's blocks of 4 bits.
    case q4_k
}
