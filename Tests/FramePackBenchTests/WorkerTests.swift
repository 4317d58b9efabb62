import Checkpoints
import Foundation
import FramePack
import FramePackBench
import Models
import TestSupport
import Testing
import Torch

/// Our side of the protocol, over tiny networks whose files the benchmark makes itself.
@Suite struct WorkerTests {
    private static func ask(_ worker: BenchmarkWorker, _ request: WorkerRequest) throws
        -> WorkerAnswer
    {
        let line = String(decoding: try JSONEncoder.line.encode(request), as: UTF8.self)
        let answer = worker.answer(to: line)
        #expect(!answer.contains("\n"))
        return try JSONDecoder().decode(WorkerAnswer.self, from: Data(answer.utf8))
    }

    private static func preparation(
        _ name: String, _ place: BenchmarkFiles.Location
    ) -> WorkerRequest {
        .prepare(
            name: name, model: place.model, inputs: place.inputs, dtype: "f32", threads: 0,
            device: "cpu")
    }

    @Test(arguments: [
        BenchmarkCase.transformer300M, .block4000, .vae16, .textEncoders, .load, .released256,
        .releasedStreamed,
    ])
    func aCaseIsMadeLoadedRunAndWritten(_ name: BenchmarkCase) throws {
        try withTemporaryFolder { folder in
            let place = try BenchmarkFiles(folder, sizes: .tiny).prepare(name)
            let worker = BenchmarkWorker(version: "test 1")
            let loaded = try Self.ask(worker, Self.preparation(name.rawValue, place))
            #expect(loaded.problem == nil)
            #expect(try #require(loaded.parameters) > 0)
            #expect(loaded.versions?.first == "test 1")
            #expect((loaded.operations ?? 0 > 0) == (name != .load))
            let run = try Self.ask(worker, .run)
            #expect(run.problem == nil && run.seconds ?? -1 >= 0)
            let file = folder.appendingPathComponent("output.safetensors")
            #expect(try Self.ask(worker, .output(file: file.path)).problem == nil)
            for (tensorName, tensor) in try SafetensorsFile(file).tensors() {
                #expect(try tensor.isFinite().all().item() != 0, "\(tensorName)")
                #expect(try tensor.abs().max().item() > 0.01, "\(tensorName)")
            }
        }
    }

    @Test func weightsAreRoundedForOursAlone() throws {
        try withTemporaryFolder { folder in
            let place = try BenchmarkFiles(folder, sizes: .tiny).prepare(.transformer300M)
            func sample(_ weights: String?) throws -> Tensor {
                let worker = BenchmarkWorker(version: "test 1")
                let request = WorkerRequest.prepare(
                    name: "transformer-300m", model: place.model, inputs: place.inputs,
                    dtype: "f32", threads: 0, device: "cpu", weights: weights)
                #expect(try Self.ask(worker, request).problem == nil)
                #expect(try Self.ask(worker, .run).problem == nil)
                let file = folder.appendingPathComponent("\(weights ?? "none").safetensors")
                #expect(try Self.ask(worker, .output(file: file.path)).problem == nil)
                return try SafetensorsFile(file).tensor("sample").clone()
            }
            let exact = try sample(nil)
            let distance = try (sample("int8") - exact).norm().item() / exact.norm().item()
            #expect(distance > 1e-5 && distance < 0.1)
            let worker = BenchmarkWorker(version: "test 1")
            let refused = try Self.ask(
                worker,
                .prepare(
                    name: "transformer-300m", model: place.model, inputs: place.inputs,
                    dtype: "f32", threads: 0, device: "cpu", weights: "int3"))
            #expect(refused.problem == "There is no weight format int3.")
        }
    }

    @Test func tokensAreThoseOfTheSectionItsHistoryAndItsText() throws {
        try withTemporaryFolder { folder in
            let place = try BenchmarkFiles(folder, sizes: .tiny).prepare(.transformer300M)
            let worker = BenchmarkWorker(version: "test 1")
            let loaded = try Self.ask(worker, Self.preparation("transformer-300m", place))
            // 3 + 2 frames of 16 patches, 4 of 2 frames at 2x, 4 of 16 frames at 4x; 5 + 4 of text.
            #expect(loaded.tokens == 5 * 16 + 4 + 4 + 9)
        }
    }

    @Test func filesThatAreThereAreNotMadeAgain() throws {
        try withTemporaryFolder { folder in
            var made: [String] = []
            let files = BenchmarkFiles(folder, sizes: .tiny) { made.append($0) }
            let first = try files.prepare(.block4000)
            let bytes = try Data(contentsOf: URL(fileURLWithPath: first.inputs))
            #expect(made.count == 1)
            #expect(try files.prepare(.block4000) == first)
            #expect(made.count == 1)
            #expect(try Data(contentsOf: URL(fileURLWithPath: first.inputs)) == bytes)
            var wider = BenchmarkSizes.tiny
            wider.block.headCount = 4
            _ = try BenchmarkFiles(folder, sizes: wider) { made.append($0) }.prepare(.block4000)
            #expect(made.count == 2)
        }
    }

    @Test func requestsAreReadAsTheyAreWritten() throws {
        let requests: [WorkerRequest] = [
            .prepare(
                name: "vae-16", model: "/m", inputs: "/i", dtype: "bf16", threads: 2,
                device: "cpu"),
            .prepare(
                name: "block-4000", model: "/m", inputs: "/i", dtype: "bf16", threads: 2,
                device: "cpu", weights: "int8"),
            .run, .memory, .output(file: "/o"), .end,
        ]
        for request in requests {
            let data = try JSONEncoder.line.encode(request)
            #expect(try JSONDecoder().decode(WorkerRequest.self, from: data) == request)
        }
        let line = String(decoding: try JSONEncoder.line.encode(requests[2]), as: UTF8.self)
        #expect(line == #"{"run":{}}"#)
        let output = String(decoding: try JSONEncoder.line.encode(requests[4]), as: UTF8.self)
        #expect(output == #"{"output":{"file":"/o"}}"#)
    }

    @Test func whatCannotBeDoneIsASentence() throws {
        let worker = BenchmarkWorker(version: "test 1")
        func problem(_ name: String) throws -> String? {
            try Self.ask(
                worker,
                .prepare(
                    name: name, model: "", inputs: "", dtype: "f32",
                    threads: 0, device: "cpu")
            ).problem
        }
        #expect(try Self.ask(worker, .run).problem?.contains("prepared") == true)
        #expect(try problem("vae-17") == "There is no case vae-17.")
        #expect(try problem("released")?.contains("needs a GPU") == true)
        #expect(worker.answer(to: "nonsense").contains("problem"))
    }
}
