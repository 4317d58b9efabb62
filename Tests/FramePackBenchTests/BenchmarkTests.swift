import Checkpoints
import Foundation
import FramePackBench
import TestSupport
import Testing
import Torch

/// Whole benchmarks whose sides are small scripts that answer with fixed figures.
@Suite struct BenchmarkTests {
    /// Notes each request with the side's name, and answers that everything took `seconds`.
    private static let script = """
        while read line; do
            echo "$1 $line" >> "$2"
            echo "{\\"seconds\\": $3, \\"tokens\\": 10, \\"versions\\": [\\"$1 1.0\\"]}"
            case "$line" in *'"end"'*) exit 0 ;; esac
        done
        """

    private static func side(_ name: String, _ log: URL, seconds: Double) -> WorkerCommand {
        WorkerCommand(
            program: URL(fileURLWithPath: "/bin/sh"),
            arguments: ["-c", script, "sh", name, log.path, "\(seconds)"])
    }

    private static func requests(_ log: URL) throws -> [String] {
        try String(contentsOf: log, encoding: .utf8).split(separator: "\n").map { line in
            // `ours {"run":{}}` becomes `ours run`.
            let parts = line.split(separator: "\"", maxSplits: 2)
            return "\(parts[0].dropLast())\(parts[1])"
        }
    }

    private static func options(_ name: BenchmarkCase, in folder: URL) -> BenchmarkOptions {
        var options = BenchmarkOptions()
        (options.cases, options.rounds) = ([name], 3)
        (options.threads, options.cache) = (1, folder)
        return options
    }

    /// Measures sides of 2 and 5 seconds, which note what they are asked.
    private static func measured(_ name: BenchmarkCase, in folder: URL, _ log: URL) throws
        -> BenchmarkReport
    {
        try Benchmark(
            options(name, in: folder), sizes: .tiny, ours: side("ours", log, seconds: 2),
            peer: side("peer", log, seconds: 5)
        ).run()
    }

    @Test func bothSidesTakeTurns() throws {
        try withTemporaryFolder { folder in
            let log = folder.appendingPathComponent("log")
            let report = try Self.measured(.block4000, in: folder, log)
            let turn = ["ours run", "peer run"]
            let wanted =
                ["ours prepare", "peer prepare"] + turn + turn + turn + turn
                + ["ours memory", "peer memory", "ours end", "peer end"]
            #expect(try Self.requests(log) == wanted)
            let result = try #require(report.results.first)
            #expect(result.ratios == [2.5, 2.5, 2.5])
            #expect(result.tokens == 10)
            #expect(result.disturbed.count == 3)
            #expect(report.setting.ours == ["ours 1.0"] && report.setting.peer == ["peer 1.0"])
        }
    }

    @Test func loadingStartsAProcessForEachMeasurement() throws {
        try withTemporaryFolder { folder in
            let log = folder.appendingPathComponent("log")
            let report = try Self.measured(.load, in: folder, log)
            func life(_ side: String) -> [String] {
                ["prepare", "memory", "end"].map { "\(side) \($0)" }
            }
            // One of each to fill the page cache, then three pairs.
            let pairs = Array(repeating: life("ours") + life("peer"), count: 4)
            #expect(try Self.requests(log) == pairs.flatMap { $0 })
            let result = try #require(report.results.first)
            #expect(result.ours.seconds.count == 3 && result.peer?.seconds.count == 3)
        }
    }

    @Test func oursAloneHasNoRatio() throws {
        try withTemporaryFolder { folder in
            let log = folder.appendingPathComponent("log")
            let report = try Benchmark(
                Self.options(.vae16, in: folder), sizes: .tiny,
                ours: Self.side("ours", log, seconds: 2), peer: nil
            ).run()
            let result = try #require(report.results.first)
            #expect(result.peer == nil && result.ratio == nil)
            #expect(result.ours.spread?.median == 2)
        }
    }

    @Test func aWorkerThatDiesIsToldWithItsLastWords() throws {
        try withTemporaryFolder { folder in
            let peer = WorkerCommand(
                program: URL(fileURLWithPath: "/bin/sh"),
                arguments: ["-c", "read line; echo no module named diffusers >&2; exit 3"])
            let benchmark = Benchmark(
                Self.options(.vae16, in: folder), sizes: .tiny,
                ours: Self.side("ours", folder.appendingPathComponent("log"), seconds: 1),
                peer: peer)
            let error = try #require(throws: BenchmarkError.self) { try benchmark.run() }
            #expect(error.description.contains("no module named diffusers"))
            #expect(error.description.contains("status 3"))
        }
    }

    @Test func theReleasedSizesAreRefusedOnACPU() throws {
        try withTemporaryFolder { folder in
            let log = folder.appendingPathComponent("log")
            let benchmark = Benchmark(
                Self.options(.released, in: folder), sizes: .tiny,
                ours: Self.side("ours", log, seconds: 1), peer: nil)
            let error = try #require(throws: BenchmarkError.self) { try benchmark.run() }
            #expect(error.description.contains("needs a GPU"))
            #expect(!FileManager.default.fileExists(atPath: log.path))
            #expect(!BenchmarkCase.all(on: .cpu).contains(.released))
            #expect(BenchmarkCase.all(on: .cuda()).contains(.released))
        }
    }

    @Test func aPeerThatIsNotThereIsToldHowToBeMade() throws {
        try withTemporaryFolder { folder in
            let nowhere = try #require(throws: BenchmarkError.self) {
                try BenchmarkPeer.located(python: nil, places: [folder])
            }
            #expect(nowhere.description.contains("peer.py"))
            let script = folder.appendingPathComponent("Benchmarks/peer/peer.py")
            try makeFolder(script.deletingLastPathComponent())
            try Data("pass\n".utf8).write(to: script)
            let missing = try #require(throws: BenchmarkError.self) {
                try BenchmarkPeer.located(
                    python: nil, places: [folder.appendingPathComponent("deeper")])
            }
            #expect(missing.description.contains("benchmarks peer"))
            #expect(missing.description.contains("--alone"))
            let found = try BenchmarkPeer.located(python: "/bin/sh", places: [folder])
            #expect(found.arguments.first?.hasSuffix("Benchmarks/peer/peer.py") == true)
        }
    }

    @Test func aDistanceIsAPartOfTheReferencesMagnitude() throws {
        try withTemporaryFolder { folder in
            let (a, b) = (
                folder.appendingPathComponent("a.safetensors"),
                folder.appendingPathComponent("b.safetensors")
            )
            try writeSafetensors(["x": Tensor([3 as Float, 4.5])], to: a)
            try writeSafetensors(["x": Tensor([3 as Float, 4])], to: b)
            let distance = try OutputDistance(a, from: b, range: 2)
            #expect(abs(distance.error - 0.1) < 1e-12)
            // A mean square of 0.125 beside a peak of 2.
            #expect(abs(try #require(distance.psnr) - 10 * log10(32)) < 1e-9)
            try writeSafetensors(["y": Tensor([3 as Float, 4])], to: a)
            #expect(throws: BenchmarkError.self) { try OutputDistance(a, from: b) }
        }
    }
}
