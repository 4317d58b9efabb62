import Foundation
import FramePack
import Media
import TestSupport
import Testing
import Torch

/// What a run must not destroy, and what it must not believe.
@Suite struct JobSafetyTests {
    /// Three sections in forward order.
    private func request(in folder: URL, output: String = "out.mp4") throws -> GenerationRequest {
        var request = try tinyRequest(in: folder, output: output)
        (request.frames, request.order) = (25, .f1)
        return request
    }

    private func run(_ request: GenerationRequest) throws -> GenerationResult {
        try Pipeline(tinyModel()).run(request)
    }

    private func refusal(_ request: GenerationRequest) -> String {
        do {
            _ = try run(request)
            return ""
        } catch { return "\(error)" }
    }

    /// A job of three sections, cancelled when the second one's frames were written.
    private func stopped(_ request: GenerationRequest) throws -> URL {
        let token = CancellationToken()
        var decoded = 0
        #expect(throws: FramePackError.cancelled) {
            _ = try Pipeline(tinyModel()).run(request, cancellation: token) { event in
                guard case .sectionDecoded = event.kind else { return }
                decoded += 1
                if decoded == 2 { token.cancel() }
            }
        }
        return Job.folder(for: request.output)
    }

    private func frames(_ path: String) throws -> [Picture] {
        try VideoReader(contentsOf: URL(fileURLWithPath: path)).remainingFrames()
    }

    @Test func anotherPictureUnderTheSameNameIsNotTheJobs() throws {
        try withTemporaryFolder { folder in
            let request = try request(in: folder)
            _ = try stopped(request)
            let picture = folder.appendingPathComponent("start.png")
            try Picture(width: 40, height: 56, red: 200, green: 30, blue: 60).writePNG(to: picture)
            #expect(refusal(request).contains("another picture"))
        }
    }

    @Test func whatAKillLeftBehindDoesNotBlockTheNextRun() throws {
        try withTemporaryFolder { folder in
            let request = try request(in: folder)
            let job = Job.folder(for: request.output)
            try FileManager.default.createDirectory(at: job, withIntermediateDirectories: true)
            for name in [".start.png.partial", "events.jsonl", "lock"] {
                try Data("x".utf8).write(to: job.appendingPathComponent(name))
            }
            #expect(try frames(run(request).output).count == 25)
        }
    }

    @Test func aFailureBeforeAnyWorkLeavesNoFolder() throws {
        try withTemporaryFolder { folder in
            let request = try request(in: folder)
            let copy = folder.appendingPathComponent("model")
            try FileManager.default.copyItem(at: tinyModel().url, to: copy)
            let model = try ModelFolder(copy)
            for name in try FileManager.default.contentsOfDirectory(
                atPath: copy.appendingPathComponent("transformer").path)
            where name.hasSuffix(".safetensors") {
                try Data("not weights".utf8).write(
                    to: copy.appendingPathComponent("transformer/\(name)"))
            }
            #expect(throws: (any Error).self) { _ = try Pipeline(model).run(request) }
            #expect(!FileManager.default.fileExists(atPath: Job.folder(for: request.output).path))
        }
    }

    @Test func outputsThatWouldHarmAnothersAreRefused() throws {
        try withTemporaryFolder { folder in
            var request = try request(in: folder, output: "a.gif")
            request.frames = 5
            _ = try run(request)
            request.output = folder.appendingPathComponent("a.webp").path
            request.seed = 6
            _ = try run(request)
            // Each keeps its own.
            for (name, seed) in [("a.gif", 5), ("a.webp", 6)] {
                let file = folder.appendingPathComponent(name)
                #expect(try GenerationRequest(likeFile: file).seed == seed)
            }
            request.output = folder.appendingPathComponent("file").path
            request.format = .png
            try Data("mine".utf8).write(to: URL(fileURLWithPath: request.output))
            #expect(refusal(request).contains("a file has that name"))
        }
    }

    @Test func settingsThatDoNotGoTogetherAreRefused() throws {
        try withTemporaryFolder { folder in
            var request = try request(in: folder, output: "a.gif")
            request.fps = 60
            #expect(refusal(request).contains("50 frames a second"))
            request = try self.request(in: folder)
            (request.decode, request.tiling) = (.streaming, true)
            #expect(refusal(request).contains("tiling"))
            request = try self.request(in: folder)
            request.frames = 5
            let video = try run(request).output
            (request.image, request.output) = (video, folder.path + "/b.mp4")
            #expect(
                refusal(request).contains("wants a picture")
                    || refusal(request).contains("must be a picture"))
            #expect(!FileManager.default.fileExists(atPath: folder.path + "/b.job"))
        }
    }

    @Test func aLinkStaysALink() throws {
        try withTemporaryFolder { folder in
            let request = try request(in: folder, output: "link.mp4")
            let target = folder.appendingPathComponent("target.mp4")
            try Data("old".utf8).write(to: target)
            try FileManager.default.createSymbolicLink(
                atPath: request.output, withDestinationPath: "target.mp4")
            let result = try run(request)
            #expect(result.output.hasSuffix("/target.mp4"))
            #expect(
                try FileManager.default.destinationOfSymbolicLink(atPath: request.output)
                    == "target.mp4")
            #expect(try frames(target.path).count == 25)
        }
    }

    @Test func harmedFilesAreMadeAgain() throws {
        try withTemporaryFolder { folder in
            let whole = try frames(run(request(in: folder, output: "whole.mp4")).output)
            let harms: [(String, (inout Data) -> Void)] = [
                ("segment-000.mp4", { $0.removeLast($0.count / 2) }),
                ("segment-000.mp4", { $0.removeAll() }),
                ("segment-001.mp4", { for index in 0..<50 { $0[$0.count - 1 - index] ^= 0xFF } }),
                ("section-000.safetensors", { $0[$0.count - 3] ^= 0x40 }),
                ("section-001.safetensors", { $0[$0.count - 3] ^= 0x40 }),
                ("embeddings.safetensors", { $0[$0.count - 3] ^= 0x40 }),
                ("start.safetensors", { $0[$0.count - 3] ^= 0x40 }),
                ("checksums.txt", { $0.removeLast(5) }),
            ]
            for (number, (name, harm)) in harms.enumerated() {
                let request = try request(in: folder, output: "\(number).mp4")
                let job = try stopped(request)
                let file = job.appendingPathComponent(name)
                var data = try Data(contentsOf: file)
                harm(&data)
                try data.write(to: file)
                let result = try Pipeline(tinyModel()).resume(job)
                #expect(try frames(result.output) == whole, "\(name), \(number)")
            }
        }
    }

    @Test func aMovedJobGoesOnWhereItLies() throws {
        try withTemporaryFolder { folder in
            let job = try stopped(request(in: folder, output: "old.mp4"))
            let elsewhere = folder.appendingPathComponent("elsewhere")
            try FileManager.default.createDirectory(
                at: elsewhere, withIntermediateDirectories: true)
            let moved = elsewhere.appendingPathComponent("new.job")
            try FileManager.default.moveItem(at: job, to: moved)
            let result = try Pipeline(tinyModel()).resume(moved)
            #expect(result.output == elsewhere.appendingPathComponent("new.mp4").path)
            #expect(try frames(result.output).count > 1)
            #expect(!FileManager.default.fileExists(atPath: folder.path + "/old.mp4"))
            #expect(!FileManager.default.fileExists(atPath: moved.path))
        }
    }

    @Test func sectionUnderAnothersNameIsMadeAgain() throws {
        try withTemporaryFolder { folder in
            let whole = try frames(run(request(in: folder, output: "whole.mp4")).output)
            let job = try stopped(request(in: folder))
            let files = FileManager.default
            try files.removeItem(at: job.appendingPathComponent("section-000.safetensors"))
            try files.moveItem(
                at: job.appendingPathComponent("section-001.safetensors"),
                to: job.appendingPathComponent("section-000.safetensors"))
            let result = try Pipeline(tinyModel()).resume(job)
            #expect(try frames(result.output) == whole)
        }
    }

    @Test func changedRequestIsNotHalfObeyed() throws {
        try withTemporaryFolder { folder in
            let job = try stopped(request(in: folder))
            let file = job.appendingPathComponent("request.json")
            let text = try String(contentsOf: file, encoding: .utf8)
            try text.replacing("a cat walks", with: "a dog runs")
                .write(to: file, atomically: true, encoding: .utf8)
            let error = #expect(throws: FramePackError.self) {
                _ = try Pipeline(tinyModel()).resume(job)
            }
            #expect(error.map { "\($0)" }?.contains("not what the job was begun with") == true)
        }
    }

    @Test func foldersOfOthersStay() throws {
        try withTemporaryFolder { folder in
            let request = try request(in: folder)
            let job = Job.folder(for: request.output)
            try FileManager.default.createDirectory(at: job, withIntermediateDirectories: true)
            let mine = job.appendingPathComponent("mine.txt")
            try Data("mine".utf8).write(to: mine)
            #expect(refusal(request).contains("is no job of framepack: it holds mine.txt"))
            #expect(try Data(contentsOf: mine) == Data("mine".utf8))
        }
    }

    @Test func filesOfOthersStay() throws {
        try withTemporaryFolder { folder in
            var request = try request(in: folder)
            let json = folder.appendingPathComponent("out.json")
            try Data("{\"mine\": 1}".utf8).write(to: json)
            #expect(refusal(request).contains("out.json, which holds something else"))
            #expect(try Data(contentsOf: json) == Data("{\"mine\": 1}".utf8))

            // One of ours is replaced, as the video is.
            try FileManager.default.removeItem(at: json)
            _ = try run(request)
            _ = try run(request)

            request.output = folder.appendingPathComponent("picture.gif").path
            try FileManager.default.copyItem(
                atPath: try #require(request.image), toPath: request.output)
            request.image = request.output
            let picture = try Data(contentsOf: URL(fileURLWithPath: request.output))
            #expect(refusal(request).contains("the picture that the video begins or ends with"))
            #expect(try Data(contentsOf: URL(fileURLWithPath: request.output)) == picture)
        }
    }

    @Test func framesDoNotMixWithOthers() throws {
        try withTemporaryFolder { folder in
            var request = try request(in: folder)
            request.output = folder.path + "/frames/"
            let frames = folder.appendingPathComponent("frames")
            try FileManager.default.createDirectory(at: frames, withIntermediateDirectories: true)
            try Data().write(to: frames.appendingPathComponent("00050.png"))
            #expect(refusal(request).contains("holds frames already, such as 00050.png"))
            request.output = "/"
            #expect(refusal(request).contains("the root of the disk"))
        }
    }

    @Test func failureBeforeAnyWorkLeavesNoJob() throws {
        try withTemporaryFolder { folder in
            let request = try request(in: folder)
            let model = folder.appendingPathComponent("model")
            try FileManager.default.copyItem(at: tinyModel().url, to: model)
            let weights = try FileManager.default.contentsOfDirectory(
                atPath: model.appendingPathComponent("text_encoder").path
            ).first { $0.hasSuffix(".safetensors") }
            let file = model.appendingPathComponent("text_encoder").appendingPathComponent(
                try #require(weights))
            // What is copied may be a link.
            try? FileManager.default.removeItem(at: file)
            try Data("no weights".utf8).write(to: file)
            #expect(throws: (any Error).self) {
                _ = try Pipeline(ModelFolder(model)).run(request)
            }
            let job = Job.folder(for: request.output)
            #expect(!FileManager.default.fileExists(atPath: job.path))
        }
    }
}
