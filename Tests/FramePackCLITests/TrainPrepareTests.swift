import Foundation
import Media
import TestSupport
import Testing

@Suite struct TrainPrepareTests {
    /// A striped square that goes right.
    private func write(_ file: URL) throws {
        let writer = try VideoWriter(to: file, width: 64, height: 64)
        for frame in 0..<40 {
            var picture = Picture(width: 64, height: 64, red: 40, green: 60, blue: 90)
            for y in 20..<40 {
                for x in frame..<frame + 20 where (x - frame) / 4 % 2 == 0 {
                    picture.pixels[3 * (y * 64 + x)] = 230
                }
            }
            try writer.write(picture)
        }
        try writer.finish()
    }

    @Test func rawVideoIsPreparedOnceAndListed() throws {
        try withTemporaryFolder { folder in
            try write(folder.appendingPathComponent("a.mp4"))
            try Data("no video".utf8).write(to: folder.appendingPathComponent("b.mp4"))
            let output = folder.appendingPathComponent("set")
            let command = [
                "train", "prepare", folder.path, "--output", output.path, "--resolution", "64",
                "--captions", "txt",
            ]
            let first = try Program.run(command)
            #expect(first.status == 0, "\(first.errors)")
            #expect(first.output.contains("a.mp4: 1 scene, 1 clip kept"))
            #expect(first.output.split(separator: "\n").contains("b.mp4: cannot be read"))
            #expect(first.output.components(separatedBy: "b.mp4 cannot be read: ").count == 2)
            let clips = try FileManager.default.contentsOfDirectory(
                atPath: output.appendingPathComponent("clips").path
            ).sorted()
            #expect(clips.count == 2 && clips[1] == clips[0].replacing(".mp4", with: ".txt"))
            let second = try Program.run(command + ["--json"])
            let record = try #require(
                JSONSerialization.jsonObject(with: Data(second.output.utf8)) as? [String: Any])
            #expect((record["videos"] as? [Any])?.count == 2)
            let other = try Program.run(command + ["--max-sections", "0"])
            #expect(other.status == 2)
            #expect(other.errors.contains("--max-sections is 0; it must be from 1 to 1000"))
        }
    }

    @Test(arguments: [
        (["--resolution", "-5"], "--resolution is -5; it must be from 32 to 2048"),
        (["--crf", "99"], "--crf is 99; it must be from 0 to 51"),
        (
            ["--min-sections", "5", "--max-sections", "2"],
            "--min-sections is 5; it must be at most --max-sections, 2"
        ),
    ])
    func anOptionOutOfItsRangeIsNamed(_ options: [String], part: String) throws {
        try withTemporaryFolder { folder in
            let run = try Program.run(
                ["train", "prepare", folder.path, "--output", folder.path + "/set"] + options)
            #expect(run.status == 2 && run.errorLines.count == 1)
            #expect(run.errors.contains(part), "\(run.errors)")
        }
    }

    @Test func smallPicturesAndAFileAsOutputAreTold() throws {
        try withTemporaryFolder { folder in
            let video = folder.appendingPathComponent("a.mp4")
            try write(video)
            let small = try Program.run(
                ["train", "prepare", video.path, "--output", folder.path + "/set"])
            #expect(small.status == 0 && small.output.contains("picture too small"))
            #expect(small.output.contains("--resolution below 640"))
            let file = try Program.run(["train", "prepare", video.path, "--output", video.path])
            #expect(file.status == 1 && file.errors.contains("a.mp4 is a file"), "\(file.errors)")
        }
    }
}
