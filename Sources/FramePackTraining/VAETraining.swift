public import Models
public import Torch
public import TorchNN
public import ToyWorld

/// How a VAE is trained on the toy world.
public struct VAETrainingConfig: Codable, Sendable {
    /// The side of the pictures, in pixels.
    public var side = 64
    /// Steps on single frames, before there is time.
    public var pictureSteps = 1500
    /// Frames in a step on single frames.
    public var pictureBatch = 16
    /// Steps on clips of 17 frames.
    public var clipSteps = 3000
    /// Clips in a step.
    public var clipBatch = 2
    /// Frames of a clip, 4n + 1.
    public var clipFrames = 17
    /// Weight of the Kullback–Leibler term, per latent element.
    public var divergenceWeight = 1e-3
    /// Weight of the differences between colour channels.
    public var chromaWeight = 0.5
    /// How much more an object's pixel counts than the background's.
    public var objectWeight = 4.0
    /// The share of single frames that are collages of shapes in all colours.
    public var collageShare = 0.5
    /// The share of clips whose colours are drawn anew, so that even a plain picture's colour counts.
    public var recolouredShare = 0.5
    /// Weight of decoding latents at half their size, against the picture at half its size.
    public var halfSizeWeight = 0.25

    /// The recipe's values.
    public init() {}

    /// Steps of the whole run.
    public var totalSteps: Int { pictureSteps + clipSteps }
}

/// Trains a VAE: single frames first, then clips.
///
/// After the single frames, the causal kernels carry the sum of their time taps in the last tap:
/// a still picture gives the same as before, and a moving one isn't smeared over three frames.
public final class VAETraining: TrainingTask {
    /// The recipe.
    public let config: VAETrainingConfig
    /// What is trained.
    public let store: ParameterStore
    /// The model over the store.
    public let vae: VAE
    private let clips: WorldClips
    private let execution: TrainingExecution
    private let seed: UInt64

    /// Builds a fresh VAE and its data.
    ///
    /// - Parameters:
    ///   - worlds: The worlds that its clips show, drawn by their weights.
    ///   - seed: The seed of weights and data.
    public init(
        _ config: VAETrainingConfig, model: VAEConfig,
        worlds: [(config: WorldConfig, weight: Double)],
        seed: UInt64, execution: TrainingExecution = TrainingExecution()
    ) throws {
        self.config = config
        self.seed = seed
        self.execution = execution
        store = ParameterStore()
        vae = try VAE(model, Weights(RandomWeights(seed: seed), store: store))
        clips = WorldClips(side: config.side, seed: seed, configs: worlds)
        try VAEStart.passColours(store)
        if let bias = store["quant_conv.bias"] {
            let half = model.latentChannels
            try bias.value.narrow(0, half, half).fillInPlace(-6)
        }
    }

    /// Steps of the whole run.
    public var totalSteps: Int { config.totalSteps }
    /// Where it is trained.
    public var device: Device { execution.device }
    /// The Kullback–Leibler term and PSNR in dB.
    public var metricNames: [String] { ["divergence", "psnr"] }

    /// Moves the kernels' weight into the last time tap when clips begin.
    public func prepare(step: Int) throws -> Bool {
        guard step == config.pictureSteps, step > 0 else { return false }
        try withoutGradients {
            for parameter in store.parameters
            where parameter.value.rank == 5 && parameter.value.dim(2) == 3 {
                let sum = try parameter.value.sum([2])
                try parameter.value.zeroInPlace()
                try parameter.value.select(2, 2).copy(from: sum)
            }
        }
        return true
    }

    /// Single frames, or clips.
    public func sampleCount(step: Int) -> Int {
        step < config.pictureSteps ? config.pictureBatch : config.clipBatch
    }

    /// The loss of some samples of a step; all of them are drawn, whichever are asked for.
    public func loss(step: Int, samples: Range<Int>) throws -> TrainingLoss {
        let isPicture = step < config.pictureSteps
        let part = BatchPart(rows: samples, count: sampleCount(step: step))
        let frames = isPicture ? 1 : config.clipFrames
        let scenes = (0..<part.count).map { clips.scene(step &* 64 &+ $0) }
        var random = SplitMix64(seed: SplitMix64.mix(seed ^ UInt64(step)))
        let starts = scenes.map { _ in Int.random(in: 0..<120, using: &random) }
        let clip = try clips.render(scenes, starts: starts, count: frames)
        let recoloured = try recoloured(isPicture ? withCollages(clip, &random) : clip, &random)
        let chosen = Clip(
            video: try part.rows(of: recoloured.video), mask: try part.rows(of: recoloured.mask))
        return try loss(chosen, part, Generator(seed: random.next()))
    }

    /// Single frames, some of them replaced by collages.
    private func withCollages(_ clip: Clip, _ random: inout SplitMix64) throws -> Clip {
        let count = Int((Double(clip.video.dim(0)) * config.collageShare).rounded())
        guard count > 0 else { return clip }
        let collages = try (0..<count).map { _ in
            try Collage.picture(side: config.side, &random)
        }
        let rest = clip.video.dim(0) - count
        return Clip(
            video: try .cat(collages + [clip.video.narrow(0, 0, rest)], axis: 0),
            mask: try .cat(
                [clip.mask.narrow(0, 0, count).zerosLike(), clip.mask.narrow(0, 0, rest)], axis: 0))
    }

    /// Some clips with a gain and an offset for each colour channel that keep pixels in range.
    ///
    /// The world's backgrounds are muted, and group normalisation takes the mean away: a run on them
    /// alone settles on grey backgrounds.
    private func recoloured(_ clip: Clip, _ random: inout SplitMix64) throws -> Clip {
        var gains: [Float] = []
        var offsets: [Float] = []
        for _ in 0..<clip.video.dim(0) {
            let isChosen = Double.random(in: 0..<1, using: &random) < config.recolouredShare
            for _ in 0..<3 {
                let gain = isChosen ? Float.random(in: 0.3...1, using: &random) : 1
                gains.append(gain)
                offsets.append(Float.random(in: -1...1, using: &random) * (1 - gain))
            }
        }
        let shape = [clip.video.dim(0), 3, 1, 1, 1]
        return Clip(
            video: try clip.video * Tensor(gains, shape) + Tensor(offsets, shape), mask: clip.mask)
    }

    private func loss(_ clip: Clip, _ part: BatchPart, _ generator: Generator) throws
        -> TrainingLoss
    {
        let video = try clip.video.to(device)
        let moments = try encoded(video.to(execution.dtype).contiguous(.channelsLast3d))
        let mean = try moments[0].to(.float32)
        let logVariance = try moments[1].to(.float32).clamp(min: -30, max: 20)
        let noise = try part.noise(like: mean, generator: generator).to(device)
        let latents = try mean + (logVariance * 0.5).exp() * noise
        let scaled = try latents.to(execution.dtype) * vae.config.scalingFactor
        let decoded = try decoded(scaled).to(.float32)

        let mask = try clip.mask.to(device)
        let error = try decoded - video
        let divergence = try ((mean.square() + logVariance.exp() - 1 - logVariance) * 0.5).mean()
        var loss = try distance(error, mask) + divergence * config.divergenceWeight
        if config.halfSizeWeight > 0 {
            let half = [1, 2, 2]
            let smaller = try self.decoded(
                latents.averagePool3d(half).to(execution.dtype) * vae.config.scalingFactor
            ).to(.float32)
            let wanted = try video.averagePool3d(half)
            loss =
                try loss
                + distance(smaller - wanted, mask.averagePool3d(half)) * config.halfSizeWeight
        }
        let squared = try error.detach().square().mean().item()
        return TrainingLoss(
            loss: loss,
            metrics: ["psnr": psnr(squared), "divergence": try divergence.detach().item()])
    }

    /// How far pixels are off, objects and differences between colour channels counted extra.
    private func distance(_ error: Tensor, _ mask: Tensor) throws -> Tensor {
        let weight = try mask * (config.objectWeight - 1) + 1
        let pixel = try (weight * (error.abs() + error.square())).mean()
        let green = try error.narrow(1, 1, 1)
        let others = try Tensor.cat([error.narrow(1, 0, 1), error.narrow(1, 2, 1)], axis: 1)
        let chroma = try (weight * (others - green).abs()).mean()
        return try pixel + chroma * config.chromaWeight
    }

    /// Mean and logarithm of the variance.
    private func encoded(_ video: Tensor) throws -> [Tensor] {
        func run(_ video: Tensor) throws -> [Tensor] {
            let moments = try vae.encode(video, tiling: .none)
            return [moments.mean, moments.logVariance]
        }
        guard execution.checkpointsActivations else { return try run(video) }
        // Without this the weights inside would get no gradients.
        try video.setRequiresGradient(true)
        return try checkpoint([video]) { try run($0[0]) }
    }

    private func decoded(_ latents: Tensor) throws -> Tensor {
        guard execution.checkpointsActivations else {
            return try vae.decode(latents, tiling: .none)
        }
        return try checkpoint([latents]) { [try self.vae.decode($0[0], tiling: .none)] }[0]
    }
}
