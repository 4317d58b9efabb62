import Foundation
import TestSupport

/// The built program, run as people run it.
enum Program {
    /// How one run ended.
    struct Run {
        let status: Int32
        let output: String
        let errors: String

        /// The lines of standard error.
        var errorLines: [String] {
            errors.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
        }
    }

    /// The binary beside the tests' own executable.
    static let url = builtProgram("framepack")

    /// Runs it to its end.
    static func run(_ arguments: [String], variables: [String: String] = [:]) throws -> Run {
        try withTemporaryFolder { temporary in
            let process = try start(arguments, streams: temporary, variables: variables)
            process.waitUntilExit()
            return try finished(process, streams: temporary)
        }
    }

    /// Starts it with its output in files of a folder, so that no pipe can fill up.
    static func start(
        _ arguments: [String], streams: URL, variables: [String: String] = [:]
    ) throws -> Process {
        let process = Process()
        process.executableURL = url
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        var environment = ProcessInfo.processInfo.environment
        environment["FRAMEPACK_MODELS"] = nil
        // Tests share the machine; one thread for each process is quickest for all.
        environment["OMP_NUM_THREADS"] = "1"
        // Nothing is left in the user's own cache.
        environment["XDG_CACHE_HOME"] = streams.appendingPathComponent("cache").path
        environment.merge(variables) { $1 }
        process.environment = environment
        process.standardOutput = try handle(streams.appendingPathComponent("output"))
        process.standardError = try handle(streams.appendingPathComponent("errors"))
        try process.run()
        return process
    }

    static func finished(_ process: Process, streams: URL) throws -> Run {
        func text(_ name: String) throws -> String {
            String(
                decoding: try Data(contentsOf: streams.appendingPathComponent(name)),
                as: UTF8.self)
        }
        return Run(
            status: process.terminationStatus, output: try text("output"),
            errors: try text("errors"))
    }

    private static func handle(_ file: URL) throws -> FileHandle {
        _ = FileManager.default.createFile(atPath: file.path, contents: nil)
        return try FileHandle(forWritingTo: file)
    }
}
