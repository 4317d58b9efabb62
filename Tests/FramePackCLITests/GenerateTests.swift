import Foundation
import Media
import TestSupport
import Testing

/// `framepack generate`, `resume` and `doctor` with a tiny random model.
@Suite struct GenerateTests {
    private let model = Fixtures.url("goldens/pipeline/model")

    private func arguments(_ output: URL, _ more: [String] = []) -> [String] {
        [
            "generate", "--prompt", "a girl dances", "--model", model.path, "--width", "32",
            "--height", "32", "--window", "1", "--steps", "2", "--output", output.path,
        ] + more
    }

    private func events(_ output: String) throws -> [[String: Any]] {
        try output.split(separator: "\n").map {
            try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    @Test func eventsAreLinesOfJSONAndTheVideoIsThere() throws {
        try withTemporaryFolder { folder in
            let output = folder.appendingPathComponent("video.mp4")
            let preview = folder.appendingPathComponent("preview.png")
            let run = try Program.run(
                arguments(output, ["--frames", "9", "--json", "--preview", preview.path]))
            try #require(run.status == 0, "\(run.errors)")
            #expect(run.errors.isEmpty)
            let events = try events(run.output)
            let names = events.compactMap { $0["event"] as? String }
            #expect(names.count == events.count)
            #expect(names.first == "planned" && names.last == "done")
            for name in ["stage", "step", "sectionSampled", "sectionDecoded"] {
                #expect(names.contains(name), "\(name)")
            }
            let progress = events.compactMap { $0["progress"] as? Double }
            #expect(progress == progress.sorted() && progress.last == 1)
            #expect(try probe(output).frames == 9)
            #expect(try probe(preview).kind == .picture)
            let job = folder.appendingPathComponent("video.job").path
            #expect(!FileManager.default.fileExists(atPath: job))
        }
    }

    @Test func itIsQuietIntoAPipeAndSaysRounding() throws {
        try withTemporaryFolder { folder in
            let output = folder.appendingPathComponent("video.mp4")
            let quiet = try Program.run(arguments(output, ["--frames", "5"]))
            #expect(quiet.status == 0 && quiet.output.isEmpty && quiet.errors.isEmpty)
            let other = folder.appendingPathComponent("other.mp4")
            let rounded = try Program.run(arguments(other, ["--seconds", "0.45"]))
            #expect(rounded.status == 0 && rounded.output.isEmpty)
            #expect(rounded.errorLines.count == 1)
            #expect(rounded.errors.contains("3 whole sections"), "\(rounded.errors)")
        }
    }

    @Test func noVideoIsLostToAnother() throws {
        try withTemporaryFolder { folder in
            let output = folder.appendingPathComponent("video.mp4")
            func make(_ frames: Int) throws -> Program.Run {
                try Program.run(arguments(output, ["--frames", "\(frames)"]))
            }
            func names() throws -> [String] {
                try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            }
            #expect(try make(5).status == 0)
            // The same request is the same video.
            #expect(try make(5).errors.isEmpty)
            #expect(try names() == ["video.json", "video.mp4"])
            let second = try make(9)
            #expect(second.status == 0 && second.errors.contains("video.mp4 is now"))
            #expect(try names() == ["video.1.json", "video.1.mp4", "video.json", "video.mp4"])
            let kept = folder.appendingPathComponent("video.1.mp4")
            #expect(try probe(kept).frames == 5 && probe(output).frames == 9)
            // What somebody else put there stays as well.
            try Data("notes".utf8).write(to: output)
            try FileManager.default.removeItem(at: folder.appendingPathComponent("video.json"))
            #expect(try make(5).status == 0)
            let notes = folder.appendingPathComponent("video.2.mp4")
            #expect(try String(contentsOf: notes, encoding: .utf8) == "notes")
        }
    }

    @Test func likeTakesUpAnOlderVideo() throws {
        try withTemporaryFolder { folder in
            let first = folder.appendingPathComponent("first.mp4")
            let second = folder.appendingPathComponent("second.mp4")
            let run = try Program.run(arguments(first, ["--frames", "5", "--seed", "7"]))
            try #require(run.status == 0, "\(run.errors)")
            let again = try Program.run([
                "generate", "--like", first.path, "--output", second.path, "--keep-job",
            ])
            try #require(again.status == 0, "\(again.errors)")
            #expect(
                try Picture.frames(first) == Picture.frames(second),
                "the same request, the same video"
            )
            let job = folder.appendingPathComponent("second.job").path
            #expect(FileManager.default.fileExists(atPath: job))
        }
    }

    @Test func interruptKeepsTheJobAndResumeGoesOn() throws {
        try withTemporaryFolder { folder in
            let output = folder.appendingPathComponent("video.mp4")
            let process = try Program.start(
                arguments(output, ["--frames", "9", "--steps", "20", "--json"]), streams: folder)
            let events = folder.appendingPathComponent("output")
            let end = Date().addingTimeInterval(300)
            while process.isRunning, Date() < end,
                try !String(contentsOf: events, encoding: .utf8).contains("\"step\"")
            { usleep(10_000) }
            process.interrupt()
            process.waitUntilExit()
            let run = try Program.finished(process, streams: folder)
            #expect(run.status == 130)
            #expect(run.errors.contains("framepack resume"), "\(run.errors)")
            #expect(!FileManager.default.fileExists(atPath: output.path))
            let resumed = try Program.run([
                "resume", folder.appendingPathComponent("video.job").path,
            ])
            #expect(resumed.status == 0, "\(resumed.errors)")
            #expect(try probe(output).frames == 9)
        }
    }

    @Test func linesOfJSONEndWithWhyThereIsNoVideo() throws {
        let run = try Program.run([
            "generate", "--prompt", "a", "--seconds", "0", "--json",
        ])
        #expect(run.status == 2)
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
        let event = try #require(object as? [String: String])
        #expect(event["event"] == "failed")
        #expect(event["text"].map { run.errors.contains($0) } == true, "\(run.errors)")
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
    func whatCannotBePrintedIsAnError() throws {
        let process = Process()
        process.executableURL = Program.url
        process.arguments = ["plan"]
        process.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 1)
    }

    @Test func resumeRefusesWhatIsNoJob() throws {
        try withTemporaryFolder { folder in
            let run = try Program.run(["resume", folder.path])
            #expect(run.status == 1 && run.errorLines.count == 1)
        }
    }

    @Test func doctorChecksABlock() throws {
        let run = try Program.run(["doctor", "--quick", "--json"])
        #expect(run.status == 0, "\(run.errors)")
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
        let report = try #require(object as? [String: Any])
        let checks = try #require(report["checks"] as? [[String: Any]])
        #expect(!checks.isEmpty)
        for check in checks { #expect(check["isGood"] as? Bool == true, "\(check)") }
        #expect(report["torchVersion"] as? String != nil)
    }
}

extension Picture {
    /// Every frame of a video.
    fileprivate static func frames(_ file: URL) throws -> [Picture] {
        try VideoReader(contentsOf: file).remainingFrames()
    }
}
