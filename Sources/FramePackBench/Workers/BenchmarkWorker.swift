import Checkpoints
import Foundation
import FramePack
import Torch

/// The side of a benchmark that is ours: reads requests, one a line, and answers each with a line.
public final class BenchmarkWorker {
    private let version: String
    private var workload: (any Workload)?
    private var device = Device.cpu
    private var results: [String: Tensor] = [:]
    private var hasEnded = false
    /// Bytes of the device that were in use before anything was loaded.
    private var usedBefore = 0

    /// A worker that has loaded nothing.
    ///
    /// - Parameter version: What it calls itself in reports, such as `framepack 0.1.0`.
    public init(version: String) { self.version = version }

    /// Answers standard input on standard output until it ends or says so.
    public func serve() {
        while let line = readLine() {
            print(answer(to: line))
            fflush(nil)
            if hasEnded { return }
        }
    }

    /// The line that answers a line.
    package func answer(to line: String) -> String {
        var answer = WorkerAnswer()
        do {
            let request = try JSONDecoder().decode(WorkerRequest.self, from: Data(line.utf8))
            answer = try withoutGradients { try self.answer(to: request) }
        } catch {
            answer.problem = "\(error)"
        }
        let data = try? JSONEncoder.line.encode(answer)
        return String(decoding: data ?? Data(#"{"problem":"no answer"}"#.utf8), as: UTF8.self)
    }

    private func answer(to request: WorkerRequest) throws -> WorkerAnswer {
        switch request {
        case .prepare(
            let name, let model, let inputs, let dtype, let threads, let device, let weights):
            return try prepare(
                name, model, inputs, dtype, threads: threads, device, weights ?? "stored")
        case .run: return try run()
        case .memory: return try memory()
        case .output(let file):
            try writeSafetensors(results, to: URL(fileURLWithPath: file))
            return WorkerAnswer()
        case .end:
            hasEnded = true
            return WorkerAnswer()
        }
    }

    private func prepare(
        _ name: String, _ model: String, _ inputs: String, _ dtype: String, threads: Int,
        _ deviceName: String, _ weightName: String
    ) throws -> WorkerAnswer {
        guard let name = BenchmarkCase(rawValue: name) else {
            throw BenchmarkError("There is no case \(name).")
        }
        guard let choice = PrecisionChoice(rawValue: dtype) else {
            throw BenchmarkError("The type is \(dtype); it must be f32, bf16 or f16.")
        }
        guard let device = Device(deviceName) else {
            throw BenchmarkError("The device is \(deviceName); it must be cpu or cuda:N.")
        }
        guard let weights = WeightFormatChoice(rawValue: weightName) else {
            throw BenchmarkError("There is no weight format \(weightName).")
        }
        if let refusal = name.refusal(on: device) { throw BenchmarkError(refusal) }
        if threads > 0 { TorchLibrary.setThreadCount(threads) }
        if device.kind == .cuda { try Accelerator.loadCUDA() }
        self.device = device
        usedBefore = try Accelerator.memory(device).map { $0.total - $0.free } ?? 0
        let place = WorkloadPlace(
            model: URL(fileURLWithPath: model), inputs: URL(fileURLWithPath: inputs),
            dtype: choice.dtype, device: device, weights: weights)
        let (loaded, seconds) = try timed { try Self.workload(name, place, choice) }
        workload = loaded
        var answer = WorkerAnswer()
        answer.seconds = seconds
        answer.tokens = loaded.work.tokens
        answer.operations = loaded.work.operations
        answer.parameters = loaded.work.parameters
        answer.versions = [version, "libtorch \(TorchLibrary.version)"]
        return answer
    }

    private static func workload(
        _ name: BenchmarkCase, _ place: WorkloadPlace, _ choice: PrecisionChoice
    ) throws -> any Workload {
        switch name {
        case .transformer300M, .released256: try TransformerWorkload(place)
        case .releasedStreamed: try TransformerWorkload(place, isStreamed: true)
        case .block4000, .block18300: try BlockWorkload(place)
        case .vae16, .vae32, .vae608, .vae1280: try DecodingWorkload(place)
        case .textEncoders: try EncoderWorkload(place)
        case .load: try LoadingWorkload(place)
        case .section: try SectionWorkload(place, choice)
        case .released: try ReleasedWorkload(place)
        }
    }

    private func run() throws -> WorkerAnswer {
        guard let workload else {
            throw BenchmarkError("Nothing was prepared; ask for that first.")
        }
        // What the run before gave is not this one's memory.
        results = [:]
        var answer = WorkerAnswer()
        (results, answer.seconds) = try timed { try workload.run() }
        return answer
    }

    private func memory() throws -> WorkerAnswer {
        var answer = WorkerAnswer()
        answer.resident = ProcessMemory.current()?.peakResident
        guard let memory = try Accelerator.memory(device) else { return answer }
        answer.deviceAllocated = memory.peakAllocated
        answer.deviceUsed = max(0, memory.total - memory.free - usedBefore)
        return answer
    }

    /// A result and the seconds until the device had computed it.
    private func timed<R>(_ body: () throws -> R) throws -> (R, Double) {
        let began = ContinuousClock.now
        let result = try body()
        try Accelerator.synchronize(device)
        return (result, (ContinuousClock.now - began) / .seconds(1))
    }
}
