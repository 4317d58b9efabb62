import Foundation

/// Why a command ends, as one sentence that says what to do.
struct Failure: Error, CustomStringConvertible {
    let description: String
}

/// The commands around `framepack bench`: `peer` makes what ours is measured against, `run` measures
/// and writes this machine's report.
@main
struct Benchmarks {
    private static let usage = """
        swift run --package-path Benchmarks benchmarks peer
            makes Benchmarks/.venv with the versions of peer/requirements.txt
        swift run --package-path Benchmarks benchmarks run [OPTIONS AND CASES OF framepack bench]
            runs every case against that peer and writes Benchmarks/Reports
        """

    /// This package's folder.
    private let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    static func main() {
        do {
            try Benchmarks().run(Array(CommandLine.arguments.dropFirst()))
        } catch {
            FileHandle.standardError.write(Data("error: \(error)\n".utf8))
            exit(1)
        }
    }

    private func run(_ arguments: [String]) throws {
        switch arguments.first {
        case "peer" where arguments.count == 1: try makePeer()
        case "run": try measure(Array(arguments.dropFirst()))
        case nil, "help", "--help": print(Self.usage)
        default:
            throw Failure(
                description: "There is no command \(arguments.joined(separator: " ")); use:\n"
                    + Self.usage)
        }
    }

    // MARK: The peer

    private var environment: URL { folder.appendingPathComponent(".venv") }
    private var python: URL { environment.appendingPathComponent("bin/python") }
    private var requirements: URL { folder.appendingPathComponent("peer/requirements.txt") }
    /// A copy of the requirements that an environment was made with; without it none is whole.
    private var stamp: URL { environment.appendingPathComponent("requirements.txt") }

    private var hasPeer: Bool {
        guard let made = try? Data(contentsOf: stamp) else { return false }
        return made == (try? Data(contentsOf: requirements))
    }

    private func makePeer() throws {
        guard !hasPeer else { return print("The peer is there: \(python.path)") }
        let program = ProcessInfo.processInfo.environment["PYTHON"] ?? "python3"
        try start("/usr/bin/env", [program, "-m", "venv", "--clear", environment.path])
        try start(python.path, ["-m", "pip", "install", "--requirement", requirements.path])
        try Data(contentsOf: requirements).write(to: stamp)
        print("The peer is there: \(python.path)")
    }

    // MARK: Measuring

    private func measure(_ arguments: [String]) throws {
        let program = folder.deletingLastPathComponent()
            .appendingPathComponent(".build/release/framepack")
        guard FileManager.default.isExecutableFile(atPath: program.path) else {
            throw Failure(description: "\(program.path) is not built; run `make build` first.")
        }
        guard hasPeer else {
            throw Failure(
                description: "There is no peer of these versions; make it with `benchmarks peer`.")
        }
        let reports = folder.appendingPathComponent("Reports").path
        let own = ["bench", "--peer-python", python.path, "--report", reports, "--errors"]
        try start(program.path, own + arguments)
    }

    /// Runs a program to its end, with this one's terminal.
    private func start(_ program: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let line = ([program] + arguments).joined(separator: " ")
            throw Failure(
                description: "`\(line)` ended with the status \(process.terminationStatus).")
        }
    }
}
