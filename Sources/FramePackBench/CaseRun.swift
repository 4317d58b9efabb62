import Checkpoints
import Foundation
import FramePack
import Torch

/// The measurement of one case.
final class CaseRun {
    private let name: BenchmarkCase
    private let options: BenchmarkOptions
    private let files: BenchmarkFiles.Location
    private let commands: (ours: WorkerCommand, peer: WorkerCommand?)
    private let report: (String) -> Void
    /// What each side consists of, known after ``measured()``.
    private(set) var versions: (ours: [String], peer: [String]) = ([], [])

    init(
        _ name: BenchmarkCase, _ options: BenchmarkOptions, _ files: BenchmarkFiles.Location,
        _ ours: WorkerCommand, _ peer: WorkerCommand?, _ report: @escaping (String) -> Void
    ) {
        (self.name, self.options, self.files) = (name, options, files)
        (commands, self.report) = ((ours, peer), report)
    }

    /// Runs both sides in turn.
    func measured() throws -> BenchmarkReport.Result {
        let scratch = FileManager.default.temporaryDirectory
            .appendingPathComponent("framepack-bench-\(UUID().uuidString)")
        try makeFolder(scratch)
        defer { try? FileManager.default.removeItem(at: scratch) }
        return try name.startsAnew ? loadings(scratch) : runs(scratch)
    }

    // MARK: Runs of one process

    private func runs(_ scratch: URL) throws -> BenchmarkReport.Result {
        let ours = try prepared(commands.ours, scratch, "ours", options.weightFormat)
        versions.ours = ours.answer.versions ?? []
        var result = Self.result(name, ours.answer)
        var peer: (worker: WorkerProcess, answer: WorkerAnswer)?
        do {
            peer = try commands.peer.map { try prepared($0, scratch, "the peer") }
            // A first run of each finds memory and kernels; it does not count.
            try ours.worker.ask(.run)
            try peer?.worker.ask(.run)
        } catch let error as BenchmarkError where name == .section {
            (peer, result.peerProblem) = (nil, error.description)
            try ours.worker.ask(.run)
        }
        versions.peer = peer?.answer.versions ?? []
        result.peer = peer.map { BenchmarkReport.Side(seconds: [], loading: $0.answer.seconds) }
        try takeTurns(ours.worker, peer?.worker, &result)
        try finish(ours.worker, &result.ours)
        if let peer, var side = result.peer {
            try finish(peer.worker, &side)
            result.peer = side
        }
        if options.measuresErrors, name.comparesOutputs, let peer {
            let outputs = try [ours.worker, peer.worker].map { try output($0, scratch) }
            ours.worker.end()
            peer.worker.end()
            try measureErrors(outputs, scratch, &result)
        }
        ours.worker.end()
        peer?.worker.end()
        return result
    }

    private func takeTurns(
        _ ours: WorkerProcess, _ peer: WorkerProcess?, _ result: inout BenchmarkReport.Result
    ) throws {
        let ids = [ours.id] + (peer.map { [$0.id] } ?? [])
        for round in 1...max(1, options.rounds) {
            var isDisturbed = false
            func timed(_ worker: WorkerProcess) throws -> Double {
                let meter = InterferenceMeter(workers: ids)
                guard let seconds = try worker.ask(.run).seconds else {
                    throw BenchmarkError("A worker did not tell how long a run took.")
                }
                if let reading = meter.reading() {
                    result.interference.append(reading.share)
                    isDisturbed = isDisturbed || reading.isDisturbance
                }
                return seconds
            }
            let own = try timed(ours)
            result.ours.seconds.append(own)
            let other = try peer.map(timed)
            if let other { result.peer?.seconds.append(other) }
            result.disturbed.append(isDisturbed)
            tell(round, own, other, isDisturbed)
        }
    }

    private func finish(_ worker: WorkerProcess, _ side: inout BenchmarkReport.Side) throws {
        let memory = try worker.ask(.memory)
        side.resident = memory.resident
        side.anonymous = worker.peakAnonymous
        side.deviceAllocated = memory.deviceAllocated
        side.deviceUsed = memory.deviceUsed
    }

    // MARK: A process for each run

    private func loadings(_ scratch: URL) throws -> BenchmarkReport.Result {
        // The first of each fills the page cache.
        let first = try loading(commands.ours, scratch)
        versions.ours = first.answer.versions ?? []
        var result = Self.result(name, first.answer)
        if let peer = commands.peer {
            versions.peer = try loading(peer, scratch).answer.versions ?? []
            result.peer = BenchmarkReport.Side(seconds: [])
        }
        for round in 1...max(1, options.rounds) {
            let own = try loading(commands.ours, scratch)
            Self.add(own, to: &result.ours)
            var readings = [own.interference]
            if let peer = commands.peer, var side = result.peer {
                let other = try loading(peer, scratch)
                Self.add(other, to: &side)
                result.peer = side
                readings.append(other.interference)
            }
            result.interference += readings.compactMap { $0?.share }
            let isDisturbed = readings.contains { $0?.isDisturbance == true }
            result.disturbed.append(isDisturbed)
            tell(round, own.seconds, result.peer?.seconds.last, isDisturbed)
        }
        return result
    }

    private struct Loading {
        let seconds: Double
        let answer: WorkerAnswer
        let memory: WorkerAnswer
        let anonymous: Int?
        let interference: Interference?
    }

    private func loading(_ command: WorkerCommand, _ scratch: URL) throws -> Loading {
        let meter = InterferenceMeter(workers: [])
        let worker = try WorkerProcess(command, threads: options.threads, folder: scratch)
        let answer = try worker.ask(preparation(options.dtype))
        let seconds = worker.age
        // The process did not exist when the meter was made: all its time is its own.
        let own = ProcessTime.of(worker.id) ?? 0
        let interference = meter.reading(further: own)
        let memory = try worker.ask(.memory)
        worker.end()
        return Loading(
            seconds: seconds, answer: answer, memory: memory, anonymous: worker.peakAnonymous,
            interference: interference)
    }

    private static func add(_ loading: Loading, to side: inout BenchmarkReport.Side) {
        side.seconds.append(loading.seconds)
        side.resident = max(side.resident ?? 0, loading.memory.resident ?? 0)
        side.anonymous = loading.anonymous.map { max(side.anonymous ?? 0, $0) }
        side.deviceAllocated = loading.memory.deviceAllocated
        side.deviceUsed = loading.memory.deviceUsed
    }

    // MARK: Errors

    /// Holds both results against the peer's in float32, which nothing else runs beside.
    private func measureErrors(
        _ outputs: [URL], _ scratch: URL, _ result: inout BenchmarkReport.Result
    ) throws {
        guard let peer = commands.peer else { return }
        report("\(name.rawValue): the peer in float32")
        let worker = try WorkerProcess(peer, threads: options.threads, folder: scratch)
        try worker.ask(preparation(.f32))
        try worker.ask(.run)
        let reference = try output(worker, scratch)
        worker.end()
        let distances = try outputs.map {
            try OutputDistance($0, from: reference, range: name.pictureRange)
        }
        (result.ours.error, result.ours.psnr) = (distances[0].error, distances[0].psnr)
        result.peer?.error = distances[1].error
        result.peer?.psnr = distances[1].psnr
    }

    private func output(_ worker: WorkerProcess, _ scratch: URL) throws -> URL {
        let file = scratch.appendingPathComponent("\(UUID().uuidString).safetensors")
        try worker.ask(.output(file: file.path))
        return file
    }

    // MARK: Both

    private func preparation(_ dtype: PrecisionChoice, _ weights: WeightFormatChoice = .stored)
        -> WorkerRequest
    {
        .prepare(
            name: name.rawValue, model: files.model, inputs: files.inputs, dtype: dtype.rawValue,
            threads: options.threads, device: "\(options.device)",
            weights: weights == .stored ? nil : weights.rawValue)
    }

    private func prepared(
        _ command: WorkerCommand, _ scratch: URL, _ side: String,
        _ weights: WeightFormatChoice = .stored
    ) throws -> (worker: WorkerProcess, answer: WorkerAnswer) {
        report("\(name.rawValue): loading \(side)")
        let worker = try WorkerProcess(command, threads: options.threads, folder: scratch)
        return (worker, try worker.ask(preparation(options.dtype, weights)))
    }

    private static func result(_ name: BenchmarkCase, _ answer: WorkerAnswer)
        -> BenchmarkReport.Result
    {
        BenchmarkReport.Result(
            name: name, tokens: answer.tokens, operations: answer.operations,
            parameters: answer.parameters,
            ours: BenchmarkReport.Side(
                seconds: [], loading: name.startsAnew ? nil : answer.seconds),
            interference: [], disturbed: [])
    }

    private func tell(_ round: Int, _ ours: Double, _ peer: Double?, _ isDisturbed: Bool) {
        let other = peer.map { ", peer \(BenchmarkReport.seconds($0))" } ?? ""
        report(
            "\(name.rawValue): round \(round) of \(options.rounds), ours "
                + "\(BenchmarkReport.seconds(ours))\(other)\(isDisturbed ? ", disturbed" : "")")
    }
}
