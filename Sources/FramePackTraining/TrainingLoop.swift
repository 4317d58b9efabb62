import Checkpoints
public import Foundation
import Torch
public import TorchDistributed
import TorchNN
public import TorchOptim

/// Runs a task step by step, keeps averages, stores states and continues from them.
///
/// In several processes each computes its share of every step's samples; all have the same figures,
/// and rank 0 alone writes states. A state is whole, whatever the processes hold of it: a run goes
/// on in any number of processes.
public final class TrainingLoop {
    /// What is trained.
    public let task: any TrainingTask
    /// How.
    public let config: TrainingLoopConfig
    /// The averaged weights: this process's rows of them where weights are divided, none where the
    /// averages' decay is 0.
    public let averages: ExponentialMovingAverage
    /// The step to be done next.
    public internal(set) var step = 0
    var optimizer: any Optimizer
    let layout: any ParameterLayout
    let group: ProcessGroup?
    let folder: URL
    /// Held from the beginning to the end of a run.
    private var lock: FolderLock?

    /// Prepares a run in a folder, or continues the one that lies there.
    ///
    /// - Parameters:
    ///   - folder: The folder of the state; of rank 0's machine, where there are several processes.
    ///   - group: The processes of the run, all of which make this call; nil for this one alone.
    /// - Throws: `TrainingError` if the stored state belongs to another model, optimizer or teacher,
    ///   or for weights that can't be divided; `CheckpointError` if another process trains in that
    ///   folder.
    public init(
        _ task: any TrainingTask, config: TrainingLoopConfig, folder: URL,
        group: ProcessGroup? = nil
    ) throws {
        self.task = task
        self.config = config
        self.folder = folder
        self.group = group
        if group?.rank ?? 0 == 0 {
            try makeFolder(folder)
            lock = try FolderLock(folder)
            try Self.removeUnfinished(in: folder)
        }
        layout = try Self.makeLayout(task, config, group)
        optimizer = try config.makeOptimizer(layout.parameters, rates: task.rate)
        averages = try ExponentialMovingAverage(
            config.averaging > 0 ? layout.parameters : [], decay: config.averaging)
        try restore()
    }

    private static func makeLayout(
        _ task: any TrainingTask, _ config: TrainingLoopConfig, _ group: ProcessGroup?
    ) throws -> any ParameterLayout {
        if let group, config.isSharded {
            return try ShardedParameters(
                task.store, group: group, dividesRows: config.optimizer.treatsEachWeight,
                device: task.device)
        }
        // The optimizer's moments lie where the parameters do, so these move first.
        let layout = try ReplicatedParameters(
            task.store, group: group, device: task.device, bucketSize: config.bucketSize)
        try task.store.setRequiresGradient(true)
        return layout
    }

    /// Runs until the end, or until `shouldStop` is true.
    ///
    /// - Parameters:
    ///   - shouldStop: Asked before each step; a run that stops stores its state. It is enough that
    ///     one process is to stop.
    ///   - record: As in ``run(stop:record:onStep:)``.
    ///   - onStep: Likewise.
    /// - Throws: Likewise.
    public func run(
        shouldStop: () -> Bool = { false }, record: TrainingRecord? = nil,
        onStep: (TrainingReport) throws -> Void
    ) throws {
        try run(stop: { shouldStop() ? .cancelled : nil }, record: record, onStep: onStep)
    }

    /// Runs until the end, or until there is a reason to stop.
    ///
    /// - Parameters:
    ///   - stop: Asked before each step; a run that stops stores its state. It is enough that one
    ///     process is to stop.
    ///   - record: Gets each step before a state that counts it as done is stored, so that a run
    ///     that is killed at any moment has every step of its state in the record. Rank 0's alone.
    ///   - onStep: Called after each step; what it throws ends the run, its state stored.
    /// - Returns: Why it stopped, the same on all processes; nil where all steps are done.
    /// - Throws: `TrainingError` for a loss or gradient that is not a number; the state stays the
    ///   one that was stored last. `DistributedError` if a process is gone.
    @discardableResult
    public func run(
        stop: () -> TrainingStop?, record: TrainingRecord? = nil,
        onStep: (TrainingReport) throws -> Void
    ) throws -> TrainingStop? {
        if group?.rank ?? 0 == 0 { lock = try lock ?? FolderLock(folder) }
        defer { lock = nil }
        var reason: TrainingStop?
        while step < task.totalSteps {
            reason = TrainingStop(rawValue: try greatest(stop()?.rawValue ?? 0))
            if reason != nil { break }
            let report = try advance()
            var failure: (any Error)?
            do {
                try record?.append(report)
            } catch {
                failure = error
            }
            if step % config.checkpointSteps == 0 { try store() }
            if failure == nil {
                do { try onStep(report) } catch { failure = error }
            }
            if try greatest(failure == nil ? 0 : 1) > 0 {
                try store()
                throw failure ?? TrainingError("another process of the run ended it")
            }
        }
        try store()
        return reason
    }

    /// The greatest of all processes' numbers.
    private func greatest(_ number: Int) throws -> Int {
        guard let group else { return number }
        let value = try Tensor([Int64(number)])
        try group.allReduce(value, .max)
        return try value.intItem()
    }

    private func advance() throws -> TrainingReport {
        let clock = ContinuousClock()
        let start = clock.now
        if try task.prepare(step: step) {
            optimizer = try config.makeOptimizer(layout.parameters, rates: task.rate)
        }
        let progress = Double(step) / Double(max(task.totalSteps, 1))
        optimizer.learningRate = config.learningRate.rate(step: step, progress: progress)
        try layout.beginStep()
        let figures = try task.figures(step: step)
        let sum = try computeGradients()
        let norm = try layout.clipGradients(of: optimizer, to: config.clipNorm)
        guard norm.isFinite else {
            throw TrainingError(
                "the gradients' norm is \(norm) at step \(step); lower the learning rate")
        }
        try optimizer.step()
        try optimizer.clearGradients()
        if !averages.averages.isEmpty { try averages.update(step: step) }
        try layout.endStep()
        defer { step += 1 }
        return TrainingReport(
            step: step, totalSteps: task.totalSteps, loss: sum.loss, gradientNorm: norm,
            learningRate: optimizer.learningRate,
            seconds: start.duration(to: clock.now) / .seconds(1),
            metrics: sum.metrics.merging(figures) { $1 })
    }

    /// Leaves the gradients of the step's loss, micro-batch by micro-batch.
    private func computeGradients() throws -> LossSum {
        let (rank, size) = (group?.rank ?? 0, group?.size ?? 1)
        let count = try microBatchCount(processes: size)
        let parts = try BatchPart.split(task.sampleCount(step: step), into: count * size)
        var sum = LossSum()
        for samples in parts[rank * count..<(rank + 1) * count] {
            try group?.checkAlive()
            let part = try task.loss(step: step, samples: samples)
            let weight = part.weight ?? Double(samples.count)
            let loss = try part.loss.item()
            guard loss.isFinite else {
                throw TrainingError("the loss is \(loss) at step \(step); lower the learning rate")
            }
            sum.add(loss, weight: weight, metrics: part.metrics, samples: samples.count)
            // A step of one part keeps its bits: nothing is multiplied and divided again.
            try layout.backward(parts.count == 1 ? part.loss : part.loss * weight)
        }
        if let group { try sum.combine(group, metricNames: task.metricNames) }
        try layout.finishGradients(scaledBy: parts.count == 1 ? 1 : 1 / sum.weight)
        return sum
    }

    /// Into how many micro-batches each process divides its samples.
    private func microBatchCount(processes: Int) throws -> Int {
        guard isDivided, !task.hasEqualPasses else { return config.accumulation }
        let count = task.sampleCount(step: step)
        guard count % processes == 0 else {
            throw TrainingError(
                """
                a step of \(count) samples can't be divided evenly among \(processes) processes; \
                with divided weights use a batch that is a multiple of \(processes)
                """)
        }
        return count / processes
    }

    /// Bytes that this process holds of weights and what belongs to them.
    public func heldBytes() throws -> HeldBytes {
        var bytes = layout.heldBytes
        bytes.optimizer = try optimizer.state().values.reduce(0) { $0 + $1.byteCount }
        bytes.averages = averages.averages.values.reduce(0) { $0 + $1.byteCount }
        return bytes
    }
}

/// Why a training stops before its last step; of several processes' reasons the later case counts.
public enum TrainingStop: Int, Sendable {
    /// The time that it was given is over.
    case timeIsUp = 1
    /// Somebody told it to end.
    case cancelled
}

/// Peak signal-to-noise ratio in dB, from the mean squared error of pixels in [−1, 1].
func psnr(_ squaredError: Double) -> Double { 10 * log10(4 / max(squaredError, 1e-12)) }
