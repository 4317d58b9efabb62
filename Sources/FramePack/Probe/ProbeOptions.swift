public import Models
public import Torch

/// The part of the system that a probe runs.
public enum ProbeComponent: String, CaseIterable, Sendable {
    /// The packed transformer, one pass or all steps of a step cache.
    case transformer
    /// Video to the moments of its latents.
    case vaeEncode = "vae-encode"
    /// Latents to video.
    case vaeDecode = "vae-decode"
    /// The Llama text encoder.
    case llama
    /// The CLIP text encoder.
    case clip
    /// The SigLIP vision encoder with its preprocessing.
    case siglip
    /// A tokenizer.
    case tokenize
    /// The noise levels.
    case sigmas
    /// A sampler on a closed form.
    case sample
    /// Everything from a picture and a prompt to pixels.
    case pipeline
}

/// What a probe can be told beside its tensors; each component reads what concerns it.
public struct ProbeOptions: Sendable {
    /// Where the component runs.
    public var device = Device.cpu
    /// The type of the arithmetic.
    public var dtype = DType.float32
    /// LoRA files with their strengths, in `transformer` and `pipeline`.
    public var lora: [AppliedLoRA] = []
    /// What reuses work between steps, in `transformer` and `pipeline`.
    public var stepCache = StepCacheChoice.none
    /// The threshold of the step cache, 0 to 1; nil for the cache's own.
    public var threshold: Double?
    /// The tiles of `vae-encode` and `vae-decode`.
    public var tiling = VAETiling.reference
    /// Whether `vae-decode` decodes each latent once.
    public var streaming = false
    /// Positions that `llama` cuts off in front; nil for 95.
    public var crop: Int?
    /// Tokens of the generated latents, in `sigmas` and `sample`.
    public var tokens: Int?
    /// Steps of the sampler, 1 or more.
    public var steps: Int?
    /// The shift of the noise levels; nil for the official rule.
    public var shift: Double?
    /// The sampler of `sample` and `pipeline`.
    public var sampler = SamplerChoice.unipc
    /// The closed form of `sample`.
    public var function = ClosedForm.tanh
    /// The order of `pipeline`.
    public var order = SamplingOrder.inverted
    /// Latents of a section in `pipeline`.
    public var window = 9
    /// Sections of `pipeline`.
    public var sections = 1
    /// Distilled guidance of `pipeline`.
    public var guidance = 10.0
    /// True guidance of `pipeline`.
    public var cfg = 1.0
    /// The prompt of `pipeline`.
    public var prompt = ""
    /// The negative prompt of `pipeline`.
    public var negativePrompt = ""
    /// The seed of `pipeline`, where its input has no noise.
    public var seed = 31337
    /// Whether `pipeline` takes the picture's own size instead of a bucket.
    public var keepsSize = false

    /// The defaults.
    public init() {}
}
