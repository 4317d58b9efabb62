import Foundation
import FramePackTraining
import TestSupport
import Testing
import Torch
import TorchNN
import TorchOptim

@Suite(.serialized) struct TrainingLoopTests {
    private struct Killed: Error {}

    /// That a run stopped after some steps and continued stores the bits of an undisturbed one.
    private func checkContinuing(
        after stop: Int, optimizer: OptimizerChoice = .adamw, _ task: () throws -> any TrainingTask
    ) throws {
        try withTemporaryFolder { folder in
            let (a, b) = (
                folder.appendingPathComponent("a"), folder.appendingPathComponent("b")
            )
            try TinyTasks.loop(task(), a, optimizer: optimizer).run { _ in }
            let first = try TinyTasks.loop(task(), b, optimizer: optimizer)
            try first.run(shouldStop: { first.step == stop }) { _ in }
            #expect(first.step == stop)
            let second = try TinyTasks.loop(task(), b, optimizer: optimizer)
            #expect(second.step == stop)
            try second.run { _ in }
            let (undisturbed, continued) = (
                try TinyTasks.state(a), try TinyTasks.state(b)
            )
            #expect(undisturbed.keys == continued.keys)
            for (name, values) in undisturbed {
                #expect(continued[name] == values, "\(name)")
            }
        }
    }

    /// Clips begin at step 2: kernels change there, and moments begin anew.
    @Test(arguments: [1, 2, 3])
    func aVAEThatIsStoppedAndContinuedHasTheSameBits(after stop: Int) throws {
        try checkContinuing(after: stop) { try TinyTasks.vae() }
    }

    @Test(arguments: OptimizerChoice.allCases)
    func aTransformerThatIsStoppedAndContinuedHasTheSameBits(
        _ optimizer: OptimizerChoice
    ) throws {
        try withTemporaryFolder { folder in
            let run = try TinyTasks.prepare(folder)
            try checkContinuing(after: 2, optimizer: optimizer) {
                try TinyTasks.transformer(run)
            }
        }
    }

    @Test func aRunThatIsKilledBetweenTwoStatesHasTheSameBits() throws {
        try withTemporaryFolder { folder in
            let (a, b) = (
                folder.appendingPathComponent("a"), folder.appendingPathComponent("b")
            )
            try FileManager.default.createDirectory(at: b, withIntermediateDirectories: true)
            // What lies on the disk in the middle of the last step is what a killed run leaves.
            let task = try TinyTasks.vae()
            let whole = try TinyTasks.loop(task, a, checkpointSteps: 2)
            try whole.run { report in
                guard report.step == 2 else { return }
                try FileManager.default.copyItem(
                    at: a.appendingPathComponent("state.safetensors"),
                    to: b.appendingPathComponent("state.safetensors"))
            }
            let continued = try TinyTasks.loop(TinyTasks.vae(), b)
            #expect(continued.step == 2)
            try continued.run { _ in }
            #expect(try TinyTasks.state(a) == TinyTasks.state(b))
        }
    }

    @Test func aRunThatEndsRightAfterItsStateIsStoredHasEachStepOnceInItsRecord() throws {
        try withTemporaryFolder { folder in
            func run(_ onStep: (TrainingReport) throws -> Void) throws {
                let loop = try TinyTasks.loop(OneWeight(steps: 6), folder, checkpointSteps: 2)
                let record = try TrainingRecord(
                    in: folder, metricNames: ["weight"], firstStep: loop.step)
                try loop.run(record: record, onStep: onStep)
            }
            #expect(throws: Killed.self) { try run { if $0.step == 3 { throw Killed() } } }
            #expect(try TinyTasks.loop(OneWeight(steps: 6), folder).step == 4)
            try run { _ in }
            let table = try LogTable(TrainingLog.url(in: folder))
            #expect(table.points("weight").map(\.x) == [0, 1, 2, 3, 4, 5])
        }
    }

    @Test func theWeightsMove() throws {
        try withTemporaryFolder { folder in
            let task = try TinyTasks.vae()
            let before = try task.store.tensors.mapValues { try $0.array(Float.self) }
            try TinyTasks.loop(task, folder).run { _ in }
            for (name, value) in task.store.tensors {
                #expect(try value.array(Float.self) != before[name], "\(name)")
            }
        }
    }

    @Test func anErrorAfterAStepEndsTheRunWithItsStateStored() throws {
        try withTemporaryFolder { folder in
            let loop = try TinyTasks.loop(OneWeight(steps: 9), folder)
            #expect(throws: Killed.self) {
                try loop.run { if $0.step == 3 { throw Killed() } }
            }
            #expect(try TinyTasks.loop(OneWeight(steps: 9), folder).step == 4)
        }
    }

    @Test(arguments: [Double.nan, .infinity])
    func aLossThatIsNoNumberIsAnErrorAndLeavesTheLastState(_ bad: Double) throws {
        try withTemporaryFolder { folder in
            let task = try OneWeight(steps: 9) { $0 == 5 ? bad : 1 }
            let loop = try TinyTasks.loop(task, folder, checkpointSteps: 2)
            let error = #expect(throws: TrainingError.self) { try loop.run { _ in } }
            #expect(error?.description.contains("at step 5") == true)
            #expect(try TinyTasks.loop(OneWeight(steps: 9), folder).step == 4)
            for values in try TinyTasks.state(folder).values {
                #expect(!values.contains { !$0.isFinite })
            }
        }
    }

    @Test func aStateOfAnotherOptimizerOrModelIsRefused() throws {
        try withTemporaryFolder { folder in
            try TinyTasks.loop(OneWeight(steps: 2), folder).run { _ in }
            let other = #expect(throws: TrainingError.self) {
                try TinyTasks.loop(OneWeight(steps: 2), folder, optimizer: .adafactor)
            }
            #expect(other?.description.contains("adamw, not adafactor") == true)
            let model = #expect(throws: TrainingError.self) {
                try TinyTasks.loop(TinyTasks.vae(), folder)
            }
            #expect(model?.description.contains("has no encoder.conv_in.conv.weight") == true)
        }
    }

    @Test func theDataOfAStepFollowFromItsNumberAlone() throws {
        try withTemporaryFolder { folder in
            let run = try TinyTasks.prepare(folder)
            let tasks: [() throws -> any TrainingTask] = [
                { try TinyTasks.vae() }, { try TinyTasks.transformer(run) },
            ]
            TorchLibrary.setThreadCount(1)
            for make in tasks {
                func losses(_ steps: [Int]) throws -> [Int: Double] {
                    let task = try make()
                    return try Dictionary(
                        uniqueKeysWithValues: steps.map {
                            ($0, try task.loss(step: $0).loss.item())
                        })
                }
                let forward = try losses([0, 1, 2, 3])
                #expect(try losses([3, 1, 2, 0]) == forward)
                #expect(Set(forward.values).count == 4)
            }
        }
    }

    @Test func recomputedActivationsGiveTheSameLossAndGradients() throws {
        try withTemporaryFolder { folder in
            let run = try TinyTasks.prepare(folder)
            var recomputing = TinyTasks.exact
            recomputing.checkpointsActivations = true
            try checkSame(TinyTasks.vae(), TinyTasks.vae(recomputing))
            try checkSame(
                TinyTasks.transformer(run), TinyTasks.transformer(run, recomputing))
        }
    }

    private func checkSame(_ a: any TrainingTask, _ b: any TrainingTask) throws {
        for task in [a, b] {
            try task.store.setRequiresGradient(true)
        }
        let (x, y) = (try a.loss(step: 3).loss, try b.loss(step: 3).loss)
        try expectClose(x.detach(), y.detach(), "loss")
        try x.backward()
        try y.backward()
        for (first, second) in zip(a.store.parameters, b.store.parameters) {
            let gradient = try #require(try first.value.gradient(), "\(first.name)")
            let other = try #require(try second.value.gradient(), "\(second.name)")
            let difference = try (gradient - other).abs().max().item()
            let bound = try 1e-5 + 1e-4 * gradient.abs().max().item()
            #expect(difference <= bound, "\(first.name)")
        }
    }
}
