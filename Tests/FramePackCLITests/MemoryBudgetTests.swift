import Foundation
import TestSupport
import Testing

/// Whether runs keep the budgets of `--ram`, as the system counts their memory.
@Suite struct MemoryBudgetTests {
    private static let model = Fixtures.folder.appendingPathComponent("../../Models/small").path

    private static func arguments(_ output: URL, _ options: [String]) -> [String] {
        [
            "generate", "--model", model, "--prompt", "a red circle", "--width", "256", "--height",
            "256", "--frames", "13", "--window", "4", "--steps", "1", "--no-embedding-cache",
            "--output",
            output.path,
        ] + options
    }

    /// The most anonymous memory of a process, in bytes, asked for every few milliseconds.
    private static func peak(of process: Process) -> Int {
        var peak = 0
        while process.isRunning {
            let status =
                (try? String(
                    contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8))
                ?? ""
            let line = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
            let kilobytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first
            peak = max(peak, kilobytes.flatMap { Int($0) }.map { 1024 * $0 } ?? 0)
            usleep(3000)
        }
        return peak
    }

    /// Runs with a budget; the frames and the peak.
    private static func run(_ options: [String], in folder: URL) throws -> (Data, Int) {
        let streams = folder.appendingPathComponent("streams-\(options.joined())")
        try FileManager.default.createDirectory(at: streams, withIntermediateDirectories: true)
        let output = streams.appendingPathComponent("frames/")
        let process = try Program.start(
            Self.arguments(output, options + ["--format", "png"]), streams: streams)
        let peak = Self.peak(of: process)
        process.waitUntilExit()
        let run = try Program.finished(process, streams: streams)
        try #require(run.status == 0, "\(run.errors)")
        let names = try FileManager.default.contentsOfDirectory(atPath: output.path)
        var frames = Data()
        for name in names.sorted() where name.hasSuffix(".png") {
            frames += try Data(contentsOf: output.appendingPathComponent(name))
        }
        try #require(!frames.isEmpty)
        return (frames, peak)
    }

    @Test(
        "A budget is kept, with the frames of a run without one",
        .enabled(if: FileManager.default.fileExists(atPath: "/proc/self/status")),
        arguments: [["--dtype", "bf16"], ["--dtype", "f32"]])
    func kept(_ dtype: [String]) throws {
        try withTemporaryFolder { folder in
            let (wanted, free) = try Self.run(dtype, in: folder)
            // The least that is allowed for these settings.
            let refused = try Program.run(
                Self.arguments(folder.appendingPathComponent("a.mp4"), dtype + ["--ram", "200MB"]))
            #expect(refused.status == 2)
            let words = refused.errors.split(separator: " ")
            let place = try #require(words.firstIndex(of: "takes"))
            let least = try #require(Double(words[place + 1])) + 0.01
            let (frames, peak) = try Self.run(dtype + ["--ram", "\(least)GiB"], in: folder)
            let budget = Int(least * 1_073_741_824)
            print("    \(dtype[1]): \(peak >> 20) of \(budget >> 20) MiB, \(free >> 20) without")
            #expect(peak <= budget)
            #expect(frames == wanted)
        }
    }

    @Test func whatDoesNotFitIsRefusedBeforeAnythingIsMade() throws {
        try withTemporaryFolder { folder in
            let run = try Program.run(
                Self.arguments(
                    folder.appendingPathComponent("a.mp4"),
                    ["--width", "1024", "--height", "1024", "--ram", "1GB"]))
            #expect(run.status == 2)
            #expect(run.errors.contains("--ram allows 0.93 GiB"))
            #expect(run.errors.contains("It would fit with --tiling"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        }
    }

    @Test func anAmountNeedsAUnit() throws {
        let run = try Program.run(["plan", "--ram", "6"])
        #expect(run.status == 2)
        #expect(run.errors.contains("6"))
    }

    @Test func plansAndDoctorTellWhereWeightsAre() throws {
        let plan = try Program.run(["plan", "--device", "cuda", "--vram", "6GB", "--tiling"])
        #expect(plan.status == 0, "\(plan.errors)")
        #expect(plan.output.contains("Plan on cuda:0"))
        #expect(plan.output.contains("Transformer: streamed through"))
        for line in plan.output.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
        let doctor = try Program.run(["doctor", "--quick", "--ram", "1GB"])
        #expect(doctor.output.contains("Transformer: read from the file's pages"))
        #expect(doctor.output.contains("too much"))
        for line in doctor.output.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    }
}
