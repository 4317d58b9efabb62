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
    public var divergenceWeight = 2e-4
    /// Weight of the differences between colour channels.
    public var chromaWeight = 0.5
    /// How much more an object's pixel counts than the background's.
    public var objectWeight = 4.0

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
        if let bias = store["quant_conv.bias"] {
            let half = model.latentChannels
            try bias.value.narrow(0, half, half).fillInPlace(-4)
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

    /// The loss of one step.
    public func loss(step: Int) throws -> TrainingLoss {
        let isPicture = step < config.pictureSteps
        let count = isPicture ? config.pictureBatch : config.clipBatch
        let frames = isPicture ? 1 : config.clipFrames
        let scenes = (0..<count).map { clips.scene(step &* 64 &+ $0) }
        var random = SplitMix64(seed: SplitMix64.mix(seed ^ UInt64(step)))
        let starts = scenes.map { _ in Int.random(in: 0..<120, using: &random) }
        let clip = try clips.render(scenes, starts: starts, count: frames)
        return try loss(clip, generator: Generator(seed: random.next()))
    }

    private func loss(_ clip: Clip, generator: Generator) throws -> TrainingLoss {
        let video = try clip.video.to(device)
        let moments = try encoded(video.to(execution.dtype).contiguous(.channelsLast3d))
        let mean = try moments[0].to(.float32)
        let logVariance = try moments[1].to(.float32).clamp(min: -30, max: 20)
        // Drawn on the CPU, so that every device sees the same.
        let noise = try Tensor.randn(mean.shape, generator: generator).to(device)
        let latents = try mean + (logVariance * 0.5).exp() * noise
        let scaled = try latents.to(execution.dtype) * vae.config.scalingFactor
        let decoded = try decoded(scaled).to(.float32)

        let weight = try clip.mask.to(device) * (config.objectWeight - 1) + 1
        let error = try decoded - video
        let pixel = try (weight * (error.abs() + error.square())).mean()
        let green = try error.narrow(1, 1, 1)
        let others = try Tensor.cat([error.narrow(1, 0, 1), error.narrow(1, 2, 1)], axis: 1)
        let chroma = try (weight * (others - green).abs()).mean()
        let divergence = try ((mean.square() + logVariance.exp() - 1 - logVariance) * 0.5).mean()
        let loss = try pixel + chroma * config.chromaWeight + divergence * config.divergenceWeight
        let squared = try error.detach().square().mean().item()
        return TrainingLoss(
            loss: loss,
            metrics: ["psnr": psnr(squared), "divergence": try divergence.detach().item()])
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
