import Foundation
import Media
import TestSupport
import Testing

/// `framepack eval` on videos, as people run it.
@Suite struct EvalTests {
    private static let snapshots = URL(filePath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Snapshots")

    /// A square that moves over a ground that grows brighter; lossless, so that every machine reads
    /// the same levels.
    private func write(_ count: Int, to url: URL) throws {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        for number in 0..<count {
            let ground = UInt8(60 + 2 * number)
            var picture = Picture(width: 32, height: 24, red: ground, green: ground, blue: 90)
            for y in 8..<16 {
                for x in 4 + number..<12 + number {
                    picture.pixels[3 * (y * 32 + x)] = UInt8(100 + 10 * (x - number))
                }
            }
            try picture.writePNG(to: url.appendingPathComponent(String(format: "%03d.png", number)))
        }
    }

    @Test func tableIsAsStored() throws {
        try withTemporaryFolder { folder in
            let video = folder.appendingPathComponent("frames")
            try write(14, to: video)
            let run = try Program.run([
                "eval", video.path, "--section-frames", "5", "--json", folder.path + "/eval.json",
                "--picture", folder.path + "/eval.png",
            ])
            #expect(run.status == 0, "\(run.errors)")
            for line in run.output.split(separator: "\n") {
                #expect(line.count <= 80, "\(line)")
            }
            let file = Self.snapshots.appendingPathComponent("eval-table.txt")
            if ProcessInfo.processInfo.environment["FRAMEPACK_RECORD"] == "1" {
                try Data(run.output.utf8).write(to: file)
            }
            #expect(run.output == (try String(contentsOf: file, encoding: .utf8)))
            let json = try JSONSerialization.jsonObject(
                with: Data(contentsOf: folder.appendingPathComponent("eval.json")))
            let root = try #require(json as? [String: Any])
            #expect(root["framepackEval"] as? Int == 1)
            #expect(root["flow"] as? String == "pyramidal Lucas-Kanade")
            let first = try #require((root["videos"] as? [[String: Any]])?.first)
            let measures = try #require(first["measures"] as? [String: Any])
            let metrics = try #require(measures["metrics"] as? [String: Any])
            let sharpness = try #require(metrics["sharpness"] as? [String: Any])
            #expect((sharpness["values"] as? [Any])?.count == 14)
            #expect((sharpness["sections"] as? [Any])?.count == 3)
            #expect(
                try Picture(contentsOf: folder.appendingPathComponent("eval.png")).width > 500)
        }
    }

    @Test func noFileIsLostToAReport() throws {
        try withTemporaryFolder { folder in
            let video = folder.appendingPathComponent("victim.mp4")
            try Data("frames".utf8).write(to: video)
            for (option, path, reason) in [
                ("--json", video.path, "must end in .json"),
                ("--picture", video.path, "must end in .png"),
                ("--json", folder.path + "/no/eval.json", "/no does not exist"),
                ("--picture", folder.path, "a folder"),
            ] {
                let run = try Program.run(["eval", video.path, option, path])
                #expect(run.status == 2, "\(option) \(path)")
                #expect(run.errors.contains(reason), "\(run.errors)")
            }
            #expect(try String(contentsOf: video, encoding: .utf8) == "frames")
        }
    }

    @Test func aBrokenVideoIsListedAndTheRestMeasured() throws {
        try withTemporaryFolder { folder in
            let writer = try VideoWriter(
                to: folder.appendingPathComponent("good.mp4"), width: 16, height: 16)
            for level in 0..<3 {
                try writer.write(
                    Picture(width: 16, height: 16, red: UInt8(level), green: 0, blue: 9))
            }
            try writer.finish()
            try Data("none".utf8).write(to: folder.appendingPathComponent("bad.mp4"))
            let run = try Program.run(["eval", folder.path])
            #expect(run.status == 1)
            #expect(run.output.contains("good.mp4") && run.output.contains("Not measured"))
            #expect(run.errors.contains("1 of 2 videos could not be measured: bad.mp4"))
        }
    }

    @Test(arguments: [
        (["absent.mp4"], 1, "is not there"), (["FOLDER"], 1, "no videos and no frames"),
        (["FOLDER", "--count", "3"], 2, "--count is for the small model"),
        (["--section-frames", "9"], 2, "--section-frames is for videos"),
        (["FOLDER", "--section-frames", "0"], 2, "section-frames is 0"),
        (["FOLDER", "--predictors", "FOLDER"], 1, "has no predictor"),
        (["--count", "0"], 2, "count is 0"),
    ])
    func badUseIsOneLine(_ arguments: [String], _ status: Int32, _ says: String) throws {
        try withTemporaryFolder { folder in
            let run = try Program.run(
                ["eval"] + arguments.map { $0.replacing("FOLDER", with: folder.path) })
            #expect(run.status == status, "\(run.errors)")
            #expect(run.errorLines.count == 1 && run.errors.contains(says), "\(run.errors)")
        }
    }
}
