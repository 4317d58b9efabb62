import Foundation
import FramePack
import FramePackTraining

/// Runs a training's loop as the commands do: shown, recorded, and stored in each case.
struct TrainingSession {
    /// After how many minutes it ends; nil for when it is done.
    var stopAfter: Double?
    /// Steps between two lines where there is no terminal.
    var lineInterval: Int

    /// Runs until the end, the given time, or Ctrl-C; the state is stored in each case.
    ///
    /// - Parameter afterStep: Called with the number of each step that is done, the run's record, and
    ///   what tells it to end.
    func run(
        _ loop: TrainingLoop, in folder: URL,
        afterStep: (Int, TrainingRecord, CancellationToken) throws -> Void = { _, _, _ in }
    ) throws {
        let token = CancellationToken()
        let interruption = Interruption(token)
        defer { withExtendedLifetime(interruption) {} }
        let deadline = stopAfter.map { Date(timeIntervalSinceNow: $0 * 60) }
        let record = try TrainingRecord(
            in: folder, metricNames: loop.task.metricNames, firstStep: loop.step)
        let output = TrainingOutput(interval: lineInterval)
        defer { output.finish() }
        try loop.run(
            shouldStop: { token.isCancelled || deadline.map { $0 <= Date() } == true },
            record: record
        ) {
            output($0)
            try afterStep($0.step, record, token)
        }
        output.finish()
        let state = "stopped before step \(loop.step) of \(loop.task.totalSteps), state stored"
        if token.isCancelled { throw CommandError.cancelled("\(state); the same command goes on.") }
        print(loop.step < loop.task.totalSteps ? state : "done")
    }
}
