public import Torch
public import TorchNN

/// What some samples of a step give: the number to be lowered, and figures for the log.
public struct TrainingLoss {
    /// One number, with its graph: a mean over the samples.
    public let loss: Tensor
    /// What the mean counts against those of the step's other samples; nil for the number of
    /// samples.
    ///
    /// The loss of the whole step is `sum(weight * loss) / sum(weight)` over its parts.
    public let weight: Double?
    /// Figures for the log, by name: means over the samples.
    public let metrics: [String: Double]

    /// Puts them together.
    public init(loss: Tensor, weight: Double? = nil, metrics: [String: Double]) {
        self.loss = loss
        self.weight = weight
        self.metrics = metrics
    }
}

/// Something that can be trained: its parameters, and a loss for each step.
///
/// A step's samples are divided over micro-batches and processes. What is drawn for a sample follows
/// from the step's number and the sample's index alone: a continued run sees the same data, and so
/// does one of another number of processes.
public protocol TrainingTask: AnyObject {
    /// What is trained.
    var store: ParameterStore { get }
    /// The number of steps of the whole run.
    var totalSteps: Int { get }
    /// Where it is trained; the loop moves the parameters there before the first step.
    var device: Device { get }
    /// The names of the figures that its steps may give, in the order of the log.
    var metricNames: [String] { get }
    /// The step of the model that teaches; nil for a task without a teacher.
    var teacherStep: Int? { get }
    /// What the step size is multiplied by for a parameter; 1 unless a task says otherwise.
    func rate(of parameter: Parameter) -> Double
    /// Called before a step; true if it changed parameters and their moments must begin anew.
    func prepare(step: Int) throws -> Bool
    /// The number of samples of a step, over all micro-batches and processes.
    func sampleCount(step: Int) -> Int
    /// The loss of some of a step's samples.
    ///
    /// - Parameter samples: Their indices in the step, a range within 0 ..< ``sampleCount(step:)``.
    func loss(step: Int, samples: Range<Int>) throws -> TrainingLoss
    /// Whether the model runs equally often for any number of samples; if not, processes that divide
    /// its weights take them one by one, so that they gather blocks together.
    var hasEqualPasses: Bool { get }
    /// Figures for the log that do not come of the step's samples.
    ///
    /// Asked for once before each step, on every process with the same result.
    func figures(step: Int) throws -> [String: Double]
}

extension TrainingTask {
    /// No teacher.
    public var teacherStep: Int? { nil }

    /// The same step size for all.
    public func rate(of parameter: Parameter) -> Double { 1 }

    /// True.
    public var hasEqualPasses: Bool { true }

    /// None.
    public func figures(step: Int) throws -> [String: Double] { [:] }

    /// The loss of all samples of a step.
    public func loss(step: Int) throws -> TrainingLoss {
        try loss(step: step, samples: 0..<sampleCount(step: step))
    }
}

/// What the log says of a step.
public struct TrainingReport: Sendable {
    /// Counted from 0.
    public let step: Int
    /// The number of steps of the whole run.
    public let totalSteps: Int
    /// The loss of this step.
    public let loss: Double
    /// The gradients' norm before clipping.
    public let gradientNorm: Double
    /// The step size.
    public let learningRate: Double
    /// Seconds that the step took.
    public let seconds: Double
    /// Further figures by name.
    public let metrics: [String: Double]

    /// Puts them together.
    public init(
        step: Int, totalSteps: Int, loss: Double, gradientNorm: Double, learningRate: Double,
        seconds: Double, metrics: [String: Double]
    ) {
        self.step = step
        self.totalSteps = totalSteps
        self.loss = loss
        self.gradientNorm = gradientNorm
        self.learningRate = learningRate
        self.seconds = seconds
        self.metrics = metrics
    }
}

/// What ends a training.
public struct TrainingError: Error, CustomStringConvertible, Sendable {
    /// A full sentence.
    public let description: String

    init(_ description: String) { self.description = description }
}
