import Foundation
import FramePack
import Media
import TestSupport
import Testing
import Torch

/// Runs on the tiny random model: what they show is noise, what they count is right.
@Suite struct GenerationTests {
    private func run(
        _ request: GenerationRequest, token: CancellationToken = CancellationToken(),
        events: @escaping (PipelineEvent) -> Void = { _ in }
    ) throws -> GenerationResult {
        try Pipeline(tinyModel()).run(request, cancellation: token, events: events)
    }

    /// The bytes of every section's latents in a job.
    private func latents(_ job: URL) throws -> [String: Data] {
        let names = try FileManager.default.contentsOfDirectory(atPath: job.path)
            .filter { $0.hasPrefix("section-") }
        return try Dictionary(
            uniqueKeysWithValues: names.map {
                ($0, try Data(contentsOf: job.appendingPathComponent($0)))
            })
    }

    @Test(arguments: SamplingOrder.allCases, DecodeChoice.allCases)
    func framesAreExact(order: SamplingOrder, decode: DecodeChoice) throws {
        try withTemporaryFolder { folder in
            for window in 1...3 {
                var request = try tinyRequest(in: folder)
                (request.order, request.window, request.decode) = (order, window, decode)
                request.frames = 14
                let result = try run(request)
                let video = try VideoReader(contentsOf: URL(fileURLWithPath: result.output))
                #expect(result.frames == 14)
                #expect(video.frameCount == 14)
                #expect((video.width, video.height) == (48, 32))
                #expect(try video.remainingFrames().count == 14)
                let job = Job.folder(for: request.output)
                #expect(!FileManager.default.fileExists(atPath: job.path))
            }
        }
    }

    @Test func secondsBecomeWholeSections() throws {
        try withTemporaryFolder { folder in
            var request = try tinyRequest(in: folder)
            request.seconds = 0.5
            let result = try run(request)
            // 0.5 s are 15 frames: 1.875 sections of 8 frames, which is 2.
            #expect(result.frames == 17)
            #expect(
                try VideoReader(contentsOf: URL(fileURLWithPath: result.output)).frameCount == 17)
        }
    }

    @Test func textAloneStartsFromAPlainPicture() throws {
        try withTemporaryFolder { folder in
            var request = try tinyRequest(in: folder)
            (request.image, request.frames) = (nil, 8)
            #expect(try run(request).frames == 8)
        }
    }

    @Test func framesBecomePicturesOrAnimations() throws {
        try withTemporaryFolder { folder in
            for output in ["out.gif", "out.webp", "frames/"] {
                var request = try tinyRequest(in: folder, output: output)
                if output.hasSuffix("/") { request.output += "/" }
                request.frames = 9
                let result = try run(request)
                if output == "frames/" {
                    let names = try FileManager.default.contentsOfDirectory(atPath: result.output)
                    #expect(names.sorted().first == "00000.png")
                    #expect(names.count == 9)
                } else {
                    let url = URL(fileURLWithPath: result.output)
                    #expect(try Data(contentsOf: url).count > 100)
                    if output == "out.gif" { #expect(try probe(url).frames == 9) }
                    #expect(try GenerationRequest(likeFile: url).frames == 9)
                }
            }
        }
    }

    @Test func sameSeedGivesTheSameBytes() throws {
        try withTemporaryFolder { folder in
            var results: [[String: Data]] = []
            for (output, seed) in [("a.mp4", 5), ("b.mp4", 5), ("c.mp4", 6)] {
                var request = try tinyRequest(in: folder, output: output)
                (request.frames, request.seed, request.keepJob) = (12, seed, true)
                let result = try run(request)
                results.append(try latents(URL(fileURLWithPath: #require(result.job))))
            }
            #expect(results[0].count == 2)
            #expect(results[0] == results[1])
            #expect(results[0] != results[2])
        }
    }

    @Test(arguments: SamplingOrder.allCases, [1, 2, 3])
    func killedJobGoesOnToTheSameBytes(order: SamplingOrder, sections: Int) throws {
        // Both ends are one section in anti-drifting order.
        let count = order == .antiDrifting ? 2 : 3
        guard sections <= count else { return }
        try withTemporaryFolder { folder in
            var request = try tinyRequest(in: folder, output: "whole.mp4")
            (request.order, request.frames, request.keepJob) = (order, 25, true)
            (request.cfg, request.negativePrompt) = (1.5, "blur")
            let whole = try run(request)
            request.output = folder.appendingPathComponent("killed.mp4").path
            let token = CancellationToken()
            #expect(throws: FramePackError.cancelled) {
                try run(request, token: token) { event in
                    guard case .sectionSampled(sections, _) = event.kind else { return }
                    token.cancel()
                }
            }
            let job = Job.folder(for: request.output)
            #expect(try latents(job).count == sections)
            // What a kill in the middle of a write leaves behind, and a file that came to harm.
            let next = "section-00\(sections).safetensors"
            try Data("half".utf8).write(to: job.appendingPathComponent(".\(next).1.part"))
            if sections < count {
                try Data("half".utf8).write(to: job.appendingPathComponent(next))
            }
            let resumed = try Pipeline(Job.model(of: job)).resume(job)
            let wanted = try latents(URL(fileURLWithPath: #require(whole.job)))
            #expect(wanted.count == count)
            #expect(try latents(job) == wanted)
            let a = try VideoReader(contentsOf: URL(fileURLWithPath: whole.output))
            let b = try VideoReader(contentsOf: URL(fileURLWithPath: resumed.output))
            #expect(try a.remainingFrames() == b.remainingFrames())
        }
    }

    @Test func resumedAfterAFinishedSegmentGivesTheSameFrames() throws {
        try withTemporaryFolder { folder in
            for order in SamplingOrder.allCases {
                var request = try tinyRequest(in: folder, output: "whole-\(order).mp4")
                (request.order, request.frames) = (order, 25)
                let whole = try run(request)
                request.output = folder.appendingPathComponent("killed-\(order).mp4").path
                let token = CancellationToken()
                #expect(throws: FramePackError.cancelled) {
                    try run(request, token: token) { event in
                        guard case .sectionDecoded = event.kind else { return }
                        token.cancel()
                    }
                }
                let resumed = try Pipeline(tinyModel()).resume(Job.folder(for: request.output))
                let a = try VideoReader(contentsOf: URL(fileURLWithPath: whole.output))
                let b = try VideoReader(contentsOf: URL(fileURLWithPath: resumed.output))
                #expect(try a.remainingFrames() == b.remainingFrames())
            }
        }
    }

    @Test func repeatedRequestContinuesItsJobAndAnotherIsRefused() throws {
        try withTemporaryFolder { folder in
            var request = try tinyRequest(in: folder)
            request.frames = 12
            let token = CancellationToken()
            #expect(throws: FramePackError.cancelled) {
                try run(request, token: token) { event in
                    if case .sectionSampled = event.kind { token.cancel() }
                }
            }
            var other = request
            other.seed = 6
            #expect { try run(other) } throws: { "\($0)".contains("another request") }
            var sampled = 0
            _ = try run(request) { event in
                if case .sectionSampled = event.kind { sampled += 1 }
            }
            #expect(sampled == 1)
        }
    }

    @Test func anotherRequestReplacesAJobWithoutFinishedSections() throws {
        try withTemporaryFolder { folder in
            let first = try tinyRequest(in: folder)
            let token = CancellationToken()
            #expect(throws: FramePackError.cancelled) {
                try run(first, token: token) { event in
                    if case .step = event.kind { token.cancel() }
                }
            }
            var other = first
            other.seed = 6
            let result = try run(other) { _ in }
            #expect(FileManager.default.fileExists(atPath: result.output))
        }
    }

    @Test func twoRunsCannotShareAJob() throws {
        try withTemporaryFolder { folder in
            var request = try tinyRequest(in: folder)
            request.frames = 8
            var message = ""
            _ = try run(request) { event in
                guard case .stage(.sample) = event.kind else { return }
                do {
                    _ = try Pipeline(tinyModel()).resume(Job.folder(for: request.output))
                } catch { message = "\(error)" }
            }
            #expect(message.contains("another process is working"))
        }
    }

    @Test func foldersThatAreNoJobsAreErrors() throws {
        _ = try withTemporaryFolder { folder in
            #expect {
                _ = try Pipeline(tinyModel()).resume(folder)
            } throws: {
                "\($0)".contains("request.json")
            }
        }
    }

    @Test func progressRisesFromNothingToOne() throws {
        try withTemporaryFolder { folder in
            var request = try tinyRequest(in: folder)
            request.frames = 17
            var progress: [Double] = []
            var names: [String] = []
            var previews = 0
            _ = try run(request) { event in
                progress.append(event.progress)
                if names.last != event.name { names.append(event.name) }
                if case .preview(_, let picture) = event.kind {
                    previews += 1
                    #expect((picture.width, picture.height) == (12, 4))
                }
            }
            #expect(progress == progress.sorted())
            #expect(progress.first == 0)
            #expect(abs((progress.last ?? 0) - 1) < 1e-9)
            #expect(names.first == "planned")
            #expect(names.last == "done")
            #expect(previews == 4)
        }
    }

    @Test func requestTravelsInTheVideoAndBesideIt() throws {
        try withTemporaryFolder { folder in
            var request = try tinyRequest(in: folder)
            (request.frames, request.prompt) = (5, "a \"quoted\" cat \u{1F408}")
            let result = try run(request)
            let inside = try GenerationRequest(likeFile: URL(fileURLWithPath: result.output))
            let beside = try GenerationRequest(likeFile: URL(fileURLWithPath: result.sidecar))
            #expect(inside == beside)
            #expect(inside.prompt == request.prompt)
            #expect(inside.seed == 5)
            #expect(throws: FramePackError.self) {
                try GenerationRequest(
                    likeFile: Fixtures.url("goldens/pipeline/model/model_index.json"))
            }
        }
    }

    @Test func outputThatCannotBeWrittenIsNamedBeforeAnyWork() throws {
        try withTemporaryFolder { folder in
            var request = try tinyRequest(in: folder)
            request.output = folder.appendingPathComponent("none/out.mp4").path
            var events = 0
            #expect { try run(request) { _ in events += 1 } } throws: {
                "\($0)".contains("does not exist")
            }
            #expect(events == 0)
        }
    }

    @Test func streamDeliversEventsAndEndsWithDone() async throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("framepack-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var request = try tinyRequest(in: folder)
        request.frames = 5
        var last: PipelineEvent?
        for try await event in Pipeline.generate(request, model: try tinyModel()) { last = event }
        guard case .done(let result)? = last?.kind else {
            Issue.record("the stream ended without done")
            return
        }
        #expect(result.frames == 5)
    }

    @Test func endImageIsSeenByTheLastSection() throws {
        try withTemporaryFolder { folder in
            var request = try tinyRequest(in: folder, output: "a.mp4")
            (request.frames, request.keepJob) = (17, true)
            let without = try latents(Job.folder(for: run(request).output))
            request.output = folder.appendingPathComponent("b.mp4").path
            request.endImage = request.image
            let with = try latents(Job.folder(for: run(request).output))
            #expect(without["section-000.safetensors"] != with["section-000.safetensors"])
        }
    }
}
