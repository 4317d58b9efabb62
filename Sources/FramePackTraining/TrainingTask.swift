public import Torch
public import TorchNN

/// What one step gives: the number to be lowered, and figures for the log.
public struct TrainingLoss {
    /// One number, with its graph.
    public let loss: Tensor
    /// Figures for the log, by name.
    public let metrics: [String: Double]

    /// Puts them together.
    public init(loss: Tensor, metrics: [String: Double]) {
        self.loss = loss
        self.metrics = metrics
    }
}

/// Something that can be trained: its parameters, and a loss for each step.
///
/// A step's data follow from its number alone, so that a continued run sees the same.
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
    /// The loss of one step.
    func loss(step: Int) throws -> TrainingLoss
}

extension TrainingTask {
    /// No teacher.
    public var teacherStep: Int? { nil }

    /// The same step size for all.
    public func rate(of parameter: Parameter) -> Double { 1 }
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
