public import Models
public import Tokenizers
public import Torch

/// What the two text encoders make of one prompt.
public struct EncodedPrompt {
    /// Llama's states, `(1, 512, C)` in float32; zeros after `length`.
    public let embeds: Tensor
    /// How many of the states are text.
    public let length: Int
    /// CLIP's pooled state, `(1, P)` in float32.
    public let pooled: Tensor

    /// Puts the parts together.
    ///
    /// - Parameters:
    ///   - embeds: Llama's states, `(1, 512, C)` in float32; C is 4096 as released.
    ///   - length: How many of the states are text, 1 to 512.
    ///   - pooled: CLIP's pooled state, `(1, P)` in float32; P is 768 as released.
    public init(embeds: Tensor, length: Int, pooled: Tensor) {
        (self.embeds, self.length, self.pooled) = (embeds, length, pooled)
    }

    /// The prompt beside a picture's states, for the transformer.
    ///
    /// - Parameters:
    ///   - vision: SigLIP's states, `(1, I, C)`; nil for a start without a picture.
    ///   - device: Where the transformer is.
    /// - Returns: Text states `(1, length, C)` without padding, pooled text `(1, P)` and the vision
    ///   states.
    /// - Throws: `TorchError` for a device that is not there, or that has no memory left
    ///   (`.outOfMemory`).
    public func conditioning(vision: Tensor?, on device: Device = .cpu) throws -> Conditioning {
        Conditioning(
            promptEmbeds: try embeds.narrow(1, 0, length).to(device), textLengths: [length],
            pooled: try pooled.to(device), imageEmbeds: try vision?.to(device))
    }
}

/// Turns prompts into the transformer's text tokens and pooled text.
///
/// Source: `encode_prompt_conds` and `crop_or_pad_yield_mask` in `diffusers_helper`.
public struct PromptEncoder {
    /// Tokens of a prompt that are read at most.
    public static let longestPrompt = 256
    /// Places that the states are padded to.
    public static let paddedLength = 512

    private let tokenizer, tokenizer2: Tokenizer
    private let llama: LlamaTextEncoder
    private let clip: CLIPTextEncoder
    private let crop: Int
    private let dtype: DType
    private let onProgress: () throws -> Void

    /// Makes an encoder.
    ///
    /// - Parameters:
    ///   - tokenizer: Llama's.
    ///   - tokenizer2: CLIP's.
    ///   - crop: Tokens of the template's head, which are cut off; see ``PromptTemplate``.
    ///   - dtype: The type to compute in.
    ///   - onProgress: Called before each layer of Llama; what it throws ends the encoding.
    public init(
        tokenizer: Tokenizer, tokenizer2: Tokenizer, llama: LlamaTextEncoder,
        clip: CLIPTextEncoder, crop: Int, dtype: DType = .float32,
        onProgress: @escaping () throws -> Void = {}
    ) {
        (self.tokenizer, self.tokenizer2) = (tokenizer, tokenizer2)
        (self.llama, self.clip, self.crop, self.dtype) = (llama, clip, crop, dtype)
        self.onProgress = onProgress
    }

    /// Encodes a prompt.
    ///
    /// - Returns: States `(1, 512, C)` and pooled text `(1, P)`, in float32 on the CPU.
    /// - Throws: `FramePackError.model` where the crop leaves no token of the prompt; what
    ///   `onProgress` throws; `TorchError`, `.outOfMemory` among them.
    public func callAsFunction(_ prompt: String) throws -> EncodedPrompt {
        let states = try llamaStates(prompt)
        let length = states.dim(1)
        let ids = try tokenizer2.encode(prompt, length: clip.config.positionCount).ids
        let pooled = try clip(Self.row(ids), dtype: dtype).pooled
        return EncodedPrompt(
            embeds: try states.pad([0, 0, 0, Self.paddedLength - length], .constant(0)),
            length: length, pooled: try pooled.to(.cpu, .float32))
    }

    private func llamaStates(_ prompt: String) throws -> Tensor {
        // Nothing looks ahead, so the padding behind the text can be left out.
        let ids = try tokenizer.encode(
            PromptTemplate.filled(prompt), maximumLength: Self.longestPrompt + crop
        ).ids
        guard ids.count > crop else {
            throw FramePackError.model(
                "The prompt has \(ids.count) tokens with its template, and \(crop) are cut off; "
                    + "correct promptCrop in the model's framepack.json.")
        }
        let states = try llama(Self.row(ids), dtype: dtype, onProgress: onProgress)
        return try states.narrow(1, crop, ids.count - crop).to(.cpu, .float32)
    }

    private static func row(_ ids: [Int]) throws -> Tensor {
        try Tensor(ids.map(Int64.init), [1, ids.count])
    }
}
