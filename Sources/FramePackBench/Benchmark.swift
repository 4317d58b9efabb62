import Checkpoints
public import Foundation
public import FramePack
public import Torch

/// What is measured and how.
public struct BenchmarkOptions: Sendable {
    /// The cases, in their order.
    public var cases: [BenchmarkCase] = []
    /// Runs of each side that count; 1 or more.
    public var rounds = 5
    /// The type to compute in.
    public var dtype = PrecisionChoice.bf16
    /// How the weights of our transformer's blocks are held; the peer's stay as they are.
    public var weightFormat = WeightFormatChoice.stored
    /// Threads of an operation; 0 for libtorch's choice.
    public var threads = 0
    /// Where to compute.
    public var device = Device.cpu
    /// Whether the results are held against the peer's in float32.
    public var measuresErrors = false
    /// Where weights and inputs are made; nil for `framepack/bench` in the user's cache.
    public var cache: URL?

    /// Five rounds in bfloat16 on the CPU, of no case yet.
    public init() {}
}

/// Our implementation and a peer on the same weights and inputs, taking turns.
///
/// Each side is a process of its own, asked by ``WorkerRequest``; only one of them computes at a
/// time, and a disturbance of the machine meets both.
public final class Benchmark {
    private let options: BenchmarkOptions
    private let files: BenchmarkFiles
    private let ours: WorkerCommand
    private let peer: WorkerCommand?
    private let report: (String) -> Void

    /// Prepares a benchmark.
    ///
    /// - Parameters:
    ///   - ours: How our worker is started.
    ///   - peer: How the peer's is; nil measures ours alone.
    ///   - report: Is told what goes on.
    public convenience init(
        _ options: BenchmarkOptions, ours: WorkerCommand, peer: WorkerCommand?,
        report: @escaping (String) -> Void = { _ in }
    ) {
        self.init(options, sizes: BenchmarkSizes(), ours: ours, peer: peer, report: report)
    }

    /// Prepares a benchmark of other sizes, as tests do.
    package init(
        _ options: BenchmarkOptions, sizes: BenchmarkSizes, ours: WorkerCommand,
        peer: WorkerCommand?, report: @escaping (String) -> Void = { _ in }
    ) {
        (self.options, self.ours, self.peer, self.report) = (options, ours, peer, report)
        files = BenchmarkFiles(
            options.cache ?? BenchmarkFiles.userFolder(), sizes: sizes, report: report)
    }

    /// Measures every case.
    ///
    /// - Throws: `BenchmarkError` for a case that the device cannot run and for a side that fails; a
    ///   peer that cannot run `section` is told in the report instead.
    public func run() throws -> BenchmarkReport {
        for name in options.cases {
            if let refusal = name.refusal(on: options.device) { throw BenchmarkError(refusal) }
        }
        // A worker that dies is an error with a sentence, not this program's silent end.
        signal(SIGPIPE, SIG_IGN)
        let loadBefore = Self.loadAverage()
        var (results, versions) = ([BenchmarkReport.Result](), ([String](), [String]()))
        for name in options.cases {
            let run = CaseRun(name, options, try files.prepare(name), ours, peer, report)
            results.append(try run.measured())
            if versions.0.isEmpty { versions.0 = run.versions.ours }
            if versions.1.isEmpty { versions.1 = run.versions.peer }
        }
        let loads = [loadBefore, Self.loadAverage()].compactMap { $0 }
        return BenchmarkReport(
            setting: try setting(versions), results: results, loadAverages: loads)
    }

    private func setting(_ versions: ([String], [String])) throws -> BenchmarkReport.Setting {
        let (processor, device) = (Processor.current(), options.device)
        if device.kind == .cuda { try Accelerator.loadCUDA() }
        return BenchmarkReport.Setting(
            processor: processor.name, cores: processor.cores,
            gpu: device.kind == .cuda ? try Accelerator.cudaName(device.index) : nil,
            device: "\(device)", dtype: options.dtype.rawValue,
            weights: options.weightFormat == .stored ? nil : options.weightFormat.rawValue,
            threads: options.threads,
            day: Date.now.formatted(.iso8601.year().month().day()), ours: versions.0,
            peer: versions.1)
    }

    private static func loadAverage() -> Double? {
        var loads = [0.0]
        return getloadavg(&loads, 1) == 1 ? loads[0] : nil
    }
}
