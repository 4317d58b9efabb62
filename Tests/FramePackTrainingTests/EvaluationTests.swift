import Foundation
import FramePack
import FramePackTraining
import Media
import TestSupport
import Testing
import Torch
import ToyWorld

@Suite struct EvaluationTests {
    private struct Interruption: Error {}

    private func model(in folder: URL) throws -> ModelFolder {
        let training = try TinyTraining(in: folder.appendingPathComponent("run"))
        var options = ModelExportOptions()
        (options.samplePictures, options.steps) = (1, 1)
        let url = folder.appendingPathComponent("tiny")
        _ = try ModelExport(training.run, to: url, options: options)
        return try ModelFolder(url)
    }

    @Test func renderedVideosAreRight() throws {
        try withTemporaryFolder { folder in
            var options = EvaluationOptions()
            (options.count, options.seconds, options.orders) = (8, 2.4, [])
            options.shown = 1
            let report = try Evaluation(model(in: folder), options: options, cache: folder).run()
            #expect(report.rows.map(\.name) == ["rendered", "VAE round trip"])
            let rendered = report.rows[0].summary
            for score in [
                rendered.objects, rendered.overall.colour, rendered.overall.shape,
                rendered.overall.direction,
            ] {
                print("    rendered: \(score.right) of \(score.judged)")
                #expect(score.judged >= 8)
                #expect(try #require(score.share) >= 0.99)
            }
            // A VAE that was never trained carries nothing, and the judge must see that.
            #expect(try #require(report.rows[1].summary.objects.share) < 0.5)
            let picture = report.picture()
            #expect(Set(picture.pixels).count > 10)
            #expect(report.text.contains("VAE round trip"))
            #expect(report.markdown.contains("| rendered |"))
        }
    }

    @Test func interruptedRunGoesOn() throws {
        try withTemporaryFolder { folder in
            let model = try model(in: folder)
            var options = EvaluationOptions()
            (options.count, options.seconds, options.hasBaselines) = (2, 1, false)
            options.shown = 1
            func run(stopAfter: Int) throws -> (EvaluationReport, kept: Int) {
                var (done, kept) = (0, 0)
                let report = try Evaluation(model, options: options, cache: folder).run {
                    done += 1
                    if $0.isKept { kept += 1 }
                    if done == stopAfter { throw Interruption() }
                }
                return (report, kept)
            }
            #expect(throws: Interruption.self) { _ = try run(stopAfter: 3) }
            let (continued, kept) = try run(stopAfter: 100)
            #expect(kept == 3)
            #expect(continued.rows.map(\.name) == ["f1", "inverted"])
            #expect(continued.rows.allSatisfy { $0.summary.videos == 2 })
            let (again, all) = try run(stopAfter: 100)
            #expect(all == 4)
            #expect(again.rows.map(\.summary) == continued.rows.map(\.summary))
            // Other kernels make other pixels.
            let (_, plain) = try Kernels.$current.withValue(.plain) { try run(stopAfter: 100) }
            #expect(plain == 0)

            let file = folder.appendingPathComponent("eval.json")
            try writeJSON(continued, to: file)
            let stored = try #require(try EvaluationReport.stored(at: file))
            #expect(stored.rows.map(\.summary) == continued.rows.map(\.summary))
        }
    }

    @Test func generatorGivesThePipelinesFrames() throws {
        try withTemporaryFolder { folder in
            let model = try model(in: folder)
            let picture = Picture(width: 64, height: 64, red: 30, green: 90, blue: 60)
            let file = folder.appendingPathComponent("start.png")
            try picture.writePNG(to: file)
            var request = model.settings.request(prompt: "a red circle rests", image: file.path)
            (request.frames, request.order) = (50, .inverted)
            request.output = folder.appendingPathComponent("frames").path + "/"
            _ = try Pipeline(model).run(request)
            let frames = try FrameGenerator(model).frames(request, from: picture)
            #expect(frames.count == 50)
            func expectFrames(_ frames: [Picture]) throws {
                for (number, frame) in frames.enumerated() {
                    let name = String(format: "frames/%05d.png", number)
                    #expect(frame == (try Picture(contentsOf: folder.appendingPathComponent(name))))
                }
            }
            try expectFrames(frames)

            // From the text alone.
            (request.image, request.frames) = (nil, 40)
            try FileManager.default.removeItem(at: folder.appendingPathComponent("frames"))
            _ = try Pipeline(model).run(request)
            let fromText = try FrameGenerator(model).frames(request, from: nil)
            #expect(fromText.count == 40)
            try expectFrames(fromText)
        }
    }

    @Test func textStartsAndBaselinesHaveRowsOfTheirOwn() throws {
        try withTemporaryFolder { folder in
            var options = EvaluationOptions()
            (options.count, options.baselineCount, options.seconds) = (1, 3, 1)
            (options.orders, options.hasTextStarts) = ([.f1], true)
            let report = try Evaluation(model(in: folder), options: options, cache: folder).run()
            #expect(
                report.rows.map(\.name) == ["rendered", "VAE round trip", "f1", "f1, text only"])
            #expect(report.rows.map(\.summary.videos) == [3, 3, 1, 1])
            // Nobody knows where the object should be.
            #expect(report.rows[3].summary.positionErrors.allSatisfy { $0.count == 0 })
        }
    }

    @Test func sweepsHaveARowForEachCombination() throws {
        try withTemporaryFolder { folder in
            var options = EvaluationOptions()
            (options.count, options.seconds, options.orders) = (1, 1, [.f1])
            (options.hasBaselines, options.guidance, options.steps) = (false, [1, 2], [1, 2])
            let report = try Evaluation(model(in: folder), options: options, cache: folder).run()
            #expect(
                report.rows.map(\.name) == [
                    "f1 steps 1 guidance 1.0", "f1 steps 1 guidance 2.0",
                    "f1 steps 2 guidance 1.0", "f1 steps 2 guidance 2.0",
                ])
        }
    }

    @Test func intervalsAreWilsons() throws {
        var score = Score()
        #expect(score.interval == nil)
        (score.right, score.judged) = (9, 10)
        let interval = try #require(score.interval)
        // Computed by hand from the formula with z = 1.96.
        #expect(abs(interval.lowerBound - 0.5958) < 0.0005)
        #expect(abs(interval.upperBound - 0.9821) < 0.0005)
    }
}
