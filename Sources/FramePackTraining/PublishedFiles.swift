import Models
import Tokenizers

/// Files of the released layout that hold the same in every small model.
enum PublishedFiles {
    /// `model_index.json`: which class of which library reads each folder.
    static let index = """
        {
          "_class_name": "HunyuanVideoFramepackPipeline",
          "_diffusers_version": "0.34.0",
          "feature_extractor": ["transformers", "SiglipImageProcessor"],
          "image_encoder": ["transformers", "SiglipVisionModel"],
          "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
          "text_encoder": ["transformers", "LlamaModel"],
          "text_encoder_2": ["transformers", "CLIPTextModel"],
          "tokenizer": ["transformers", "LlamaTokenizerFast"],
          "tokenizer_2": ["transformers", "CLIPTokenizer"],
          "transformer": ["diffusers", "HunyuanVideoFramepackTransformer3DModel"],
          "vae": ["diffusers", "AutoencoderKLHunyuanVideo"]
        }

        """

    /// `scheduler_config.json`, as released.
    static let scheduler = """
        {
          "_class_name": "FlowMatchEulerDiscreteScheduler",
          "_diffusers_version": "0.34.0",
          "num_train_timesteps": 1000,
          "shift": 7.0,
          "use_dynamic_shifting": false
        }

        """
}

/// A VAE's configuration with the keys that diffusers wants besides ours.
struct PublishedVAEConfig: Encodable {
    private let config: VAEConfig

    init(_ config: VAEConfig) { self.config = config }

    private enum CodingKeys: String, CodingKey {
        case className = "_class_name"
        case activation = "act_fn"
        case downBlocks = "down_block_types"
        case upBlocks = "up_block_types"
    }

    func encode(to encoder: any Encoder) throws {
        try config.encode(to: encoder)
        var keys = encoder.container(keyedBy: CodingKeys.self)
        let count = config.blockOutChannels.count
        try keys.encode("AutoencoderKLHunyuanVideo", forKey: .className)
        try keys.encode("silu", forKey: .activation)
        try keys.encode(
            [String](repeating: "HunyuanVideoDownBlock3D", count: count), forKey: .downBlocks)
        try keys.encode(
            [String](repeating: "HunyuanVideoUpBlock3D", count: count), forKey: .upBlocks)
    }
}

/// A text encoder's configuration with the special tokens that transformers wants besides ours.
struct PublishedTextConfig<Config: Encodable>: Encodable {
    private let config: Config
    private let tokenizer: Tokenizer

    init(_ config: Config, _ tokenizer: Tokenizer) {
        (self.config, self.tokenizer) = (config, tokenizer)
    }

    private enum CodingKeys: String, CodingKey {
        case begin = "bos_token_id"
        case end = "eos_token_id"
        case padding = "pad_token_id"
    }

    func encode(to encoder: any Encoder) throws {
        try config.encode(to: encoder)
        var keys = encoder.container(keyedBy: CodingKeys.self)
        try keys.encodeIfPresent(tokenizer.beginTokenID, forKey: .begin)
        try keys.encodeIfPresent(tokenizer.endTokenID, forKey: .end)
        try keys.encodeIfPresent(tokenizer.padTokenID, forKey: .padding)
    }
}
