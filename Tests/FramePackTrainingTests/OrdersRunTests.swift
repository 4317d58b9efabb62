import Foundation
import FramePack
import FramePackTraining
import TestSupport
import Testing
import Torch
import ToyWorld

/// The experiment and its training, run to their ends with a model as small as it can be.
@Suite(.serialized) struct OrdersRunTests {
    private struct Interruption: Error {}

    /// Counts what several threads call, and sees whether two of them do at a time.
    private final class Turns: @unchecked Sendable {
        private let lock = NSLock()
        private var (inside, overlaps) = (0, 0)
        private(set) var rows: [String] = []
        private(set) var kept = 0

        func take(_ progress: EvaluationProgress) -> Int {
            lock.withLock {
                inside += 1
                if inside > 1 { overlaps += 1 }
            }
            Thread.sleep(forTimeInterval: 0.001)
            return lock.withLock {
                inside -= 1
                rows.append(progress.row)
                if progress.isKept { kept += 1 }
                return rows.count
            }
        }

        var areAlone: Bool { lock.withLock { overlaps == 0 } }
    }

    /// A model with every kernel and a codebook, whose weights are random.
    private func model(in folder: URL) throws -> ModelFolder {
        TorchLibrary.setThreadCount(1)
        let training = try TinyTraining(in: folder.appendingPathComponent("run"))
        _ = try training.run.fitCodebook(CodebookFitting(count: 8), side: training.sizes.side)
        var options = ModelExportOptions()
        (options.samplePictures, options.steps) = (1, 1)
        let url = folder.appendingPathComponent("tiny")
        _ = try ModelExport(training.run, to: url, options: options)
        return try ModelFolder(url)
    }

    @Test func workersShareTheRowsAndAnInterruptionKeepsWhatIsDone() throws {
        try withTemporaryFolder { folder in
            let model = try model(in: folder)
            func experiment(_ workers: Int, _ cache: String) -> OrdersExperiment {
                OrdersExperiment(
                    model, extent: .init(lengths: [.init(seconds: 1, count: 1)]),
                    cache: folder.appendingPathComponent(cache), workers: workers)
            }
            let first = Turns()
            #expect(throws: Interruption.self) {
                _ = try experiment(2, "two").run { progress in
                    if first.take(progress) == 4 { throw Interruption() }
                }
            }
            // The other worker ends with the video that it was making.
            #expect((4...5).contains(first.rows.count) && first.areAlone)

            let second = Turns()
            let reports = try experiment(2, "two").run { _ = second.take($0) }
            #expect(second.areAlone && (4...5).contains(second.kept))
            let names = try OrdersExperiment.rows().map(\.name)
            #expect(second.rows.sorted() == names.sorted())
            let report = try #require(reports.first)
            #expect(reports.count == 1 && report.rows.map(\.name) == names)
            #expect(report.rows.allSatisfy { $0.summary.videos == 1 })

            let alone = try experiment(1, "one").run { _ in }
            #expect(alone[0].rows.map(\.summary) == report.rows.map(\.summary))
            let table = OrdersTable(reports)
            for name in names { #expect(table.markdown.contains(name)) }
        }
    }

    /// Stopped at each question whether to stop, it goes on there, to the same weights.
    @Test func aTrainingThatIsStoppedInEachStageEndsInTheSameModel() throws {
        try withTemporaryFolder { folder in
            let base = try model(in: folder)
            func training(_ name: String) -> OrdersTraining {
                var training = OrdersTraining(
                    folder: folder.appendingPathComponent(name), base: base)
                (training.steps, training.guidanceSteps) = (3, 2)
                (training.shards, training.clipsPerShard) = (2, 2)
                return training
            }
            var stages: [String] = []
            let whole = training("whole")
            #expect(
                try whole.train(
                    shouldStop: { false }, onStage: { stages.append($0) }, onStep: { _ in }))
            #expect(stages.count == 6)

            let stopped = training("stopped")
            var (calls, steps, isDone) = (0, 0, false)
            while !isDone, calls < 30 {
                calls += 1
                var asked = 0
                isDone = try stopped.train(
                    shouldStop: {
                        asked += 1
                        return asked == calls
                    }, onStage: { _ in }, onStep: { _ in steps += 1 })
            }
            // Two shards, three steps and two; none of them is done twice.
            #expect(isDone && calls > 5 && steps == 5)
            for part in ["transformer", "text_encoder", "image_encoder"] {
                let files = try FileManager.default.contentsOfDirectory(
                    atPath: whole.model.appendingPathComponent(part).path)
                for file in files.sorted() {
                    let path = "\(part)/\(file)"
                    let bytes = try [whole, stopped].map {
                        try Data(contentsOf: $0.model.appendingPathComponent(path))
                    }
                    #expect(bytes[0] == bytes[1], "\(path)")
                }
            }
            let trained = try ModelFolder(stopped.model)
            for row in try OrdersExperiment.rows() { try trained.check(row) }
        }
    }
}
