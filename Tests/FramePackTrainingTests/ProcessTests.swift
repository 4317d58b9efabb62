import Foundation
import FramePackTraining
import TestSupport
import Testing

/// Trainings in real processes of the built program, as torchrun starts them, and their sudden ends.
@Suite(.serialized) struct ProcessTests {
    /// Starts `framepack train transformer` on a tiny training.
    private func launch(_ folder: URL, _ count: Int, _ options: [String]) throws
        -> LaunchedTraining
    {
        try LaunchedTraining(
            state: state(folder), processes: count,
            [
                "train", "transformer", "--folder", folder.path, "--batch", "4", "--dtype", "f32",
                "--sample-steps", "0", "--learning-rate", "0.02", "--threads", "1",
                "--packings", TinyTasks.packings.joined(separator: ","),
            ] + options)
    }

    private func state(_ folder: URL) -> URL { folder.appendingPathComponent("transformer-run") }

    private func losses(_ folder: URL) throws -> [Double] {
        try LaunchedTraining.losses(state(folder))
    }

    private func bytes(_ folder: URL) throws -> Data {
        try Data(contentsOf: state(folder).appendingPathComponent("state.safetensors"))
    }

    /// Runs a test with a function that makes fresh folders of one tiny training.
    private func withTrainings(_ body: ((String) throws -> URL) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let original = folder.appendingPathComponent("original")
            _ = try TinyTraining(in: original)
            try body { name in
                let copy = folder.appendingPathComponent(name)
                try FileManager.default.copyItem(at: original, to: copy)
                return copy
            }
        }
    }

    @Test func twoAndFourProcessesHaveTheCurveOfOneWithTheJoinedBatch() throws {
        try withTrainings { fresh in
            func curve(_ name: String, _ count: Int, _ options: [String] = []) throws -> [Double] {
                let folder = try fresh(name)
                try launch(folder, count, ["--steps", "4"] + options).finish()
                return try losses(folder)
            }
            let one = try curve("one", 1)
            #expect(one.count == 4 && Set(one).count == 4)
            for (name, count, options) in [
                ("two", 2, []), ("four", 4, []), ("shards", 2, ["--shard", "--accumulate", "2"]),
            ] {
                let several = try curve(name, count, options)
                print("    \(name): \(several), one: \(one)")
                #expect(several.count == 4)
                for (a, b) in zip(one, several) { #expect(abs(a - b) < 1e-4 * a, "\(name)") }
            }
        }
    }

    /// All weights and adapters; samples in passes of their own where contexts differ.
    @Test func aFineTuningHasTheSameCurveInTwoProcesses() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            func curve(_ kind: String, _ name: String, _ count: Int, _ options: [String] = [])
                throws
                -> [Double]
            {
                let run = try tiny.run(
                    "method = { kind = \"\(kind)\" }\noptimizer = { learning_rate = 1e-3 }",
                    output: name, steps: 3)
                _ = try run.fillCache()
                let training = try LaunchedTraining(
                    state: run.stateFolder, processes: count,
                    ["train", "--config", folder.appendingPathComponent("run.toml").path] + options)
                training.finish()
                #expect(training.output(0).contains("done"), "\(training.output(0))")
                let results = try FileManager.default.contentsOfDirectory(
                    atPath: run.resultFolder.path)
                #expect(results.count >= 2, "\(results)")
                return try LaunchedTraining.losses(run.stateFolder)
            }
            for kind in ["lora", "full"] {
                let one = try curve(kind, "\(kind)-one", 1)
                var others = ["two": try curve(kind, "\(kind)-two", 2)]
                if kind == "full" {
                    others["shards"] = try curve(kind, "\(kind)-shards", 2, ["--shard"])
                }
                for (name, losses) in others {
                    print("    \(kind) \(name): \(losses), one: \(one)")
                    #expect(losses.count == 3)
                    for (a, b) in zip(one, losses) { #expect(abs(a - b) < 1e-4 * a) }
                }
            }
        }
    }

    /// The other processes end within seconds and name the one that was killed; then the run goes on
    /// in another number of processes.
    @Test(arguments: [1, 0]) func aKilledProcessEndsTheRunWhichGoesOn(_ killed: Int) throws {
        try withTrainings { fresh in
            let folder = try fresh("run")
            let run = try launch(
                folder, 4,
                ["--steps", "100000", "--checkpoint-steps", "3"] + (killed == 0 ? ["--shard"] : []))
            try run.wait(forSteps: 4)
            run.kill(killed)
            let seconds = run.secondsToEnd()
            print("    all ended \(seconds) s after rank \(killed) was killed")
            #expect(seconds < 20)
            for rank in 0..<4 where rank != killed {
                let text = run.errors(rank)
                #expect(
                    text.hasPrefix("error: rank \(rank): rank \(killed) is gone"), "\(text)")
                #expect(text.split(separator: "\n").count == 1, "\(text)")
                #expect(run.processes[rank].terminationStatus == 1)
            }
            let done = try losses(folder).count
            try launch(
                folder, 2, ["--shard", "--steps", "\(done + 2)"]
            ).finish()
            #expect(try losses(folder).count == done + 2)
        }
    }

    @Test(arguments: [1, 2]) func runsThatAreKilledAnywhereEndInTheSameBytes(_ count: Int) throws {
        try withTrainings { fresh in
            let options = ["--steps", "7", "--checkpoint-steps", "2"]
            let whole = try fresh("whole")
            try launch(whole, count, options).finish()
            let wanted = try bytes(whole)
            let broken = try fresh("broken")
            // Before the first state, after it, and in the midst of the rest.
            for step in [1, 3, 5] {
                let run = try launch(broken, count, options)
                try run.wait(forSteps: step)
                for rank in 0..<count { run.kill(rank) }
                _ = run.secondsToEnd()
                #expect(run.processes.allSatisfy { $0.terminationStatus != 0 })
            }
            try launch(broken, count, options).finish()
            #expect(try bytes(broken) == wanted)
            #expect(try losses(broken) == losses(whole))
            let left = try FileManager.default.contentsOfDirectory(
                atPath: state(broken).path)
            #expect(!left.contains { $0.hasSuffix(".part") })
        }
    }

    /// Weights in bfloat16, rounded at random, whose rows two processes divide, and averages of them.
    @Test func aFineTuningThatIsKilledEndsInTheSameBytes() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            func start(_ name: String) throws -> (state: URL, training: LaunchedTraining) {
                let run = try tiny.run(
                    """
                    method = { kind = "full" }
                    optimizer = { learning_rate = 1e-3, averaging = 0.9 }
                    checkpoints = { interval = 2 }
                    """, output: name)
                _ = try run.fillCache()
                let file = folder.appendingPathComponent("run.toml")
                let text = try String(contentsOf: file, encoding: .utf8)
                    .replacingOccurrences(of: "weights = \"f32\"", with: "weights = \"bf16\"")
                try Data(text.utf8).write(to: file)
                return (
                    run.stateFolder,
                    try LaunchedTraining(
                        state: run.stateFolder, processes: 2,
                        ["train", "--config", file.path, "--shard"])
                )
            }
            func bytes(_ state: URL) throws -> Data {
                try Data(contentsOf: state.appendingPathComponent("state.safetensors"))
            }
            let whole = try start("whole")
            whole.training.finish()
            for step in [1, 3] {
                let broken = try start("broken")
                try broken.training.wait(forSteps: step)
                for rank in 0..<2 { broken.training.kill(rank) }
                _ = broken.training.secondsToEnd()
            }
            let last = try start("broken")
            last.training.finish()
            #expect(try bytes(last.state) == bytes(whole.state))
        }
    }

    @Test func runsThatASignalEndsBetweenTwoStatesGoOnInTheSameBytes() throws {
        let count = 2
        try withTrainings { fresh in
            let options = ["--steps", "8", "--checkpoint-steps", "100"]
            let whole = try fresh("whole")
            try launch(whole, count, options).finish()
            let broken = try fresh("broken")
            let run = try launch(broken, count, options)
            try run.wait(forSteps: 3)
            // One process is enough: all of them store and end together.
            run.processes[count - 1].terminate()
            _ = run.secondsToEnd()
            for (rank, process) in run.processes.enumerated() {
                #expect(process.terminationStatus == 130, "\(run.errors(rank))")
            }
            #expect(run.errors(0).contains("state stored"))
            try launch(broken, count, options).finish()
            #expect(try bytes(broken) == bytes(whole))
        }
    }
}
