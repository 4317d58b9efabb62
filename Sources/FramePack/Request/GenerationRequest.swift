/// Everything that is asked of one generation.
///
/// The fields have the same names in JSON (as here), on the command line (`negativePrompt` is
/// `--negative-prompt`) and in the user interface. A field that JSON leaves out has its default.
public struct GenerationRequest: Sendable, Equatable, Encodable {
    /// What moves, and how: 1 to 1,000 words.
    ///
    /// It may hold time marks, `[0s: a girl stands] [2.5s: she dances]`. No default.
    public var prompt: String
    /// Further prompts with their time in seconds.
    ///
    /// Default: none.
    public var promptAt: [TimedPrompt] = []
    /// What the video shall not show, up to 1,000 words; matters only where `cfg` is not 1.
    ///
    /// Default: empty.
    public var negativePrompt: String = ""
    /// The path of the picture that the video begins with.
    ///
    /// Default: none, a start from text alone.
    public var image: String?
    /// The path of the picture that the video runs towards; inverted order only.
    ///
    /// Default: none.
    public var endImage: String?

    /// The length in seconds, above 0 up to 3600, rounded to whole sections.
    ///
    /// Default: 5, where `frames` is not given either.
    public var seconds: Double?
    /// The exact length in frames, 1 to 108,001; excludes `seconds`.
    ///
    /// Default: none.
    public var frames: Int?
    /// Frames per second of the output, 1 to 120; the models are trained at 30.
    ///
    /// Default: 30.
    public var fps: Int = 30

    /// The height in pixels, a multiple of 16 from 32 to 4096; needs `width`.
    ///
    /// Default: that of the bucket nearest to the picture.
    public var height: Int?
    /// The width in pixels, a multiple of 16 from 32 to 4096; needs `height`.
    ///
    /// Default: as `height`.
    public var width: Int?
    /// The side of a square of the wanted area, in pixels, 32 to 2048; excludes `height` and
    /// `width`.
    ///
    /// Default: the model's own, 640 for the released ones.
    public var resolution: Int?

    /// The order in which sections are generated: inverted, f1, vanilla, anti-drifting or planned.
    ///
    /// Default: what the packing's name stands for, else the one that the model was trained for.
    public var order: SamplingOrder?
    /// How the context is packed: a name of the paper, such as `td_f16k4f4k2f1k1_g9`.
    ///
    /// Default: the levels of the released models.
    public var packing: Packing?
    /// Which latents of the history get the finest kernels: time, similarity or hybrid.
    ///
    /// Default: time.
    public var historyOrder: HistoryOrder = .time
    /// How much nearness in time counts in hybrid order, 0 to 1000.
    ///
    /// Default: 1.
    public var historyTimeWeight: Double = 1
    /// Times whose sections are generated first, in planned order, each perhaps with a prompt of
    /// its own.
    ///
    /// Default: the times of the prompts and the end of the video.
    public var endpoint: [PlannedEndpoint] = []
    /// Latents a section generates, 1 to 1000; the models are trained at 9.
    ///
    /// Default: what the packing's name says, else 9.
    public var window: Int = 9
    /// The seed of all noise, 0 or more.
    ///
    /// Default: 31337.
    public var seed: Int = 31337

    /// Steps of the sampler in a section, 1 to 100.
    ///
    /// Default: 25.
    public var steps: Int = 25
    /// The sampler: unipc, unipc-bh2 or euler.
    ///
    /// Default: unipc.
    public var sampler: SamplerChoice = .unipc
    /// The shift of the noise levels, 0.01 to 100.
    ///
    /// Default: by the official rule, from the size.
    public var shift: Double?
    /// The distilled guidance, which goes into the network as a number, 1 to 32.
    ///
    /// Default: 10.
    public var guidance: Double = 10
    /// True classifier-free guidance, 1 to 32; anything but 1 takes two calls a step.
    ///
    /// Default: 1.
    public var cfg: Double = 1
    /// How much of the contrast that `cfg` adds is taken back, 0 to 1.
    ///
    /// Default: 0.
    public var guidanceRescale: Double = 0
    /// What reuses work between steps: none, teacache, magcache, easycache or first-block.
    ///
    /// Default: none.
    public var stepCache: StepCacheChoice = .none
    /// The threshold of the step cache, 0 to 1; higher is quicker and worse.
    ///
    /// Default: the cache's own, ``StepCacheChoice/defaultThreshold``.
    public var threshold: Double?
    /// In every how many computed steps the history and the text run through the network with the
    /// section, 1 to 100; in those between their keys and values are reused.
    ///
    /// Default: 1, which is exact.
    public var contextRefresh: Int = 1
    /// The reference's numbers, roundings and all, rather than the clean mode.
    ///
    /// Default: false.
    public var parity: Bool = false

    /// How latents become frames: windows or streaming.
    ///
    /// Default: windows.
    public var decode: DecodeChoice = .windows
    /// Whether frames are decoded in spatial tiles, which takes less memory and is not exactly the
    /// same.
    ///
    /// Default: false.
    public var tiling: Bool = false
    /// The number type of the transformer: f32, bf16 or f16.
    ///
    /// Default: as its files are stored.
    public var dtype: PrecisionChoice?
    /// How the weights of the transformer's blocks are held: stored, fp8, fp8-block, int8, int4,
    /// q8_0, q6_k or q4_k; what the files hold in few bits stays as it is.
    ///
    /// Default: stored.
    public var weightFormat: WeightFormatChoice = .stored
    /// The path of the model's folder.
    ///
    /// Default: the environment's or the shipped one.
    public var model: String?

    /// LoRA files that change the transformer, each with its strength; several add up.
    ///
    /// Default: none.
    public var lora: [AppliedLoRA] = []

    /// The path of the output.
    ///
    /// Default: `output.mp4`.
    public var output: String = "output.mp4"
    /// The form of the output: mp4, png, gif or webp.
    ///
    /// Default: by the output's name, where a name that ends in / is a folder of PNG frames.
    public var format: OutputFormat?
    /// The quality of the mp4, 0 (best) to 51; 4:2:0 colour is kept at any.
    ///
    /// Default: 16.
    public var crf: Int = 16
    /// Whether the job's folder stays after success.
    ///
    /// Default: false.
    public var keepJob: Bool = false

    /// Makes a request with defaults for all but the prompt.
    public init(prompt: String, image: String? = nil) {
        self.prompt = prompt
        self.image = image
    }

    /// The keys of the JSON form, as the fields.
    enum CodingKeys: String, CodingKey, CaseIterable {
        case prompt, promptAt, negativePrompt, image, endImage
        case seconds, frames, fps, height, width, resolution, order, packing, historyOrder
        case historyTimeWeight, endpoint, window, seed
        case steps, sampler, shift, guidance, cfg, guidanceRescale, stepCache, threshold
        case contextRefresh, parity
        case decode, tiling, dtype, weightFormat, model, lora, output, format, crf, keepJob
    }

    /// The ranges of all numbers.
    public enum Limits {
        /// Seconds of a video; 0 itself is excluded.
        public static let seconds = 0.0...3600.0
        /// Frames of a video.
        public static let frames = 1...108_001
        /// Frames per second.
        public static let fps = 1...120
        /// Height and width in pixels.
        public static let side = 32...4096
        /// The side of a square of the wanted area, in pixels.
        public static let resolution = 32...2048
        /// Latents of a section.
        public static let window = 1...1000
        /// How much nearness in time counts in hybrid order.
        public static let historyTimeWeight = 0.0...1000.0
        /// Seeds.
        public static let seed = 0...Int.max
        /// Steps of a section.
        public static let steps = 1...100
        /// The shift of the noise levels.
        public static let shift = 0.01...100.0
        /// Distilled guidance.
        public static let guidance = 1.0...32.0
        /// True guidance.
        public static let cfg = 1.0...32.0
        /// The rescaling of true guidance.
        public static let guidanceRescale = 0.0...1.0
        /// The threshold of the step cache.
        public static let threshold = 0.0...1.0
        /// Computed steps from one refresh of the context to the next.
        public static let contextRefresh = 1...100
        /// How strongly a LoRA acts.
        public static let loraStrength = -10.0...10.0
        /// The quality of the mp4.
        public static let crf = 0...51
        /// Words of a prompt.
        public static let words = 1...1000
        /// Characters of a prompt.
        public static let characters = 1...10_000
    }
}
