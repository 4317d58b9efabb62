import Checkpoints
public import Foundation
import Torch
import TorchNN
public import TorchOptim

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
    private var optimizer: any Optimizer
    private let folder: URL
    /// Held from the beginning to the end of a run.
    private var lock: FolderLock?

    /// Prepares a run in a folder, or continues the one that lies there.
    ///
    /// - Throws: `TrainingError` if the stored state belongs to another model, optimizer or teacher;
    ///   `CheckpointError` if another process trains in that folder.
    public init(_ task: any TrainingTask, config: TrainingLoopConfig, folder: URL) throws {
        self.task = task
        self.config = config
        self.folder = folder
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        lock = try FolderLock(folder)
        // The optimizer's moments lie where the parameters do, so these move first.
        if task.device != .cpu { try task.store.move(to: task.device) }
        try task.store.setRequiresGradient(true)
        optimizer = try config.makeOptimizer(task.store.parameters, rates: task.rate)
        averages = try ExponentialMovingAverage(task.store.parameters, decay: config.averaging)
        try restore()
    }

    /// Runs until the end, or until `shouldStop` is true.
    ///
    /// - Parameters:
    ///   - shouldStop: Asked before each step; a run that stops stores its state.
    ///   - record: Gets each step before a state that counts it as done is stored, so that a run
    ///     that is killed at any moment has every step of its state in the record.
    ///   - onStep: Called after each step; what it throws ends the run, its state stored.
    /// - Throws: `TrainingError` for a loss or gradient that is not a number; the state stays the
    ///   one that was stored last.
    public func run(
        shouldStop: () -> Bool = { false }, record: TrainingRecord? = nil,
        onStep: (TrainingReport) throws -> Void
    ) throws {
        lock = try lock ?? FolderLock(folder)
        defer { lock = nil }
        while step < task.totalSteps, !shouldStop() {
            let report = try advance()
            do {
                try record?.append(report)
                if step % config.checkpointSteps == 0 { try store() }
                try onStep(report)
            } catch {
                try store()
                throw error
            }
        }
        try store()
    }

    private func advance() throws -> TrainingReport {
        let clock = ContinuousClock()
        let start = clock.now
        if try task.prepare(step: step) {
            optimizer = try config.makeOptimizer(task.store.parameters, rates: task.rate)
        }
        let progress = Double(step) / Double(max(task.totalSteps, 1))
        optimizer.learningRate = config.learningRate.rate(step: step, progress: progress)
        let figures = try task.figures(step: step)
        let sum = try computeGradients()
        let norm = try optimizer.clipGradients(to: config.clipNorm)
        guard norm.isFinite else {
            throw TrainingError(
                "the gradients' norm is \(norm) at step \(step); lower the learning rate")
        }
        try optimizer.step()
        try optimizer.clearGradients()
        try averages.update(step: step)
        defer { step += 1 }
        return TrainingReport(
            step: step, totalSteps: task.totalSteps, loss: sum.loss, gradientNorm: norm,
            learningRate: optimizer.learningRate,
            seconds: start.duration(to: clock.now) / .seconds(1),
            metrics: sum.metrics.merging(figures) { $1 })
    }

    /// Leaves the gradients of the step's loss, micro-batch by micro-batch.
    private func computeGradients() throws -> LossSum {
        let parts = try BatchPart.split(
            task.sampleCount(step: step), into: config.accumulation)
        var sum = LossSum()
        for samples in parts {
            let part = try task.loss(step: step, samples: samples)
            let weight = part.weight ?? Double(samples.count)
            let loss = try part.loss.item()
            guard loss.isFinite else {
                throw TrainingError("the loss is \(loss) at step \(step); lower the learning rate")
            }
            sum.add(loss, weight: weight, metrics: part.metrics, samples: samples.count)
            // A step of one part keeps its bits: nothing is multiplied and divided again.
            try (parts.count == 1 ? part.loss : part.loss * weight).backward()
        }
        if parts.count > 1 { try optimizer.scaleGradients(by: 1 / sum.weight) }
        return sum
    }

    private var stateFile: URL { folder.appendingPathComponent("state.safetensors") }

    private func store() throws {
        var tensors: [String: Tensor] = [:]
        for (name, value) in task.store.tensors { tensors["model.\(name)"] = value }
        for (name, value) in averages.averages { tensors["average.\(name)"] = value }
        for (name, value) in try optimizer.state() { tensors["optimizer.\(name)"] = value }
        var metadata = ["step": "\(step)", "optimizer": config.optimizer.rawValue]
        metadata["teacher"] = task.teacherStep.map(String.init)
        try writeSafetensors(tensors, metadata: metadata, to: stateFile)
    }

    private func restore() throws {
        guard FileManager.default.fileExists(atPath: stateFile.path) else { return }
        let file = try SafetensorsFile(stateFile)
        let stored = file.metadata["optimizer"] ?? OptimizerChoice.adamw.rawValue
        guard stored == config.optimizer.rawValue else {
            throw TrainingError(
                """
                \(stateFile.path) was trained with \(stored), not \(config.optimizer.rawValue); \
                continue with \(stored), or begin in another folder
                """)
        }
        if let teacher = task.teacherStep, file.metadata["teacher"] != "\(teacher)" {
            throw TrainingError(
                """
                \(stateFile.path) was taught by step \(file.metadata["teacher"] ?? "(unknown)") of \
                its teacher, which is at step \(teacher) now; remove that folder to begin anew
                """)
        }
        try restoreParameters(file)
        try averages.setAverages(file.part("average."))
        try optimizer.setState(file.part("optimizer."))
        guard let step = file.metadata["step"].flatMap(Int.init) else {
            throw TrainingError("\(stateFile.path) does not say at which step it was stored")
        }
        self.step = step
    }

    private func restoreParameters(_ file: SafetensorsFile) throws {
        let values = try file.part("model.")
        try withoutGradients {
            for parameter in task.store.parameters {
                guard let value = values[parameter.name], value.shape == parameter.value.shape
                else {
                    throw TrainingError(
                        """
                        \(file.url.path) has no \(parameter.name) of shape \
                        \(parameter.value.shape)
                        """)
                }
                try parameter.value.copy(from: value)
            }
        }
    }
}

extension SafetensorsFile {
    /// The tensors whose names have a prefix, without it.
    fileprivate func part(_ prefix: String) throws -> [String: Tensor] {
        try Dictionary(
            uniqueKeysWithValues: names.filter { $0.hasPrefix(prefix) }.map {
                (String($0.dropFirst(prefix.count)), try tensor($0))
            })
    }
}

/// Peak signal-to-noise ratio in dB, from the mean squared error of pixels in [−1, 1].
func psnr(_ squaredError: Double) -> Double { 10 * log10(4 / max(squaredError, 1e-12)) }
