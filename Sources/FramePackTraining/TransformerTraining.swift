public import FramePack
import Models
import Tokenizers
public import Torch
public import TorchNN
import ToyWorld

/// How the transformer and its encoders are trained.
public struct TransformerTrainingConfig: Codable, Sendable {
    /// Samples in a step.
    public var batch = 8
    /// Steps of the whole run.
    public var steps = 20000
    /// Shift of the noise levels: larger means more samples near pure noise.
    public var shift = 3.0
    /// How much more a latent with an object counts than one of the background.
    public var objectWeight = 5.0
    /// The share of samples whose generated history is noisy, and the largest noise.
    public var historyNoiseShare = 0.6
    /// The largest noise that is mixed into history, in units of the latents' deviation.
    public var historyNoise = 0.2
    /// The packings and sampling orders that samples are drawn in.
    public var layouts = TrainingLayout.all
    /// Which latents of the history get the finest kernels; each sample draws one of these orders.
    public var historyOrders: [HistoryOrder] = [.time]
    /// How much nearness in time counts in hybrid order, 0 or more.
    public var historyTimeWeight = 1.0
    /// Samples that share a layout and a section, and go through the network together.
    public var samplesPerLayout = 2
    /// The share of samples in the section that is generated first, of which nothing but the start
    /// picture and the caption says where it goes.
    public var firstShare = 0.35
    /// What the step size is multiplied by for the text and vision encoders.
    public var encoderRate = 0.1
    /// Steps between two looks at clips that are kept out of training.
    public var checkSteps = 250

    /// The recipe's values.
    public init() {}
}

/// Trains a transformer with its text and vision encoders on cached clips.
///
/// Each sample is one section with the packed context that it would have at inference, in a packing
/// and sampling order of its own, so that one network serves all of them. The guidance embedding is
/// held at 1; distillation teaches it later.
/// Source: arXiv 2504.12626, section 3.
public final class TransformerTraining: TrainingTask {
    /// The recipe.
    public let config: TransformerTrainingConfig
    /// The networks.
    public let model: SmallModel
    private let shards: [ClipCache.Shard]
    private let clips: WorldClips
    private let chooser: SampleChooser
    private let plainStart: Tensor
    private let plainPicture: [UInt8]
    private let codebook: HistoryCodebook?
    let seed: UInt64
    let execution: TrainingExecution

    /// Prepares a run.
    ///
    /// - Parameters:
    ///   - plainStart: The latent of the plain picture that stands for no start picture,
    ///     `(C, 1, h, w)`.
    ///   - plainLevel: The grey level of that picture.
    ///   - codebook: What makes a history discrete; needed where a layout wants that.
    ///   - seed: The seed of the choice of samples and of noise.
    public init(
        _ config: TransformerTrainingConfig, model: SmallModel, cache: ClipCache,
        plainStart: Tensor, plainLevel: UInt8, codebook: HistoryCodebook? = nil, seed: UInt64,
        execution: TrainingExecution = TrainingExecution()
    ) throws {
        self.config = config
        self.model = model
        self.seed = seed
        self.execution = execution
        if execution.device != .cpu { try model.store.move(to: execution.device) }
        self.plainStart = plainStart
        self.codebook = codebook
        guard codebook != nil || !config.layouts.contains(where: \.packing.isDiscrete) else {
            throw TrainingError(
                "a packing with +D wants a codebook; run `framepack train codebook` first")
        }
        clips = cache.clips
        shards = try cache.shards()
        chooser = try SampleChooser(shards, clips, config)
        plainPicture = [UInt8](repeating: plainLevel, count: clips.side * clips.side * 3)
    }

    /// What is trained.
    public var store: ParameterStore { model.store }
    /// Steps of the whole run.
    public var totalSteps: Int { config.steps }
    /// Where it is trained.
    public var device: Device { execution.device }
    /// The error at low, middle and high noise, and that of the direction check.
    public var metricNames: [String] { ["low", "middle", "high"] + DirectionCheck.names }
    /// How the transformer runs.
    var forward: Execution {
        Execution(
            dtype: execution.dtype, checkpointsBlocks: execution.checkpointsActivations,
            longestScores: device == .cpu ? 512 : 0)
    }
    /// Encoders take smaller steps.
    ///
    /// As long as the transformer does not use captions, their differences are noise to it, and large
    /// steps teach the encoders to drown them in one constant vector, for good.
    public func rate(of parameter: Parameter) -> Double {
        parameter.name.hasPrefix("transformer.") ? 1 : config.encoderRate
    }

    /// Nothing changes along the way.
    public func prepare(step: Int) -> Bool { false }

    /// The same for every step.
    public func sampleCount(step: Int) -> Int { config.batch }

    /// False: there is a pass for each layout.
    public var hasEqualPasses: Bool { false }

    /// The loss of some samples of a step.
    public func loss(step: Int, samples: Range<Int>) throws -> TrainingLoss {
        let batches = try batches(step: step, samples: samples)
        let errors = try batches.map(squaredError)
        let (mean, weight) = try weightedMean(errors, batches)
        return TrainingLoss(
            loss: mean, weight: weight,
            metrics: try metrics(errors, batches))
    }

    /// The direction check, now and then.
    public func figures(step: Int) throws -> [String: Double] {
        step % config.checkSteps == 0 ? try checkDirections() : [:]
    }

    /// Some samples of a step, in batches of one layout each.
    ///
    /// A layout follows from the step and the number of its batch, a sample from the step and its
    /// own index.
    func batches(step: Int, samples: Range<Int>) throws -> [TrainingBatch] {
        let levels = sigmas(step)
        let width = config.samplesPerLayout
        let groups =
            samples.isEmpty
            ? 0..<0 : samples.lowerBound / width..<(samples.upperBound + width - 1) / width
        return try groups.map { group in
            let rows = samples.clamped(to: group * width..<(group + 1) * width)
            var random = random(step, 1 << 16 | group)
            let shared = try chooser.chooseShared(&random)
            let choices = rows.map { index in
                var random = self.random(step, index)
                return chooser.choose(shared, &random)
            }
            return try batch(choices, at: Array(levels[rows]), seeds: rows.map { seed(step, $0) })
        }
    }

    private func random(_ step: Int, _ index: Int) -> SplitMix64 {
        SplitMix64(seed: seed(step, index))
    }

    private func seed(_ step: Int, _ index: Int) -> UInt64 {
        SplitMix64.mix(SplitMix64.mix(seed ^ UInt64(step) << 20) &+ UInt64(index))
    }

    /// The squared error of each latent's velocity, `(B, C, F, h, w)`.
    private func squaredError(_ batch: TrainingBatch) throws -> Tensor {
        let velocity = try model.transformer(batch.input, forward)
        return try (velocity - (batch.noise - batch.clean)).square()
    }

    /// How much each latent's error counts, `(B, 1, F, h, w)`.
    func objectWeights(_ batch: TrainingBatch) throws -> Tensor {
        try batch.masks.unsqueeze(1) * (config.objectWeight - 1) + 1
    }

    /// The mean of all errors `(B, C, F, h, w)`, objects counting more, and what the batches count
    /// against the step's others: the sum of their weights.
    func weightedMean(_ errors: [Tensor], _ batches: [TrainingBatch]) throws -> (
        mean: Tensor, weight: Double
    ) {
        var (sum, total) = (try Tensor.zeros([], device: device), 0.0)
        for (error, batch) in zip(errors, batches) {
            let weights = try objectWeights(batch)
            sum = try sum + (error.mean([1], keepAxes: true) * weights).sum()
            total += try weights.sum().item()
        }
        return (try sum / total, total)
    }

    /// Samples of one layout.
    ///
    /// - Parameters:
    ///   - levels: Their noise levels in [0, 1].
    ///   - seeds: What each sample's noise follows from.
    func batch(_ choices: [SampleChoice], at levels: [Float], seeds: [UInt64]) throws
        -> TrainingBatch
    {
        // Drawn on the CPU, so that every device sees the same.
        let generators = try seeds.map { try Generator(seed: $0) }
        let sigma = try Tensor(levels)
        let sources = try choices.map { choice in
            try SampleLatents(
                shards[choice.shard].latents.select(0, choice.row), plain: plainStart,
                isStartDropped: choice.isStartDropped)
        }
        let choices = try zip(choices, sources).map { choice, source in
            var choice = choice
            choice.section = try source.section(
                choice.section, of: choice.plan, historyOrder: choice.historyOrder,
                timeWeight: config.historyTimeWeight)
            return choice
        }
        let clean = try Tensor.stack(
            zip(choices, sources).map { try $1.target($0.section) }, axis: 0)
        let masks =
            try Tensor.stack(
                choices.map { choice in
                    let mask = try shards[choice.shard].masks.select(0, choice.row)
                    return try .cat(
                        choice.section.pieces.map {
                            try mask.narrow(0, $0.latents.lowerBound, $0.latents.count)
                        }, axis: 0
                    ).to(.float32)
                }, axis: 0) / 255
        let noise = try Tensor.stack(
            generators.map {
                try Tensor.randn(Array(clean.shape.dropFirst()), generator: $0)
            }, axis: 0)
        let wide = try sigma.reshape(-1, 1, 1, 1, 1)
        let noisy = try clean + (noise - clean) * wide
        let input = TransformerInput(
            latents: try noisy.to(device), timestep: try (sigma * 1000).to(device),
            guidance: try Tensor.full([choices.count], 1000).to(device),
            indices: .perSample(choices.map(\.section.targetIndices)),
            context: try context(choices, sources, generators, seeds),
            conditioning: try conditioning(
                captions: choices.map(\.caption),
                imageEmbeds: model.siglip(pictures(choices), dtype: execution.dtype)))
        return TrainingBatch(
            captions: choices.map(\.caption), clean: try clean.to(device),
            noise: try noise.to(device), masks: try masks.to(device), sigma: sigma, input: input)
    }

    /// Noise levels of a step, one in each of as many equal parts of [0, 1] as there are samples,
    /// shifted.
    private func sigmas(_ step: Int) -> [Float] {
        var random = random(step, 1 << 24)
        let count = Double(config.batch)
        let levels = (0..<config.batch).map { index -> Float in
            let u = (Double(index) + Double.random(in: 0..<1, using: &random)) / count
            return Float(config.shift * u / (1 + (config.shift - 1) * u))
        }
        return levels.shuffled(using: &random)
    }

    private func context(
        _ choices: [SampleChoice], _ sources: [SampleLatents], _ generators: [Generator],
        _ seeds: [UInt64]
    ) throws -> PackedContext {
        let amounts = seeds.map { seed -> Float in
            var random = SplitMix64(seed: SplitMix64.mix(seed))
            guard Double.random(in: 0..<1, using: &random) < config.historyNoiseShare else {
                return 0
            }
            return Float(Double.random(in: 0...config.historyNoise, using: &random))
        }
        return try SampleLatents.context(
            choices.map(\.section), sources, noise: amounts,
            codebook: choices.contains(where: \.isDiscrete) ? codebook : nil,
            generators: generators, on: device)
    }

    /// What the transformer sees of captions, beside given vision tokens `(B, I, C)`.
    func conditioning(captions: [String], imageEmbeds: Tensor?) throws -> Conditioning {
        let ids = try captions.map { caption in
            try model.tokenizer.encode(
                PromptTemplate.filled(caption),
                maximumLength: PromptEncoder.longestPrompt + model.crop
            ).ids
        }
        let tokens = try Self.padded(ids, with: model.tokenizer.padTokenID)
        let states = try model.llama(tokens, dtype: execution.dtype)
        let pooled = try model.clip(clipTokens(captions), dtype: execution.dtype).pooled
        return Conditioning(
            promptEmbeds: try states.narrow(1, model.crop, tokens.dim(1) - model.crop),
            textLengths: ids.map { $0.count - model.crop }, pooled: pooled,
            imageEmbeds: imageEmbeds)
    }

    /// CLIP's tokens, cut where all rows are padding: nothing looks ahead.
    private func clipTokens(_ captions: [String]) throws -> Tensor {
        let ids = try captions.map {
            try model.tokenizer2.encode($0, maximumLength: model.sizes.clip.positionCount).ids
        }
        return try Self.padded(ids, with: model.tokenizer2.padTokenID)
    }

    /// Token ids as rows of one length, `(B, T)`, padded on the right.
    private static func padded(_ ids: [[Int]], with pad: Int?) throws -> Tensor {
        let longest = ids.map(\.count).max() ?? 0
        let rows = ids.flatMap { $0 + [Int](repeating: pad ?? 0, count: longest - $0.count) }
        return try Tensor(rows.map(Int64.init), [ids.count, longest])
    }

    private func pictures(_ choices: [SampleChoice]) throws -> Tensor {
        let side = clips.side
        let bytes = choices.flatMap { choice in
            choice.isStartDropped
                ? plainPicture : clips.scene(shards[choice.shard].numbers[choice.row]).startPicture
        }
        let frames = try Tensor(bytes, [choices.count, 1, side, side, 3])
        return try pixelsToUnit(frames).squeeze(2).to(device)
    }

    /// The error on kept-out clips at high noise, with true captions and with opposite directions.
    private func checkDirections() throws -> [String: Double] {
        try withoutGradients {
            try DirectionCheck(chooser).errors { choices in
                let levels = [Float](repeating: DirectionCheck.level, count: choices.count)
                let seeds = choices.indices.map { SplitMix64.mix(0xD12E &+ UInt64($0)) }
                let batch = try self.batch(choices, at: levels, seeds: seeds)
                return try weightedMean([squaredError(batch)], [batch]).mean.item()
            }
        }
    }

    /// The error at low, middle and high noise.
    private func metrics(_ errors: [Tensor], _ batches: [TrainingBatch]) throws -> [String: Double]
    {
        let each = try errors.flatMap {
            try $0.detach().mean([1, 2, 3, 4]).array(Double.self)
        }
        let levels = try batches.flatMap { try $0.sigma.array(Double.self) }
        return errorsByNoise(each, levels: levels)
    }
}

/// The samples of one step: sections with their context, at their noise levels.
struct TrainingBatch {
    /// The captions; empty where dropped.
    let captions: [String]
    /// `(B, C, F, h, w)`.
    let clean: Tensor
    /// `(B, C, F, h, w)`.
    let noise: Tensor
    /// How much objects cover, `(B, F, h, w)` in [0, 1].
    let masks: Tensor
    /// `(B)` in [0, 1], on the CPU.
    let sigma: Tensor
    /// What the transformer sees; its guidance is 1.
    let input: TransformerInput
}
