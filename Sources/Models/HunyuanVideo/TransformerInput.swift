public import Torch

/// Where frames stand in the video: for the whole batch, or for each sample of it.
public enum FrameIndices: Sendable, Equatable {
    /// The same indices in every sample.
    case shared([Int])
    /// Indices of each sample, all of one length.
    case perSample([[Int]])

    /// The number of frames; nil if samples disagree.
    public var count: Int? {
        switch self {
        case .shared(let indices): indices.count
        case .perSample(let rows):
            rows.allSatisfy { $0.count == rows[0].count } ? rows.first?.count : nil
        }
    }

    /// The indices as `(B, F)` in float32; B is 1 where they are shared.
    func tensor(on device: Device) throws -> Tensor {
        let rows =
            switch self {
            case .shared(let indices): [indices]
            case .perSample(let rows): rows
            }
        return try Tensor(rows.joined().map(Float.init), [rows.count, rows[0].count]).to(device)
    }
}

/// What a prompt and a start image say to the transformer.
public struct Conditioning {
    /// States of the text encoder, `(B, T, C)`; those after a sample's length are ignored.
    public var promptEmbeds: Tensor
    /// How many of the T states are text, for each sample; at least 1.
    public var textLengths: [Int]
    /// Pooled text, `(B, P)`.
    public var pooled: Tensor
    /// States of the vision encoder, `(B, I, C)`; nil for a start without a picture.
    public var imageEmbeds: Tensor?

    /// Puts the parts together; ``TransformerInput/validate(for:)`` checks them.
    ///
    /// - Parameters:
    ///   - promptEmbeds: States of the text encoder, `(B, T, C)` with C 4096 as released.
    ///   - textLengths: How many of the T states are text, for each of B samples; all if nil.
    ///   - pooled: Pooled text, `(B, P)` with P 768 as released.
    ///   - imageEmbeds: States of the vision encoder, `(B, I, C)` with I 729 and C 1152 as
    ///     released; nil for a start without a picture.
    public init(
        promptEmbeds: Tensor, textLengths: [Int]? = nil, pooled: Tensor, imageEmbeds: Tensor? = nil
    ) {
        self.promptEmbeds = promptEmbeds
        self.textLengths =
            textLengths ?? Array(repeating: promptEmbeds.dim(1), count: promptEmbeds.dim(0))
        self.pooled = pooled
        self.imageEmbeds = imageEmbeds
    }

    /// The text lengths that a mask `(B, T)` of 0 and 1 stands for.
    ///
    /// - Parameter mask: Of any type; each row is ones followed by zeros.
    /// - Returns: B lengths of 0 to T.
    /// - Throws: `ModelError` that names `encoder_attention_mask` unless each row is ones followed
    ///   by zeros.
    public static func textLengths(mask: Tensor) throws -> [Int] {
        guard mask.rank == 2 else {
            throw ModelError("encoder_attention_mask is \(mask.shape); it must be (B, T).")
        }
        let width = mask.dim(1)
        let values = try mask.to(.cpu, .float32).array(Float.self)
        return try (0..<mask.dim(0)).map { sample in
            let row = values[sample * width..<(sample + 1) * width]
            let length = row.prefix { $0 == 1 }.count
            guard row.dropFirst(length).allSatisfy({ $0 == 0 }) else {
                throw ModelError(
                    """
                    encoder_attention_mask, sample \(sample): it must be ones followed by zeros; \
                    after \(length) ones it goes on otherwise.
                    """)
            }
            return length
        }
    }
}

/// Everything that one pass of the transformer reads.
public struct TransformerInput {
    /// Noisy latents of the section, `(B, 16, F, h, w)`.
    public var latents: Tensor
    /// 1000 · sigma, `(B)`, on any device.
    public var timestep: Tensor
    /// 1000 · distilled guidance scale, `(B)`, on any device; nil only for a model without that input.
    public var guidance: Tensor?
    /// The places of the section's frames in the video.
    public var indices: FrameIndices
    /// The history.
    public var context: PackedContext
    /// Prompt and picture.
    public var conditioning: Conditioning

    /// Puts the parts together; ``validate(for:)`` checks them.
    ///
    /// - Parameters:
    ///   - latents: Noisy latents of the section, `(B, 16, F, h, w)`; h and w are multiples of the
    ///     patch, 2 as released.
    ///   - timestep: 1000 · sigma, `(B)`, on any device: where a run has a memory, the CPU is best.
    ///   - guidance: 1000 · distilled guidance scale, `(B)`, as `timestep`; nil only for a model
    ///     without that input.
    ///   - indices: One for each of the F frames.
    ///   - context: The history, with the section's B, h and w.
    ///   - conditioning: Prompt and picture of B samples.
    public init(
        latents: Tensor, timestep: Tensor, guidance: Tensor?, indices: FrameIndices,
        context: PackedContext = PackedContext(), conditioning: Conditioning
    ) {
        self.latents = latents
        self.timestep = timestep
        self.guidance = guidance
        self.indices = indices
        self.context = context
        self.conditioning = conditioning
    }
}
