import Checkpoints
public import Foundation
import FramePack

/// How a side's worker is started.
public struct WorkerCommand: Sendable {
    /// The program.
    public var program: URL
    /// What follows its name.
    public var arguments: [String]

    /// A program with arguments.
    public init(program: URL, arguments: [String]) {
        (self.program, self.arguments) = (program, arguments)
    }
}

/// A worker that was started, and that answers one request at a time.
final class WorkerProcess {
    private let process = Process()
    private let requests = Pipe()
    private let answers = Pipe()
    private let errors: URL
    private var unread = Data()
    private let began: ContinuousClock.Instant
    /// The most memory of no file that was seen, in bytes; nil where the system does not tell.
    private(set) var peakAnonymous: Int?

    /// Starts it.
    ///
    /// - Parameter folder: Where its standard error goes.
    /// - Throws: `BenchmarkError` for a program that cannot be started.
    init(_ command: WorkerCommand, threads: Int, folder: URL) throws {
        errors = folder.appendingPathComponent("\(UUID().uuidString).txt")
        _ = FileManager.default.createFile(atPath: errors.path, contents: nil)
        process.executableURL = command.program
        process.arguments = command.arguments
        process.standardInput = requests
        process.standardOutput = answers
        process.standardError = try FileHandle(forWritingTo: errors)
        if threads > 0 {
            var environment = ProcessInfo.processInfo.environment
            environment["OMP_NUM_THREADS"] = "\(threads)"
            process.environment = environment
        }
        began = .now
        do { try process.run() } catch {
            throw BenchmarkError("\(command.program.path) cannot be started: \(error).")
        }
    }

    deinit {
        guard process.isRunning else { return }
        // Without requests a worker ends by itself.
        try? requests.fileHandleForWriting.close()
        process.terminate()
        process.waitUntilExit()
    }

    /// The process.
    var id: Int32 { process.processIdentifier }

    /// Seconds since it was started.
    var age: Double { (ContinuousClock.now - began) / .seconds(1) }

    /// Asks, and waits for the answer; meanwhile watches the worker's memory.
    ///
    /// - Throws: `BenchmarkError` with the worker's own sentence, or the end of what it wrote to
    ///   standard error if it died.
    @discardableResult
    func ask(_ request: WorkerRequest) throws -> WorkerAnswer {
        let line = try JSONEncoder.line.encode(request) + Data("\n".utf8)
        guard (try? requests.fileHandleForWriting.write(contentsOf: line)) != nil else {
            throw died()
        }
        let answer = try JSONDecoder().decode(WorkerAnswer.self, from: nextLine())
        if let problem = answer.problem { throw BenchmarkError(problem) }
        return answer
    }

    /// Ends it and waits until it is gone.
    func end() {
        _ = try? ask(.end)
        try? requests.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// The next line of its standard output.
    private func nextLine() throws -> Data {
        let handle = answers.fileHandleForReading.fileDescriptor
        while true {
            if let end = unread.firstIndex(of: 10) {
                defer { unread = Data(unread[unread.index(after: end)...]) }
                return Data(unread[..<end])
            }
            watchMemory()
            var place = pollfd(fd: handle, events: Int16(POLLIN), revents: 0)
            guard poll(&place, 1, Self.interval) > 0 else { continue }
            var bytes = [UInt8](repeating: 0, count: 65536)
            let count = read(handle, &bytes, bytes.count)
            guard count > 0 else { throw died() }
            unread.append(contentsOf: bytes[..<count])
        }
    }

    /// Milliseconds between two looks at the worker's memory.
    private static let interval: Int32 = 10

    private func watchMemory() {
        guard let memory = ProcessMemory.of(id) else { return }
        peakAnonymous = max(peakAnonymous ?? 0, memory.anonymous)
    }

    private func died() -> BenchmarkError {
        process.waitUntilExit()
        let text = (try? String(contentsOf: errors, encoding: .utf8)) ?? ""
        let last = text.split(separator: "\n").last { !$0.allSatisfy(\.isWhitespace) } ?? "nothing"
        return BenchmarkError(
            """
            The worker \(process.executableURL?.path ?? "") ended with the status \
            \(process.terminationStatus); the last it said was: \(last)
            """)
    }
}
