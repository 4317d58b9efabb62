import Checkpoints
import Foundation
import FramePackTraining
import TestSupport
import Testing
import Torch
import TorchDistributed
import TorchNN

/// Trainings in several members of a group: threads here, which to Gloo are as good as processes.
@Suite(.serialized) struct SharedTrainingTests {
    /// What a training of some members gave.
    private final class Outcome: @unchecked Sendable {
        private let lock = NSLock()
        private var losses: [Int: [Double]] = [:]
        private var bytes: [Int: HeldBytes] = [:]
        private var errors: [Int: String] = [:]

        func set(_ rank: Int, _ losses: [Double], _ bytes: HeldBytes) {
            lock.withLock { (self.losses[rank], self.bytes[rank]) = (losses, bytes) }
        }

        func set(_ rank: Int, _ error: any Error) {
            lock.withLock { errors[rank] = "\(error)" }
        }

        func losses(_ rank: Int) -> [Double] { losses[rank] ?? [] }
        func bytes(_ rank: Int) -> HeldBytes { bytes[rank] ?? HeldBytes() }
        func error(_ rank: Int) -> String? { errors[rank] }
    }

    /// Why each member stopped, and before which step.
    private final class Stops: @unchecked Sendable {
        struct Stop: Equatable {
            let reason: TrainingStop?
            let step: Int
        }
        private let lock = NSLock()
        private var found: [Int: Result<Stop, any Error>] = [:]

        func set(_ rank: Int, _ result: Result<Stop, any Error>) {
            lock.withLock { found[rank] = result }
        }

        func stop(_ rank: Int) throws -> Stop { try #require(found[rank]).get() }
    }

    private enum Manner: CaseIterable { case replicated, sharded }

    /// Trains the tiny transformer in some members, or in this thread alone.
    @discardableResult
    private func train(
        _ run: TrainingRun, _ folder: URL, members: Int, _ manner: Manner = .replicated,
        optimizer: OptimizerChoice = .adamw, batch: Int = 4, blocks: Int = 1,
        accumulation: Int = 1, steps: Int = 4, stop: Int? = nil
    ) throws -> Outcome {
        let (outcome, port, group) = (Outcome(), try freePort(), DispatchGroup())
        for rank in 0..<members {
            group.enter()
            Thread.detachNewThread {
                defer { group.leave() }
                do {
                    let launch = ProcessLaunch(
                        rank: rank, size: members, localRank: rank, host: "127.0.0.1", port: port)
                    let processes = members > 1 ? try ProcessGroup(launch) : nil
                    do {
                        var execution = TinyTasks.exact
                        execution.checkpointsActivations = manner == .sharded
                        let task = try TinyTasks.transformer(
                            run, steps: steps, batch: batch, blocks: blocks, execution)
                        let loop = try TinyTasks.loop(
                            task, folder, optimizer: optimizer, accumulation: accumulation,
                            isSharded: manner == .sharded, group: processes)
                        var losses: [Double] = []
                        try loop.run(shouldStop: { loop.step == stop && rank == members - 1 }) {
                            losses.append($0.loss)
                        }
                        outcome.set(rank, losses, try loop.heldBytes())
                    } catch {
                        processes?.fail(error)
                        throw error
                    }
                    try processes?.barrier()
                    processes?.close()
                } catch {
                    outcome.set(rank, error)
                }
            }
        }
        group.wait()
        for rank in 0..<members { #expect(outcome.error(rank) == nil) }
        return outcome
    }

    private func expectSame(_ a: [Double], _ b: [Double], tolerance: Double = 1e-4) {
        #expect(a.count == b.count && !a.isEmpty)
        for (x, y) in zip(a, b) { #expect(abs(x - y) <= tolerance * abs(x), "\(x) and \(y)") }
    }

    /// Weights that moved by at most the step sizes' sum agree within a part of that.
    private func expectSameState(_ a: URL, _ b: URL) throws {
        let (first, second) = (try TinyTasks.state(a), try TinyTasks.state(b))
        #expect(first.keys == second.keys)
        for (name, values) in first where name.hasPrefix("model.") || name.hasSuffix(".step") {
            let others = try #require(second[name])
            let worst = zip(values, others).map { abs($0 - $1) }.max() ?? 0
            #expect(values.count == others.count && worst < 2e-3, "\(name): \(worst)")
        }
    }

    @Test func membersHaveTheCurveOfOneWithTheJoinedBatch() throws {
        try withTemporaryFolder { folder in
            let run = try TinyTasks.prepare(folder)
            let (alone, shared) = (
                folder.appendingPathComponent("alone"), folder.appendingPathComponent("shared")
            )
            let one = try train(run, alone, members: 1)
            let several = try train(run, shared, members: 3)
            for rank in 0..<3 { expectSame(one.losses(0), several.losses(rank)) }
            #expect(several.losses(0) == several.losses(2))
            try expectSameState(alone, shared)
        }
    }

    /// Each member has its own reason, or none; all stop at the same step for the same one.
    @Test(arguments: [
        ([nil, TrainingStop.timeIsUp], TrainingStop.timeIsUp),
        ([.cancelled, .timeIsUp], .cancelled), ([nil, nil], nil),
    ])
    func membersStopForOneReason(_ reasons: [TrainingStop?], _ wanted: TrainingStop?) throws {
        try withTemporaryFolder { folder in
            let run = try TinyTasks.prepare(folder)
            let (port, group, found) = (try freePort(), DispatchGroup(), Stops())
            for rank in 0..<2 {
                group.enter()
                Thread.detachNewThread {
                    defer { group.leave() }
                    let result = Result {
                        let processes = try ProcessGroup(
                            ProcessLaunch(
                                rank: rank, size: 2, localRank: rank, host: "127.0.0.1", port: port)
                        )
                        let task = try TinyTasks.transformer(
                            run, steps: 2, batch: 2, blocks: 1, TinyTasks.exact)
                        let loop = try TinyTasks.loop(
                            task, folder.appendingPathComponent("state"), group: processes)
                        let reason = try loop.run(stop: { loop.step == 1 ? reasons[rank] : nil }) {
                            _ in
                        }
                        try processes.barrier()
                        processes.close()
                        return Stops.Stop(reason: reason, step: loop.step)
                    }
                    found.set(rank, result)
                }
            }
            group.wait()
            for rank in 0..<2 {
                #expect(
                    try found.stop(rank) == Stops.Stop(reason: wanted, step: wanted == nil ? 2 : 1))
            }
        }
    }

    @Test func dividedWeightsHaveTheSameCurveAndTakeLess() throws {
        let count = 4
        try withTemporaryFolder { folder in
            let run = try TinyTasks.prepare(folder)
            let (alone, shared) = (
                folder.appendingPathComponent("alone"), folder.appendingPathComponent("shared")
            )
            // So many blocks that most weights are theirs, as in a model of some size.
            let one = try train(run, alone, members: 1, blocks: 10, steps: 2)
            let several = try train(
                run, shared, members: count, .sharded, blocks: 10, steps: 2)
            for rank in 0..<count { expectSame(one.losses(0), several.losses(rank)) }
            try expectSameState(alone, shared)
            let whole = one.bytes(0)
            print("    one process: \(whole)")
            for rank in 0..<count {
                let part = several.bytes(rank)
                print("    rank \(rank) of \(count): \(part)")
                // A part is its share, and the padding of rows that do not divide evenly.
                let share = 1.1 / Double(count)
                #expect(Double(part.weights) < share * Double(whole.weights))
                #expect(Double(part.gradients) < share * Double(whole.gradients))
                #expect(Double(part.optimizer) < share * Double(whole.optimizer))
                #expect(Double(part.averages) < share * Double(whole.averages))
                // What is in no block, here mostly one patch kernel, and one block: never all.
                #expect(part.gathered > 0 && part.gathered < whole.weights)
                #expect(Double(part.total) < (share + 0.25) * Double(whole.total))
            }
        }
    }

    /// Sums over columns and scales of blocks are those of whole matrices, each of which has one owner.
    @Test(arguments: [OptimizerChoice.adafactor, .adamw8bit])
    func matricesStayWholeWhereAnOptimizerNeedsThem(_ optimizer: OptimizerChoice) throws {
        try withTemporaryFolder { folder in
            let run = try TinyTasks.prepare(folder)
            let (alone, shared) = (
                folder.appendingPathComponent("alone"), folder.appendingPathComponent("shared")
            )
            let one = try train(
                run, alone, members: 1, optimizer: optimizer, batch: 6, blocks: 8, steps: 3)
            // Three members, then two, then one: the state is that of whole matrices.
            var losses: [Double] = []
            for (members, stop) in [(3, 1), (2, 2), (1, 3)] {
                let several = try train(
                    run, shared, members: members, members > 1 ? .sharded : .replicated,
                    optimizer: optimizer, batch: 6, blocks: 8, steps: 3, stop: stop)
                losses += several.losses(0)
                guard members > 1 else { continue }
                // Nothing is held twice but the number of steps, and the largest matrix is half of all.
                let (parts, whole) = ((0..<members).map(several.bytes), one.bytes(0))
                print("    \(optimizer): \(parts), alone: \(whole)")
                #expect(parts.map(\.weights).reduce(0, +) == whole.weights)
                #expect(parts.map(\.optimizer).reduce(0, +) <= whole.optimizer + 4 * members)
                #expect(parts.allSatisfy { Double($0.weights) < 0.6 * Double(whole.weights) })
            }
            expectSame(one.losses(0), losses)
            try expectSameState(alone, shared)
        }
    }

    @Test func microBatchesAndMembersTogetherAreOneBatch() throws {
        try withTemporaryFolder { folder in
            let run = try TinyTasks.prepare(folder)
            let one = try train(run, folder.appendingPathComponent("1"), members: 1, steps: 2)
            for manner in Manner.allCases {
                let several = try train(
                    run, folder.appendingPathComponent("\(manner)"), members: 2, manner,
                    accumulation: 2, steps: 2)
                expectSame(one.losses(0), several.losses(0))
            }
        }
    }

    @Test func aStateGoesOnInAnyNumberOfMembers() throws {
        try withTemporaryFolder { folder in
            let run = try TinyTasks.prepare(folder)
            let (alone, moved) = (
                folder.appendingPathComponent("alone"), folder.appendingPathComponent("moved")
            )
            let one = try train(run, alone, members: 1, batch: 6, steps: 3)
            // Two with divided weights, then one, then three with divided ones.
            var losses = try train(run, moved, members: 2, .sharded, batch: 6, steps: 3, stop: 1)
                .losses(0)
            losses += try train(run, moved, members: 1, batch: 6, steps: 3, stop: 2).losses(0)
            losses += try train(run, moved, members: 3, .sharded, batch: 6, steps: 3).losses(0)
            expectSame(one.losses(0), losses)
            try expectSameState(alone, moved)
        }
    }

    @Test(arguments: [false, true])
    func membersThatAreStoppedAndGoOnHaveTheSameBits(isSharded: Bool) throws {
        try withTemporaryFolder { folder in
            let run = try TinyTasks.prepare(folder)
            let (a, b) = (folder.appendingPathComponent("a"), folder.appendingPathComponent("b"))
            let manner = isSharded ? Manner.sharded : .replicated
            try train(run, a, members: 2, manner, steps: 2)
            try train(run, b, members: 2, manner, steps: 2, stop: 1)
            try train(run, b, members: 2, manner, steps: 2)
            #expect(try TinyTasks.state(a) == TinyTasks.state(b))
        }
    }

    @Test func whatCannotBeDividedIsRefused() throws {
        try withTemporaryFolder { folder in
            let port = try freePort()
            let launch = ProcessLaunch(
                rank: 0, size: 1, localRank: 0, host: "127.0.0.1", port: port)
            let group = try ProcessGroup(launch)
            defer { group.close() }
            let vae = #expect(throws: TrainingError.self) {
                try TinyTasks.loop(TinyTasks.vae(), folder, isSharded: true, group: group)
            }
            #expect(vae?.description.contains("uses all its weights at once") == true)
            let run = try TinyTasks.prepare(folder)
            let kept = try TinyTasks.loop(
                TinyTasks.transformer(run), folder, isSharded: true, group: group)
            let error = #expect(throws: TrainingError.self) { try kept.run { _ in } }
            #expect(error?.description.contains("--checkpoint-activations") == true)
        }
    }
}
