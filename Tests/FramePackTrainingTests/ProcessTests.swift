import Foundation
import FramePackTraining
import TestSupport
import Testing

/// Trainings in real processes of the built program, as torchrun starts them, and their sudden ends.
@Suite(.serialized) struct ProcessTests {
    /// `framepack train transformer` on a tiny model, in some processes.
    private final class Training {
        let folder: URL
        private let streams: URL
        private(set) var processes: [Process] = []

        /// Starts the processes on the training that lies in a folder.
        init(_ folder: URL, processes count: Int, _ options: [String]) throws {
            self.folder = folder
            streams = folder.appendingPathComponent("streams-\(UUID().uuidString)")
            try FileManager.default.createDirectory(
                at: streams, withIntermediateDirectories: true)
            let port = try freePort()
            for rank in 0..<count {
                var variables = ProcessInfo.processInfo.environment
                variables["OMP_NUM_THREADS"] = "1"
                if count > 1 {
                    variables["RANK"] = "\(rank)"
                    variables["LOCAL_RANK"] = "\(rank)"
                    variables["WORLD_SIZE"] = "\(count)"
                    variables["MASTER_ADDR"] = "127.0.0.1"
                    variables["MASTER_PORT"] = "\(port)"
                }
                processes.append(try start(rank, options, variables))
            }
        }

        private func start(
            _ rank: Int, _ options: [String], _ variables: [String: String]
        ) throws -> Process {
            let process = Process()
            process.executableURL = builtProgram("framepack")
            process.arguments =
                [
                    "train", "transformer", "--folder", folder.path, "--batch", "4", "--dtype",
                    "f32", "--sample-steps", "0", "--learning-rate", "0.02", "--threads", "1",
                ] + options
            process.environment = variables
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = try handle("output-\(rank)")
            process.standardError = try handle("errors-\(rank)")
            try process.run()
            return process
        }

        private func handle(_ name: String) throws -> FileHandle {
            let url = streams.appendingPathComponent(name)
            _ = FileManager.default.createFile(atPath: url.path, contents: nil)
            return try FileHandle(forWritingTo: url)
        }

        func errors(_ rank: Int) -> String {
            let url = streams.appendingPathComponent("errors-\(rank)")
            return (try? String(contentsOf: url, encoding: .utf8)) ?? ""
        }

        /// Waits for the end of all and expects that they did their work.
        func finish() {
            for (rank, process) in processes.enumerated() {
                process.waitUntilExit()
                #expect(process.terminationStatus == 0, "rank \(rank): \(errors(rank))")
            }
        }

        /// Waits until some steps are in the log.
        func wait(forSteps count: Int) throws {
            let end = Date(timeIntervalSinceNow: 120)
            while Date() < end, try ProcessTests.losses(folder).count < count {
                let areRunning = processes.allSatisfy { $0.isRunning }
                try #require(areRunning, "\(errors(0)) \(errors(processes.count - 1))")
                Thread.sleep(forTimeInterval: 0.005)
            }
        }

        func kill(_ rank: Int) { _ = Foundation.kill(processes[rank].processIdentifier, SIGKILL) }

        /// Seconds until all have ended.
        func secondsToEnd() -> Double {
            let start = Date()
            for process in processes { process.waitUntilExit() }
            return Date().timeIntervalSince(start)
        }
    }

    private static func losses(_ folder: URL) throws -> [Double] {
        let log = folder.appendingPathComponent("transformer-run/log.csv")
        guard FileManager.default.fileExists(atPath: log.path) else { return [] }
        return try LogTable(log).points("loss").map(\.y)
    }

    private func state(_ folder: URL) throws -> Data {
        try Data(contentsOf: folder.appendingPathComponent("transformer-run/state.safetensors"))
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
                try Training(folder, processes: count, ["--steps", "4"] + options).finish()
                return try Self.losses(folder)
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

    /// The other processes end within seconds and name the one that was killed; then the run goes on
    /// in another number of processes.
    @Test(arguments: [1, 0]) func aKilledProcessEndsTheRunWhichGoesOn(_ killed: Int) throws {
        try withTrainings { fresh in
            let folder = try fresh("run")
            let run = try Training(
                folder, processes: 3, ["--steps", "100000", "--checkpoint-steps", "3"])
            try run.wait(forSteps: 4)
            run.kill(killed)
            let seconds = run.secondsToEnd()
            print("    all ended \(seconds) s after rank \(killed) was killed")
            #expect(seconds < 20)
            for rank in 0..<3 where rank != killed {
                let text = run.errors(rank)
                #expect(
                    text.hasPrefix("error: rank \(rank): rank \(killed) is gone"), "\(text)")
                #expect(text.split(separator: "\n").count == 1, "\(text)")
                #expect(run.processes[rank].terminationStatus == 1)
            }
            let done = try Self.losses(folder).count
            try Training(
                folder, processes: 2, ["--shard", "--steps", "\(done + 2)"]
            ).finish()
            #expect(try Self.losses(folder).count == done + 2)
        }
    }

    @Test(arguments: [1, 2]) func runsThatAreKilledAnywhereEndInTheSameBytes(_ count: Int) throws {
        try withTrainings { fresh in
            let options = ["--steps", "7", "--checkpoint-steps", "2"]
            let whole = try fresh("whole")
            try Training(whole, processes: count, options).finish()
            let wanted = try state(whole)
            let broken = try fresh("broken")
            // Before the first state, after it, and in the midst of the rest.
            for step in [1, 3, 5] {
                let run = try Training(broken, processes: count, options)
                try run.wait(forSteps: step)
                for rank in 0..<count { run.kill(rank) }
                _ = run.secondsToEnd()
                #expect(run.processes.allSatisfy { $0.terminationStatus != 0 })
            }
            try Training(broken, processes: count, options).finish()
            #expect(try state(broken) == wanted)
            #expect(try Self.losses(broken) == Self.losses(whole))
            let left = try FileManager.default.contentsOfDirectory(
                atPath: broken.appendingPathComponent("transformer-run").path)
            #expect(!left.contains { $0.hasSuffix(".part") })
        }
    }

    @Test func runsThatASignalEndsBetweenTwoStatesGoOnInTheSameBytes() throws {
        let count = 2
        try withTrainings { fresh in
            let options = ["--steps", "8", "--checkpoint-steps", "100"]
            let whole = try fresh("whole")
            try Training(whole, processes: count, options).finish()
            let broken = try fresh("broken")
            let run = try Training(broken, processes: count, options)
            try run.wait(forSteps: 3)
            // One process is enough: all of them store and end together.
            run.processes[count - 1].terminate()
            _ = run.secondsToEnd()
            for (rank, process) in run.processes.enumerated() {
                #expect(process.terminationStatus == 130, "\(run.errors(rank))")
            }
            #expect(run.errors(0).contains("state stored"))
            try Training(broken, processes: count, options).finish()
            #expect(try state(broken) == state(whole))
        }
    }
}
