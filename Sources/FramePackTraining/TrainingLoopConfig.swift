import TorchNN
public import TorchOptim

/// What changes the parameters.
public enum OptimizerChoice: String, CaseIterable, Codable, Sendable {
    /// Two moments for each parameter: twice the memory of the weights.
    case adamw
    /// Two moments in 8 bits: 2 bytes for each weight of a matrix.
    case adamw8bit
    /// Sums over rows and columns instead: next to no memory beside the weights.
    case adafactor

    /// Whether a weight's step follows from its own gradient and moments alone, so that rows of a
    /// matrix can be divided; else each matrix stays in one process.
    var treatsEachWeight: Bool { self == .adamw }
}

/// How a run steps and what it keeps.
public struct TrainingLoopConfig: Codable, Sendable {
    /// The step size over the run.
    public var learningRate: LearningRateSchedule
    /// What changes the parameters.
    public var optimizer = OptimizerChoice.adamw
    /// Into how many micro-batches each process divides its samples of a step.
    public var accumulation = 1
    /// Whether the processes of a run divide weights, gradients and moments among themselves, instead
    /// of all holding all; of no effect in one process.
    public var isSharded = false
    /// Gradients that go from process to process in one call where all hold all, in bytes.
    public var bucketSize = 25 << 20
    /// Largest norm of the gradients.
    public var clipNorm = 1.0
    /// How much of the first moments each step keeps; AdamW's.
    public var beta1 = 0.9
    /// How much of the second moments each step keeps; AdamW's.
    public var beta2 = 0.98
    /// Weight decay of matrices.
    public var weightDecay = 0.01
    /// Decay of the averaged weights; 0 keeps none.
    public var averaging = 0.998
    /// Steps between two stored states.
    public var checkpointSteps = 200

    /// A loop with the usual values.
    public init(learningRate: LearningRateSchedule) { self.learningRate = learningRate }

    /// A fresh optimizer, without any moments yet.
    ///
    /// - Parameter rates: What the step size is multiplied by for a parameter.
    func makeOptimizer(
        _ parameters: [Parameter], rates: @escaping (Parameter) -> Double
    ) throws -> any Optimizer {
        switch optimizer {
        case .adamw:
            return try AdamW(
                parameters, learningRate: 0, betas: (beta1, beta2), weightDecay: weightDecay,
                rates: rates)
        case .adamw8bit:
            return try AdamW8bit(
                parameters, learningRate: 0, betas: (beta1, beta2), weightDecay: weightDecay,
                rates: rates)
        case .adafactor:
            var options = Adafactor.Options()
            options.weightDecay = weightDecay
            return try Adafactor(parameters, learningRate: 0, options: options, rates: rates)
        }
    }
}
