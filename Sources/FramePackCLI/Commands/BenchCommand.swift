import ArgumentParser
import Foundation
import FramePack
import FramePackBench
import Torch

/// `framepack bench`.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure this program against diffusers, taking turns.",
        usage: "framepack bench [<case> ...] [<options>]",
        discussion: """
            Both sides read the same random weights, made once in the user's cache, and compute \
            the same in turn, so that a busy machine slows both. Prints times, ratios with their \
            spread, and memory; what was disturbed says so.

              framepack bench transformer-300m vae-16 \\
                  --peer-python .venv/bin/python
            """)

    @Argument(help: "What is measured; all that this device can if left out.")
    var cases: [BenchmarkCase] = []
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Runs of each side that count, 1 to 1000.", valueName: "count"))
    var rounds = 5
    @Option(parsing: .unconditional, help: "The arithmetic of both.")
    var dtype = PrecisionChoice.bf16
    @Option(
        parsing: .unconditional,
        help: "What our transformer's weights are rounded to; the peer's stay. (default: stored)")
    var weightFormat: WeightFormatChoice?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Threads of an operation on both sides; 0 for libtorch's choice.", valueName: "count"))
    var threads = 0
    @Option(parsing: .unconditional, help: "cpu, cuda or cuda:N.")
    var device = DeviceOption(device: .cpu)
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "A Python with the peer. (default: Benchmarks/.venv's)", valueName: "program"))
    var peerPython: String?
    @Flag(help: "Measure this program alone.")
    var alone = false
    @Flag(help: "Hold both results against the peer's in float32.")
    var errors = false
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Write a report named after the machine, JSON and Markdown.", valueName: "folder"))
    var report: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Where weights are made. (default: framepack/bench in the user's cache)",
            valueName: "folder"))
    var cache: String?
    /// What the command starts for our side.
    @Flag(help: .hidden)
    var worker = false

    func validate() throws {
        guard (1...1000).contains(rounds) else {
            throw ValidationError("--rounds is \(rounds); it must be from 1 to 1000")
        }
        guard (0...1024).contains(threads) else {
            throw ValidationError("--threads is \(threads); it must be from 0 to 1024")
        }
        if alone, peerPython != nil || errors {
            throw ValidationError(
                "--alone does not go with \(errors ? "--errors" : "--peer-python"); drop one")
        }
    }

    func run() throws {
        guard !worker else {
            return BenchmarkWorker(version: "framepack \(FramePackCommand.version)").serve()
        }
        let device = try device.resolved()
        var options = BenchmarkOptions()
        options.cases = cases.isEmpty ? BenchmarkCase.all(on: device) : cases
        for name in options.cases {
            if let refusal = name.refusal(on: device) { throw CommandError.usage(refusal) }
        }
        (options.rounds, options.dtype, options.threads) = (rounds, dtype, threads)
        options.weightFormat = weightFormat ?? .stored
        (options.device, options.measuresErrors) = (device, errors)
        options.cache = cache.map { URL(fileURLWithPath: $0) }
        let peer = alone ? nil : try BenchmarkPeer.located(python: peerPython)
        let found = try Benchmark(options, ours: ownWorker(), peer: peer) { line in
            FileHandle.standardError.write(Data("\(line)\n".utf8))
        }.run()
        print(found.table)
        guard let report else { return }
        for file in try found.write(to: URL(fileURLWithPath: report)) { print(file.path) }
    }

    private func ownWorker() throws -> WorkerCommand {
        guard let program = Bundle.main.executableURL else {
            throw CommandError.failure("This program's own file is not known.")
        }
        return WorkerCommand(program: program, arguments: ["bench", "--worker"])
    }
}
