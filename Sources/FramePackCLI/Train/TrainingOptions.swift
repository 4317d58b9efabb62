import ArgumentParser
import Foundation
import FramePack
import FramePackTraining
import Torch
import TorchDistributed
import TorchOptim

/// Where a training computes, and for how long.
struct TrainingOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "cpu, cuda, cuda:N, or auto for a GPU if there is one.")
    var device = DeviceOption(device: .cpu)
    @Option(parsing: .unconditional, help: "Type of the activations; the weights stay in f32.")
    var dtype = PrecisionChoice.bf16
    @Option(parsing: .unconditional, help: "What changes the weights.")
    var optimizer = OptimizerChoice.adamw
    @Option(
        parsing: .unconditional,
        help: "Micro-batches into which each process divides its samples.")
    var accumulate = 1
    @OptionGroup var division: DivisionOption
    @Option(parsing: .unconditional, help: "Steps between two stored states.")
    var checkpointSteps = 200
    @Flag(help: "Compute activations again in the backward pass: less memory, more time.")
    var checkpointActivations = false
    @OptionGroup var end: EndOption
    @Option(parsing: .unconditional, help: "Threads; 0 leaves it to libtorch.")
    var threads = 0

    func validate() throws {
        try checkOption("accumulate", accumulate, 1...4096)
        try checkOption("checkpoint-steps", checkpointSteps, 1...100_000_000)
        guard (0...4096).contains(threads) else {
            throw ValidationError("threads is \(threads); it must be 0 or more")
        }
    }

    /// Runs a training in the processes that torchrun, Slurm or the user started.
    func inProcesses(_ body: (TrainingProcesses, TrainingExecution) throws -> Void) throws {
        let launch = try TrainingProcesses.launch()
        let execution = try execution(launch)
        let processes = try TrainingProcesses(launch, device: execution.device)
        try processes.finish { try body(processes, execution) }
    }

    /// The loop's settings.
    func loopConfig(_ learningRate: LearningRateSchedule) -> TrainingLoopConfig {
        var config = TrainingLoopConfig(learningRate: learningRate)
        config.optimizer = optimizer
        config.accumulation = accumulate
        config.isSharded = division.shard
        config.checkpointSteps = checkpointSteps
        return config
    }

    /// Sets the process up, before anything is computed.
    private func execution(_ launch: ProcessLaunch?) throws -> TrainingExecution {
        if threads > 0 { TorchLibrary.setThreadCount(threads) }
        TorchLibrary.flushDenormals(true)
        return TrainingExecution(
            device: try device.resolved(for: launch), dtype: dtype.dtype,
            checkpointsActivations: checkpointActivations || (division.shard && launch != nil))
    }

    /// Runs until the end, the given time, or Ctrl-C; the state is stored in each case.
    ///
    /// - Parameter afterStep: Called with the number of each step that is done, the run's record, and
    ///   what tells it to end.
    func run(
        _ loop: TrainingLoop, in folder: URL, _ processes: TrainingProcesses, lineInterval: Int,
        afterStep: (Int, TrainingRecord, CancellationToken) throws -> Void = { _, _, _ in }
    ) throws {
        var session = TrainingSession(stopAfter: end.stopAfter, lineInterval: lineInterval)
        session.processes = processes
        try session.run(loop, in: folder, afterStep: afterStep)
    }
}

/// Whether the processes of a training divide what belongs to the weights.
struct DivisionOption: ParsableArguments {
    @Flag(help: "Divide weights, gradients and moments among processes.")
    var shard = false
}

/// When a training ends before its last step.
struct EndOption: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Store the state and end after so long; the same command goes on.",
            valueName: "minutes"))
    var stopAfter: Double?

    func validate() throws {
        guard let stopAfter, !(stopAfter > 0 && stopAfter < 1e6) else { return }
        throw ValidationError(
            "--stop-after is \(stopAfter); it must be above 0 and below 1000000 minutes")
    }
}

/// Checks that an option's number lies in its range.
///
/// - Throws: `ValidationError` that names the option, the value and the range.
func checkOption<Number: Comparable>(_ name: String, _ value: Number, _ range: ClosedRange<Number>)
    throws
{
    guard range.contains(value) else {
        throw ValidationError(
            "--\(name) is \(value); it must be from \(range.lowerBound) to \(range.upperBound)")
    }
}

/// Checks the side of a small model's pictures, which every patch of packed history has to divide.
func checkSide(_ side: Int) throws {
    guard (16...512).contains(side), side % 16 == 0 else {
        throw ValidationError("--side is \(side); it must be a multiple of 16 from 16 to 512")
    }
}
