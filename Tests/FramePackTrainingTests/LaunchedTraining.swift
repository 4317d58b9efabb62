import Foundation
import FramePackTraining
import TestSupport
import Testing

/// A training by the built program in some processes, as torchrun starts them.
final class LaunchedTraining {
    private let state: URL
    private let streams: URL
    private(set) var processes: [Process] = []

    /// Starts the processes.
    ///
    /// - Parameters:
    ///   - state: The folder of the state, where the log is.
    ///   - arguments: The program's.
    init(state: URL, processes count: Int, _ arguments: [String]) throws {
        self.state = state
        streams = state.deletingLastPathComponent().appendingPathComponent(
            "streams-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: streams, withIntermediateDirectories: true)
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
            processes.append(try start(rank, arguments, variables))
        }
    }

    private func start(
        _ rank: Int, _ arguments: [String], _ variables: [String: String]
    ) throws -> Process {
        let process = Process()
        process.executableURL = builtProgram("framepack")
        process.arguments = arguments
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

    private func text(_ name: String) -> String {
        (try? String(contentsOf: streams.appendingPathComponent(name), encoding: .utf8)) ?? ""
    }

    /// What a process wrote to standard error.
    func errors(_ rank: Int) -> String { text("errors-\(rank)") }

    /// What a process printed.
    func output(_ rank: Int) -> String { text("output-\(rank)") }

    /// Waits for the end of all and expects that they did their work.
    func finish() {
        for (rank, process) in processes.enumerated() {
            process.waitUntilExit()
            #expect(process.terminationStatus == 0, "rank \(rank): \(errors(rank))")
        }
    }

    /// The losses of the log in a folder of a state.
    static func losses(_ state: URL) throws -> [Double] {
        let log = TrainingLog.url(in: state)
        guard FileManager.default.fileExists(atPath: log.path) else { return [] }
        return try LogTable(log).points("loss").map(\.y)
    }

    /// Waits until some steps are in the log.
    func wait(forSteps count: Int) throws {
        let end = Date(timeIntervalSinceNow: 120)
        while Date() < end, try Self.losses(state).count < count {
            let areRunning = processes.allSatisfy { $0.isRunning }
            try #require(areRunning, "\(processes.indices.map(errors))")
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
