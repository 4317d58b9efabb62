package import FramePack
public import Models
public import Torch
public import TorchNN
import ToyWorld

/// Trains a transformer of any size on cached clips: all of it, or adapters beside its weights.
///
/// Each sample is a section of a clip with the packed context that it has at inference: start latent,
/// history by the plan's kernels and rotary indices, zeros where there is nothing yet. The loss is
/// the squared error of the velocity, of the section's own latents alone.
/// Source: arXiv 2504.12626, section 3; the values that musubi-tuner uses for FramePack.
public final class FineTuning: TrainingTask {
    /// What is asked for.
    public let config: FineTuningConfig
    /// The network.
    public let transformer: Transformer
    /// What of it is trained.
    public let store: ParameterStore
    /// Where it is trained.
    public let device: Device
    private let data: CachedDataset
    private let order: SampleOrder
    private let plans: SectionPlans
    private let codebook: HistoryCodebook?
    private let random: UInt64

    /// Prepares a training.
    ///
    /// - Parameters:
    ///   - store: What is trained: the transformer's own parameters or those of adapters.
    ///   - codebook: What a discrete history consists of; needed where a plan has one.
    init(
        _ config: FineTuningConfig, transformer: Transformer, store: ParameterStore,
        data: CachedDataset, plans: SectionPlans, codebook: HistoryCodebook?, device: Device
    ) {
        (self.config, self.transformer, self.store) = (config, transformer, store)
        (self.data, self.plans, self.device) = (data, plans, device)
        self.codebook = codebook
        random = SplitMix64.mix(UInt64(config.seed))
        order = SampleOrder(
            data.items(), count: config.batch, seed: random)
    }

    /// Steps of the whole run.
    public var totalSteps: Int { config.steps }
    /// The mean noise level, and the error at low, middle and high noise.
    public var metricNames: [String] { ["level", "low", "middle", "high"] }

    /// Nothing changes along the way.
    public func prepare(step: Int) -> Bool { false }

    /// The same for every step.
    public func sampleCount(step: Int) -> Int { config.batch }

    /// False: there is a pass for each shape of contexts.
    public var hasEqualPasses: Bool { false }

    /// The loss of some samples of a step.
    ///
    /// Samples whose contexts have one shape run together.
    public func loss(step: Int, samples range: Range<Int>) throws -> TrainingLoss {
        let samples = Array(try samples(step: step)[range])
        let groups = Dictionary(grouping: samples, by: \.shape).sorted { $0.key < $1.key }
        var losses: [Tensor] = []
        var errors: [Tensor] = []
        for group in groups.map(\.value) {
            let batch = try batch(group)
            let velocity = try transformer(batch.input, forward)
            let each = try (velocity - batch.velocity).square().mean([1, 2, 3, 4])
            let weights = group.map { Float(config.noise.weighting.weight($0.level)) }
            losses.append(try (each * Tensor(weights).to(device)).sum())
            errors.append(try each.detach())
        }
        let sum = try Tensor.stack(losses, axis: 0).sum()
        return TrainingLoss(
            loss: try sum / Double(samples.count),
            metrics: try metrics(.cat(errors, axis: 0), groups.flatMap(\.value)))
    }

    private var forward: Execution {
        Execution(
            dtype: config.compute.precision.dtype,
            checkpointsBlocks: config.compute.checkpointActivations,
            longestScores: device == .cpu ? 512 : 0)
    }

    /// The mean level, and the error at low, middle and high noise, as far as samples have it.
    private func metrics(_ errors: Tensor, _ samples: [FineTuningSample]) throws
        -> [String: Double]
    {
        let errors = try errors.to(.cpu, .float32).array(Double.self)
        let levels = samples.map(\.level)
        var metrics = errorsByNoise(errors, levels: levels)
        metrics["level"] = levels.reduce(0, +) / Double(levels.count)
        return metrics
    }

    // MARK: - Samples

    /// What is drawn for each sample of a step.
    package func samples(step: Int) throws -> [FineTuningSample] {
        let items = order.samples(step: step)
        return try items.enumerated().map { number, item in
            var own = SplitMix64(
                seed: SplitMix64.mix(random &+ UInt64(step * items.count + number) << 8))
            let layout = plans.layout(&own)
            return try FineTuningSample(
                item: item, plan: plan(item, layout), isDiscrete: layout.isDiscrete,
                config: config, random: &own)
        }
    }

    private func plan(_ item: SampleItem, _ layout: SectionPlans.Layout) throws -> SectionPlan {
        let entry = data.entries[item.clip]
        guard entry.clip.pictureIndex == nil else { return try plans.picturePlan() }
        return try plans.plan((entry.clip.latentCount - 1) / entry.window, layout)
    }

    /// Samples whose contexts have one shape, as the network sees them.
    package func batch(_ samples: [FineTuningSample]) throws -> FineTuningBatch {
        let clips = try samples.map { try data.latents($0.item.clip) }
        let targets = try zip(clips, samples).map { try target($1, $0) }
        let clean = try Tensor.stack(targets, axis: 0)
        let noise = try Tensor.stack(
            zip(targets, samples).map { target, sample in
                try Tensor.randn(target.shape, generator: Generator(seed: sample.noiseSeed))
            }, axis: 0)
        let level = try Tensor(samples.map { Float($0.level) })
        let wide = try level.reshape(-1, 1, 1, 1, 1)
        let noisy = try clean + (noise - clean) * wide
        let count = samples.count
        let input = TransformerInput(
            latents: try noisy.to(device), timestep: try (level * 1000).to(device),
            guidance: transformer.config.hasGuidance
                ? try Tensor.full([count], config.guidance * 1000).to(device) : nil,
            indices: .perSample(samples.map(indices)),
            context: try context(samples, clips), conditioning: try conditioning(samples))
        return FineTuningBatch(velocity: try (noise - clean).to(device), input: input)
    }

    /// The latents that a sample is to make, `(C, F, h, w)`.
    private func target(_ sample: FineTuningSample, _ clip: Tensor) throws -> Tensor {
        if data.entries[sample.item.clip].clip.pictureIndex != nil {
            return try clip.narrow(1, 1, 1)
        }
        let plain = try data.plainLatent(sample.item.clip)
        return try SampleLatents(clip, plain: plain, isStartDropped: false).target(sample.section)
    }

    private func indices(of sample: FineTuningSample) -> [Int] {
        data.entries[sample.item.clip].clip.pictureIndex.map { [$0] }
            ?? sample.section.targetIndices
    }

    /// The packed context of samples, their history spoilt as each drew it.
    private func context(_ samples: [FineTuningSample], _ clips: [Tensor]) throws -> PackedContext {
        let sources = try zip(samples, clips).map { sample, clip in
            var random = sample.history
            return try SampleLatents(
                config.history.spoilt(clip, &random), plain: data.plainLatent(sample.item.clip),
                isStartDropped: sample.isImageDropped)
        }
        let sections = try zip(samples, sources).map { sample, source in
            try source.section(
                sample.section, of: sample.plan, historyOrder: sample.historyOrder,
                timeWeight: config.sections.historyTimeWeight)
        }
        return try SampleLatents.context(
            sections, sources, noise: samples.map { _ in 0 },
            codebook: samples.contains(where: \.isDiscrete) ? codebook : nil,
            generators: samples.map { _ in try Generator(seed: 0) }, on: device)
    }

    private func conditioning(_ samples: [FineTuningSample]) throws -> Conditioning {
        let texts = try samples.map { try data.text($0.item.clip, isDropped: $0.isTextDropped) }
        let lengths = texts.map { $0.embeds.dim(0) }
        let longest = lengths.max() ?? 0
        let rows = try texts.map {
            try $0.embeds.pad([0, 0, 0, longest - $0.embeds.dim(0)], .constant(0))
        }
        let vision = try samples.map {
            try data.vision($0.item.clip, isDropped: $0.isImageDropped)
        }
        return Conditioning(
            promptEmbeds: try Tensor.stack(rows, axis: 0).to(device), textLengths: lengths,
            pooled: try Tensor.stack(texts.map(\.pooled), axis: 0).to(device),
            imageEmbeds: transformer.config.hasImageProjection
                ? try Tensor.stack(vision, axis: 0).to(device) : nil)
    }
}

/// What is drawn for one sample.
package struct FineTuningSample {
    /// The section.
    package let item: SampleItem
    /// The plan that the section is of.
    let plan: SectionPlan
    /// Which latents of its history get the finest kernels.
    let historyOrder: HistoryOrder
    /// Whether its history is discrete.
    package let isDiscrete: Bool
    /// The noise level, in [0, 1].
    package let level: Double
    /// Whether its caption, and its start picture, are left out.
    package let isTextDropped, isImageDropped: Bool
    let noiseSeed: UInt64
    /// From which the spoiling of the history is drawn.
    let history: SplitMix64

    /// What it generates, and sees in the order of time.
    package var section: Section {
        // Where two sections are generated together, there are fewer.
        plan.sections[item.section % plan.sections.count]
    }

    /// What samples that run together have in common.
    var shape: String {
        section.context.map { group in
            "\(group.kernel) \(group.averaging?.rawValue ?? "") \(group.sources.count)"
        }.joined(separator: ", ") + " \(section.targetIndices.count) \(isDiscrete)"
    }

    init(
        item: SampleItem, plan: SectionPlan, isDiscrete: Bool, config: FineTuningConfig,
        random: inout SplitMix64
    ) {
        (self.item, self.plan, self.isDiscrete) = (item, plan, isDiscrete)
        level = config.noise.level(&random)
        isTextDropped = Double.random(in: 0..<1, using: &random) < config.dropout.text
        isImageDropped = Double.random(in: 0..<1, using: &random) < config.dropout.image
        noiseSeed = random.next()
        history = SplitMix64(seed: random.next())
        historyOrder = config.sections.historyOrders.compactMap(HistoryOrder.init).drawn(&random)
    }
}

/// The samples of one pass.
package struct FineTuningBatch {
    /// Noise minus data, `(B, C, F, h, w)`.
    package let velocity: Tensor
    /// What the network sees.
    package let input: TransformerInput
}
