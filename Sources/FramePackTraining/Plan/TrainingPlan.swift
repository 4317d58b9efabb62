public import FramePack

/// A training of a transformer on GPUs, as far as its memory and time follow from arithmetic.
public struct TrainingPlan: Codable, Equatable, Sendable {
    /// What is trained.
    public enum Method: Codable, Equatable, Sendable {
        /// All weights.
        case full
        /// Low-rank matrices beside the linear layers of the blocks; the weights stay.
        case lora(rank: Int)
    }

    /// A sampling order with a packing, in which samples are trained.
    public struct Layout: Codable, Equatable, Sendable {
        /// The order.
        public var order: SamplingOrder
        /// The packing; nil for the released one of the order.
        public var packing: Packing?

        /// Names a layout.
        public init(_ order: SamplingOrder, packing: Packing? = nil) {
            (self.order, self.packing) = (order, packing)
        }
    }

    /// What the plan is for, in words.
    public var title = "Training"
    /// The transformer; the encoders and the VAE are not there, their results are cached.
    public var transformer = TransformerSize()
    /// Tokens of the start picture.
    public var visionTokens = ModelSize().visionTokens
    /// Tokens of the prompt: the released models read 256 at most.
    public var textTokens = 256
    /// What is trained.
    public var method = Method.full
    /// What changes it.
    public var optimizer = OptimizerChoice.adafactor
    /// Bytes of a weight: 2 for bfloat16, whose results are rounded at random, 4 for float32.
    public var weightBytes = 2
    /// Bytes of a trained LoRA weight; its gradient has as many.
    public var adapterBytes = 4
    /// Whether averages of what is trained are kept.
    public var isAveraged = true
    /// The size of the clips.
    public var size = FrameSize(height: 480, width: 832)
    /// Latents that a section generates.
    public var window = 9
    /// In which samples are drawn; the plan is that of the largest section of all of them.
    public var layouts = [Layout(.f1)]
    /// Sections of the longest clip, 1 or more: both ends may be generated at once, and a tail that is
    /// kept grows.
    public var sections = 1
    /// Samples in a step, on all GPUs together.
    public var batch = 1
    /// Passes in which a GPU takes its samples of a step; nil for the fewest that fit into 95 % of it.
    public var accumulation: Int?
    /// GPUs.
    public var gpus = 1
    /// Memory of one, in bytes.
    public var gpuMemory = 80 << 30
    /// Whether weights, gradients and the optimizer's state are spread over the GPUs.
    public var isSharded = false
    /// Whether activations are computed again in the backward pass instead of being kept.
    public var checkpointsActivations = true
    /// Operations a second that one GPU sustains, of the 312e12 of an A100 in bfloat16, say 140e12.
    public var sustainedRate = 140e12
    /// Steps of the run; nil leaves its length out.
    public var steps: Int?

    /// Full fine-tuning of the released transformer; change what differs.
    public init() {}

    /// What is assumed beside the arithmetic, in bytes: the CUDA context, workspaces of libraries,
    /// and pieces of memory between tensors.
    static let reserve = 2 << 30
    /// The share of a GPU's memory up to which a plan is no gamble.
    static let comfortableShare = 0.95

    /// Tokens of the generated latents, and of the packed context, of the largest section.
    package func videoTokens() throws(FramePackError) -> (target: Int, context: Int) {
        var largest = (target: 0, context: 0)
        for layout in layouts {
            let plan = try SectionPlan(
                order: layout.order,
                length: .frames(VideoLength.framesPerLatent * window * sections + 1),
                window: window, packing: layout.packing?.generating(window),
                timeline: PromptTimeline("..."))
            for section in plan.sections {
                let all = section.videoTokenCount(size: size)
                let context = section.context.reduce(0) { $0 + $1.tokenCount(size: size) }
                guard all > largest.target + largest.context else { continue }
                largest = (all - context, context)
            }
        }
        return largest
    }

    /// What ``report()`` can make something of.
    ///
    /// - Throws: `TrainingError` that names a number out of its range.
    func validate() throws {
        func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws {
            guard range.contains(value) else {
                throw TrainingError(
                    "\(name) is \(value); it must be from \(range.lowerBound) to "
                        + "\(range.upperBound)")
            }
        }
        try check("the number of GPUs", gpus, 1...65_536)
        try check("the batch", batch, 1...1_048_576)
        try check("the bytes of a weight", weightBytes, 1...8)
        if case .lora(let rank) = method { try check("the LoRA's rank", rank, 1...4096) }
        guard batch % gpus == 0 else {
            throw TrainingError(
                "a batch of \(batch) samples can't be spread evenly over \(gpus) GPUs; use a "
                    + "multiple of \(gpus)")
        }
        if let accumulation, !(1...batch / gpus).contains(accumulation) {
            throw TrainingError(
                "the accumulation is \(accumulation) passes; it must be from 1 to \(batch / gpus), "
                    + "the samples that each of \(gpus) GPUs takes in a step of \(batch)")
        }
        try check("the number of sections of the longest clip", sections, 1...100_000)
        guard !layouts.isEmpty else {
            throw TrainingError("the plan has no layout; it must have one order at least")
        }
        guard sustainedRate > 0, sustainedRate.isFinite else {
            throw TrainingError("the sustained rate is \(sustainedRate); it must be above 0")
        }
    }
}
