import Checkpoints
public import Foundation
public import Torch
public import TorchNN
public import TorchOptim

/// What one step gives: the number to be lowered, and figures for the log.
public struct TrainingLoss {
    /// One number, with its graph.
    public let loss: Tensor
    /// Figures for the log, by name.
    public let metrics: [String: Double]
}

/// Something that can be trained: its parameters, and a loss for each step.
///
/// A step's data follow from its number alone, so that a continued run sees the same.
public protocol TrainingTask: AnyObject {
    /// What is trained.
    var store: ParameterStore { get }
    /// The number of steps of the whole run.
    var totalSteps: Int { get }
    /// Called before a step; true if it changed parameters and their moments must begin anew.
    func prepare(step: Int) throws -> Bool
    /// The loss of one step.
    func loss(step: Int) throws -> TrainingLoss
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
}

/// How a run steps and what it keeps.
public struct TrainingLoopConfig: Codable, Sendable {
    /// The step size over the run.
    public var learningRate: LearningRateSchedule
    /// Largest norm of the gradients.
    public var clipNorm = 1.0
    /// How much of the first and second moments each step keeps.
    public var beta1 = 0.9
    /// How much of the second moments each step keeps.
    public var beta2 = 0.98
    /// Weight decay of matrices.
    public var weightDecay = 0.01
    /// Decay of the averaged weights.
    public var averaging = 0.998
    /// Steps between two stored states.
    public var checkpointSteps = 200

    /// A loop with the usual values.
    public init(learningRate: LearningRateSchedule) { self.learningRate = learningRate }
}

/// Runs a task step by step, keeps averages, stores states and continues from them.
public final class TrainingLoop {
    /// What is trained.
    public let task: any TrainingTask
    /// How.
    public let config: TrainingLoopConfig
    /// The averaged weights.
    public let averages: ExponentialMovingAverage
    /// The step to be done next.
    public private(set) var step = 0
    private var optimizer: AdamW
    private let folder: URL

    /// Prepares a run in a folder, or continues the one that lies there.
    ///
    /// - Throws: `TrainingError` if the stored state belongs to another model.
    public init(_ task: any TrainingTask, config: TrainingLoopConfig, folder: URL) throws {
        self.task = task
        self.config = config
        self.folder = folder
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try task.store.setRequiresGradient(true)
        optimizer = try Self.optimizer(task, config)
        averages = try ExponentialMovingAverage(task.store.parameters, decay: config.averaging)
        try restore()
    }

    /// Runs until the end, or until `shouldStop` is true.
    ///
    /// - Parameter onStep: Called after each step; what it throws ends the run, its state stored.
    public func run(
        shouldStop: () -> Bool = { false }, onStep: (TrainingReport) throws -> Void
    ) throws {
        while step < task.totalSteps, !shouldStop() {
            let report = try advance()
            if step % config.checkpointSteps == 0 { try store() }
            try onStep(report)
        }
        try store()
    }

    private func advance() throws -> TrainingReport {
        let clock = ContinuousClock()
        let start = clock.now
        if try task.prepare(step: step) { optimizer = try Self.optimizer(task, config) }
        let progress = Double(step) / Double(max(task.totalSteps, 1))
        optimizer.learningRate = config.learningRate.rate(step: step, progress: progress)
        let result = try task.loss(step: step)
        let loss = try result.loss.item()
        guard loss.isFinite else {
            throw TrainingError("the loss is \(loss) at step \(step); lower the learning rate")
        }
        try result.loss.backward()
        let norm = try optimizer.clipGradients(to: config.clipNorm)
        try optimizer.step()
        try optimizer.clearGradients()
        try averages.update(step: step)
        defer { step += 1 }
        return TrainingReport(
            step: step, totalSteps: task.totalSteps, loss: loss, gradientNorm: norm,
            learningRate: optimizer.learningRate,
            seconds: start.duration(to: clock.now) / .seconds(1), metrics: result.metrics)
    }

    private static func optimizer(_ task: any TrainingTask, _ config: TrainingLoopConfig) throws
        -> AdamW
    {
        try AdamW(
            task.store.parameters, learningRate: 0, betas: (config.beta1, config.beta2),
            weightDecay: config.weightDecay)
    }

    private var stateFile: URL { folder.appendingPathComponent("state.safetensors") }

    private func store() throws {
        var tensors: [String: Tensor] = [:]
        for (name, value) in task.store.tensors { tensors["model.\(name)"] = value }
        for (name, value) in averages.averages { tensors["average.\(name)"] = value }
        for (name, value) in try optimizer.state() { tensors["optimizer.\(name)"] = value }
        try writeSafetensors(tensors, metadata: ["step": "\(step)"], to: stateFile)
    }

    private func restore() throws {
        guard FileManager.default.fileExists(atPath: stateFile.path) else { return }
        let file = try SafetensorsFile(stateFile)
        func part(_ prefix: String) throws -> [String: Tensor] {
            try Dictionary(
                uniqueKeysWithValues: file.names.filter { $0.hasPrefix(prefix) }.map {
                    (String($0.dropFirst(prefix.count)), try file.tensor($0))
                })
        }
        let values = try part("model.")
        try withoutGradients {
            for parameter in task.store.parameters {
                guard let value = values[parameter.name], value.shape == parameter.value.shape
                else {
                    throw TrainingError(
                        "\(stateFile.path) has no \(parameter.name) of shape \(parameter.value.shape)"
                    )
                }
                try parameter.value.copy(from: value)
            }
        }
        try averages.setAverages(part("average."))
        try optimizer.setState(part("optimizer."))
        step = file.metadata["step"].flatMap(Int.init) ?? 0
    }
}

/// What ends a training.
public struct TrainingError: Error, CustomStringConvertible, Sendable {
    /// A full sentence.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// Peak signal-to-noise ratio in dB, from the mean squared error of pixels in [−1, 1].
func psnr(_ squaredError: Double) -> Double { 10 * log10(4 / max(squaredError, 1e-12)) }
