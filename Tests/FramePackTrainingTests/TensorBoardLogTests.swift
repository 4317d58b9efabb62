import Foundation
import FramePackTraining
import Media
import TestSupport
import Testing

/// TensorBoard's own reader, where a Python that has it is at hand.
private enum Reader {
    /// What it finds in a folder.
    struct Found: Decodable {
        let scalars: [String: [[Double]]]
        let images: [String: [Image]]
        let texts: [String: [Text]]
    }

    struct Image: Decodable {
        let step, width, height: Int
        let png: Data

        init(from decoder: any Decoder) throws {
            var values = try decoder.unkeyedContainer()
            step = try values.decode(Int.self)
            width = try values.decode(Int.self)
            height = try values.decode(Int.self)
            png = try values.decode(Data.self)
        }
    }

    struct Text: Decodable {
        let step: Int
        let text: String

        init(from decoder: any Decoder) throws {
            var values = try decoder.unkeyedContainer()
            step = try values.decode(Int.self)
            text = try values.decode(String.self)
        }
    }

    /// `FRAMEPACK_PYTHON`, or the `python3` of the path.
    static let python = ProcessInfo.processInfo.environment["FRAMEPACK_PYTHON"] ?? "python3"

    static let isThere =
        (try? output(["-c", "from tensorboard.backend.event_processing import event_accumulator"]))
        != nil

    static func read(_ folder: URL) throws -> Found {
        let script = Fixtures.folder.deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Tools/fixtures/events.py")
        let output = try #require(try output([script.path, "--read", folder.path]))
        return try JSONDecoder().decode(Found.self, from: output)
    }

    /// What Python prints; nil where it fails.
    private static func output(_ arguments: [String]) throws -> Data? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [python] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return process.terminationStatus == 0 ? data : nil
    }
}

@Suite struct TensorBoardLogTests {
    private static let moment = Date(timeIntervalSince1970: 1_700_000_000.25)

    private func log(_ folder: URL, from step: Int) throws -> TensorBoardLog {
        try TensorBoardLog(folder, firstStep: step) { Self.moment }
    }

    private func files(_ folder: URL) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            .map { folder.appendingPathComponent($0) }
    }

    @Test func theBytesAreThoseOfTensorBoardsOwnWriter() throws {
        try withTemporaryFolder { folder in
            let log = try log(folder, from: 3)
            try log.add(["loss": 0.1, "rate": -2.5e-5, "norm": 0], step: 3)
            let png = (0..<3).flatMap { _ in (0..<200).map(UInt8.init) }
            try log.add(png: png, width: 300, height: 20, tag: "samples/circle", step: 300)
            try log.add("**größer** als 0", tag: "settings", step: 70000)
            let file = try #require(try files(folder).first)
            #expect(file.lastPathComponent == "events.out.tfevents.1700000000.framepack")
            let wanted = try Data(contentsOf: Fixtures.url("logs/run.tfevents"))
            #expect(try Data(contentsOf: file) == wanted)
        }
    }

    @Test(.enabled(if: Reader.isThere, "no Python with tensorboard is at hand"))
    func tensorBoardReadsFiguresPicturesAndTexts() throws {
        try withTemporaryFolder { folder in
            let log = try TensorBoardLog(folder, firstStep: 0)
            for step in 0..<4 { try log.add(["loss": 1 / Double(step + 1)], step: step) }
            let picture = Picture(width: 6, height: 4, red: 200, green: 30, blue: 10)
            try log.add(picture, tag: "samples/circle", step: 3)
            try log.add("rank 32", tag: "settings", step: 3)
            let found = try Reader.read(folder)
            let wanted = (0..<4).map { [Double($0), Double(Float(1 / Double($0 + 1)))] }
            #expect(found.scalars == ["loss": wanted])
            let image = try #require(found.images["samples/circle"]?.first)
            #expect((image.step, image.width, image.height) == (3, 6, 4))
            let file = folder.appendingPathComponent("circle.png")
            try image.png.write(to: file)
            #expect(try Picture(contentsOf: file) == picture)
            let text = try #require(found.texts["settings/text_summary"]?.first)
            #expect((text.step, text.text) == (3, "rank 32"))
        }
    }

    /// A run that stored step 5, was killed after step 8 in the middle of writing, and went on.
    private func interrupted(_ folder: URL) throws {
        let first = try TensorBoardLog(folder, firstStep: 0)
        for step in 0..<9 { try first.add(["loss": 1], step: step) }
        let file = try #require(try files(folder).first)
        let handle = try FileHandle(forWritingTo: file)
        try handle.seekToEnd()
        try handle.write(contentsOf: Data([40, 0, 0, 0, 0, 0, 0, 0, 1, 2]))
        try handle.close()
        let second = try TensorBoardLog(folder, firstStep: 5)
        for step in 5..<12 { try second.add(["loss": 2], step: step) }
    }

    @Test(.enabled(if: Reader.isThere, "no Python with tensorboard is at hand"))
    func tensorBoardSeesEachStepOfAContinuedRunOnce() throws {
        try withTemporaryFolder { folder in
            try interrupted(folder)
            let points = try #require(try Reader.read(folder).scalars["loss"])
            #expect(points == (0..<12).map { [Double($0), $0 < 5 ? 1 : 2] })
        }
    }

    @Test func stepsThatAreDoneAgainAreCutOff() throws {
        try withTemporaryFolder { folder in
            try interrupted(folder)
            let before = try files(folder)
            #expect(before.count == 2)
            // Version, start, and steps 0 to 4; version, start, and steps 5 to 11.
            #expect(try before.map { try eventCount($0) } == [7, 9])
            // Begun anew, nothing of before stays; the new file sorts behind the old.
            _ = try TensorBoardLog(folder, firstStep: 0)
            let after = try files(folder)
            #expect(after.count == 1)
            #expect(after[0].lastPathComponent > before[1].lastPathComponent)
        }
    }

    /// Records by their lengths alone: 8 bytes, 4 of check, the data, 4 of check.
    private func eventCount(_ file: URL) throws -> Int {
        let bytes = try [UInt8](Data(contentsOf: file))
        var (count, at) = (0, 0)
        while at < bytes.count {
            at += 16 + (0..<8).reduce(0) { $0 + Int(bytes[at + $1]) << (8 * $1) }
            count += 1
        }
        #expect(at == bytes.count)
        return count
    }

    @Test func aRecordIsATableAndEventsOfTheSameSteps() throws {
        try withTemporaryFolder { folder in
            for first in [0, 2] {
                let record = try TrainingRecord(in: folder, metricNames: ["psnr"], firstStep: first)
                for step in first..<4 {
                    try record.append(
                        TrainingReport(
                            step: step, totalSteps: 4, loss: 1, gradientNorm: 1, learningRate: 1,
                            seconds: 1, metrics: ["psnr": 20]))
                }
            }
            let table = try LogTable(TrainingLog.url(in: folder))
            #expect(table.points("psnr").map(\.x) == [0, 1, 2, 3])
            let events = try files(TensorBoardLog.folder(in: folder))
            #expect(try events.map { try eventCount($0) } == [4, 4])
        }
    }
}
