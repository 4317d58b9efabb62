import Foundation
import FramePack
import FramePackTraining
import TorchDistributed

/// Runs a training's loop as the commands do: shown, recorded, and stored in each case.
struct TrainingSession {
    /// After how many minutes it ends; nil for when it is done.
    var stopAfter: Double?
    /// Steps between two lines where there is no terminal.
    var lineInterval: Int
    /// The processes that run it together.
    var processes = TrainingProcesses.alone

    /// Runs until the end, the given time, or Ctrl-C; the state is stored in each case.
    ///
    /// - Parameter afterStep: Called with the number of each step that is done, the run's record, and
    ///   what tells it to end.
    func run(
        _ loop: TrainingLoop, in folder: URL,
        afterStep: (Int, TrainingRecord, CancellationToken) throws -> Void = { _, _, _ in }
    ) throws {
        if let group = processes.group, loop.config.isSharded {
            let megabytes = try Double(loop.heldBytes().total) / 1e6
            processes.print(
                String(
                    format: "each of %d processes holds %.1f MB of weights, gradients and moments",
                    group.size, megabytes))
        }
        let token = CancellationToken()
        let interruption = Interruption(token)
        defer { withExtendedLifetime(interruption) {} }
        let deadline = stopAfter.map { Date(timeIntervalSinceNow: $0 * 60) }
        let record =
            processes.isFirst
            ? try TrainingRecord(
                in: folder, metricNames: loop.task.metricNames, firstStep: loop.step) : nil
        if let dropped = record?.dropped { Terminal.writeError("note: \(dropped)\n") }
        let output = TrainingOutput(interval: lineInterval)
        defer { output.finish() }
        // All processes end for the reason of one, though their deadlines differ by moments.
        let stop = try loop.run(
            stop: {
                if token.isCancelled { return .cancelled }
                return deadline.map { $0 <= Date() } == true ? .timeIsUp : nil
            }, record: record
        ) {
            guard let record else { return }
            output($0)
            try afterStep($0.step, record, token)
        }
        output.finish()
        let state = "stopped before step \(loop.step) of \(loop.task.totalSteps), state stored"
        switch stop {
        case .cancelled: throw CommandError.cancelled("\(state); the same command goes on.")
        case .timeIsUp: processes.print(state)
        case nil: processes.print("done")
        }
    }
}
