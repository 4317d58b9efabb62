import FramePack
public import Models
public import Torch
public import TorchNN
import ToyWorld

/// How guidance is distilled.
public struct GuidanceDistillationConfig: Codable, Sendable {
    /// Steps of the whole run.
    public var steps = 1500
    /// The least scale of guidance that the student learns; 1 is the teacher itself.
    public var leastScale = 1.0
    /// The greatest scale of guidance that the student learns.
    public var greatestScale = 4.0

    /// The recipe's values.
    public init() {}
}

/// Teaches a transformer to give in one pass what its own true guidance gives in two.
///
/// The teacher is the trained transformer, frozen, with a guidance input of 1. The student begins
/// as the same transformer and gets the scale c as its guidance input; its target is
/// `v- + c (v+ - v-)`, where v- is the teacher's velocity for an empty prompt and the same
/// pictures. Batches are those of ``TransformerTraining``; encoders stay as they are.
/// Source: arXiv 2210.03142, section 3.1.
public final class GuidanceDistillation: TrainingTask {
    /// The recipe.
    public let config: GuidanceDistillationConfig
    /// What is trained: the student's transformer, named as in a ``SmallModel``.
    public let store = ParameterStore()
    /// What is trained.
    public let student: Transformer
    /// The step at which the teacher stood.
    public let teacherStep: Int?
    private let data: TransformerTraining

    /// Prepares a run.
    ///
    /// - Parameters:
    ///   - data: The training whose batches are used; its model is the teacher.
    ///   - source: The teacher's weights, of which the student gets a copy of its own.
    ///   - teacherStep: The step at which the teacher stands, by which a student is told from that
    ///     of a later teacher.
    public init(
        _ config: GuidanceDistillationConfig, data: TransformerTraining, source: any WeightSource,
        teacherStep: Int? = nil
    ) throws {
        self.config = config
        self.data = data
        self.teacherStep = teacherStep
        student = try Transformer(
            data.model.sizes.transformer, Weights(source, store: store)["transformer"])
    }

    /// Steps of the whole run.
    public var totalSteps: Int { config.steps }
    /// Where it is trained: where its teacher is.
    public var device: Device { data.device }
    /// How far guidance moves the target.
    public var metricNames: [String] { ["pull"] }

    /// Nothing changes along the way.
    public func prepare(step: Int) -> Bool { false }

    /// The same for every step.
    public func sampleCount(step: Int) -> Int { data.sampleCount(step: step) }

    /// As its samples'.
    public var hasEqualPasses: Bool { data.hasEqualPasses }

    /// The loss of some samples of a step.
    public func loss(step: Int, samples: Range<Int>) throws -> TrainingLoss {
        // Other samples than the teacher saw at the same step.
        let batches = try data.batches(step: step &+ 1_000_000, samples: samples)
        var scales = scales(step: step, count: sampleCount(step: step))[samples]
        let lessons = try batches.map { batch in
            let own = Array(scales.prefix(batch.captions.count))
            scales = scales.dropFirst(own.count)
            return try withoutGradients { try makeLesson(batch, scales: own) }
        }
        let errors = try lessons.map {
            try (student($0.input, data.forward) - $0.target).square()
        }
        let (mean, weight) = try data.weightedMean(errors, batches)
        return TrainingLoss(
            loss: mean, weight: weight,
            metrics: ["pull": lessons.map(\.pull).reduce(0, +) / Double(lessons.count)])
    }

    private struct Lesson {
        let input: TransformerInput
        let target: Tensor
        /// The mean square of what guidance adds to the target.
        let pull: Double
    }

    private func makeLesson(_ batch: TrainingBatch, scales: [Float]) throws -> Lesson {
        var input = batch.input
        let execution = data.forward
        let positive = try data.model.transformer(input, execution)
        var blank = input
        blank.conditioning = try data.conditioning(
            captions: batch.captions.map { _ in "" }, imageEmbeds: input.conditioning.imageEmbeds)
        let negative = try data.model.transformer(blank, execution)
        let wide = try Tensor(scales, [scales.count, 1, 1, 1, 1]).to(device)
        let added = try (positive - negative) * (wide - 1)
        input.guidance = try (Tensor(scales) * 1000).to(device)
        return Lesson(
            input: input, target: try positive + added, pull: try added.square().mean().item())
    }

    /// Scales, one in each of as many equal parts of the range as there are samples.
    private func scales(step: Int, count: Int) -> [Float] {
        var random = SplitMix64(seed: SplitMix64.mix(data.seed ^ 0x6D1D ^ (UInt64(step) << 20)))
        let width = config.greatestScale - config.leastScale
        return (0..<count).map { index in
            let u = (Double(index) + Double.random(in: 0..<1, using: &random)) / Double(count)
            return Float(config.leastScale + u * width)
        }.shuffled(using: &random)
    }
}
