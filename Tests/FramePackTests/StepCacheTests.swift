import Foundation
import FramePack
import Media
import Models
import TestSupport
import Testing
import Torch

/// Step caches around the tiny random model.
@Suite struct StepCacheTests {
    static let caches: [StepCacheChoice] = [.teacache, .magcache, .easycache, .firstBlock]

    /// The tiny model with magnitude ratios for eight steps, in a file that names its parts.
    private func calibrated(
        in folder: URL, ratios: [Double] = Array(repeating: 1, count: 8)
    ) throws -> ModelFolder {
        let parts = try ModelPart.allCases.map {
            ($0.rawValue, try tinyModel().folder(of: $0).path)
        }
        let file = folder.appendingPathComponent("model.json")
        try JSONEncoder().encode(Dictionary(uniqueKeysWithValues: parts)).write(to: file)
        try JSONEncoder().encode(["magnitudeRatios": ratios])
            .write(to: folder.appendingPathComponent("framepack.json"))
        return try ModelFolder(file)
    }

    private func request(in folder: URL, output: String) throws -> GenerationRequest {
        var request = try tinyRequest(in: folder, output: output)
        (request.steps, request.frames, request.keepJob) = (8, 17, true)
        return request
    }

    /// The bytes of every section's latents of a finished request.
    private func latents(_ request: GenerationRequest) throws -> [Data] {
        let job = Job.folder(for: request.output)
        return try FileManager.default.contentsOfDirectory(atPath: job.path)
            .filter { $0.hasPrefix("section-") }.sorted()
            .map { try Data(contentsOf: job.appendingPathComponent($0)) }
    }

    private func frames(
        _ model: ModelFolder, _ change: (inout GenerationRequest) -> Void
    ) throws -> (pixels: [[UInt8]], calls: Int, skipped: Int) {
        var request = GenerationRequest(prompt: "a cat walks")
        (request.steps, request.window, request.frames, request.seed) = (8, 2, 17, 5)
        change(&request)
        let generator = try FrameGenerator(model)
        let picture = Picture(width: 48, height: 32, red: 90, green: 30, blue: 200)
        let frames = try generator.frames(request, from: picture)
        return (frames.map(\.pixels), generator.record.calls, generator.record.skipped)
    }

    @Test(arguments: caches) func thresholdZeroIsTheExactRun(cache: StepCacheChoice) throws {
        try withTemporaryFolder { folder in
            let model = try calibrated(in: folder)
            var exact = try request(in: folder, output: "exact.mp4")
            _ = try Pipeline(model).run(exact)
            let wanted = try latents(exact)
            #expect(wanted.count == 2)
            (exact.stepCache, exact.threshold) = (cache, 0)
            exact.output = folder.appendingPathComponent("cached.mp4").path
            _ = try Pipeline(model).run(exact)
            #expect(try latents(exact) == wanted)
        }
    }

    @Test(arguments: caches, SamplerChoice.allCases)
    func everyStepIsCountedOnce(cache: StepCacheChoice, sampler: SamplerChoice) throws {
        try withTemporaryFolder { folder in
            let result = try frames(calibrated(in: folder)) {
                ($0.stepCache, $0.threshold, $0.sampler) = (cache, 1, sampler)
            }
            #expect(result.calls == 16)
            #expect(result.skipped > 0 && result.skipped <= 14)
        }
    }

    /// Where both prompts are one, guidance has nothing to lead away from: the result is that of one
    /// pass, unless a branch sees the other's state.
    @Test(arguments: caches) func branchesHaveStatesOfTheirOwn(cache: StepCacheChoice) throws {
        try withTemporaryFolder { folder in
            let model = try calibrated(in: folder)
            let single = try frames(model) { ($0.stepCache, $0.threshold) = (cache, 1) }
            let guided = try frames(model) {
                ($0.stepCache, $0.threshold, $0.cfg) = (cache, 1, 3)
                $0.negativePrompt = $0.prompt
            }
            #expect(guided.pixels == single.pixels)
            #expect(guided.calls == 2 * single.calls)
            #expect(guided.skipped == 2 * single.skipped)
        }
    }

    /// With a refresh of the context in every third step, alone and below each cache.
    @Test(arguments: [.none] + caches)
    func branchesHaveContextsOfTheirOwn(cache: StepCacheChoice) throws {
        try withTemporaryFolder { folder in
            let model = try calibrated(in: folder)
            func made(_ refresh: Int, cfg: Double) throws -> [[UInt8]] {
                try frames(model) {
                    ($0.stepCache, $0.threshold, $0.cfg) = (cache, 0.3, cfg)
                    ($0.contextRefresh, $0.negativePrompt) = (refresh, $0.prompt)
                }.pixels
            }
            let single = try made(3, cfg: 1)
            #expect(try made(3, cfg: 3) == single)
            if cache == .none { #expect(try made(1, cfg: 1) != single) }
        }
    }

    @Test(arguments: SamplerChoice.allCases)
    func refreshInEveryStepIsTheExactRun(sampler: SamplerChoice) throws {
        let exact = try frames(tinyModel()) { $0.sampler = sampler }
        let refreshed = try frames(tinyModel()) { ($0.sampler, $0.contextRefresh) = (sampler, 1) }
        let reused = try frames(tinyModel()) { ($0.sampler, $0.contextRefresh) = (sampler, 8) }
        #expect(refreshed.pixels == exact.pixels)
        #expect(reused.pixels != exact.pixels)
        #expect((reused.calls, reused.skipped) == (16, 0))
    }

    @Test(arguments: caches, [1, 3])
    func killedJobGoesOnToTheSameBytes(cache: StepCacheChoice, contextRefresh: Int) throws {
        try withTemporaryFolder { folder in
            let model = try calibrated(in: folder)
            var wanted = try request(in: folder, output: "whole.mp4")
            (wanted.stepCache, wanted.threshold) = (cache, 0.5)
            wanted.contextRefresh = contextRefresh
            _ = try Pipeline(model).run(wanted)
            var killed = wanted
            killed.output = folder.appendingPathComponent("killed.mp4").path
            let token = CancellationToken()
            #expect(throws: FramePackError.cancelled) {
                try Pipeline(model).run(killed, cancellation: token) { event in
                    // In the middle of the second section, whose cache is lost.
                    if case .step(2, _, 4, _) = event.kind { token.cancel() }
                }
            }
            let job = Job.folder(for: killed.output)
            _ = try Pipeline(Job.model(of: job)).resume(job)
            #expect(try latents(killed) == latents(wanted))
        }
    }

    /// At a step count unlike the calibrated one the ratios of the nearest steps are taken.
    @Test func calibrationServesOtherStepCounts() throws {
        try withTemporaryFolder { folder in
            let model = try calibrated(in: folder)
            let result = try frames(model) {
                ($0.stepCache, $0.threshold, $0.steps) = (.magcache, 0.1, 12)
            }
            // 110001000100 in both sections.
            #expect((result.calls, result.skipped) == (24, 16))
        }
    }

    @Test func modelWithoutRatiosIsRefusedInASentence() throws {
        try withTemporaryFolder { folder in
            var request = try request(in: folder, output: "a.mp4")
            request.stepCache = .magcache
            #expect {
                try Pipeline(tinyModel()).run(request)
            } throws: {
                "\($0)".contains("framepack calibrate") && "\($0)".hasSuffix(".")
            }
            #expect(!FileManager.default.fileExists(atPath: Job.folder(for: request.output).path))
        }
    }

    @Test func ratiosOutsideTheirRangeAreRefused() throws {
        try withTemporaryFolder { folder in
            #expect {
                try calibrated(in: folder, ratios: [1, 0])
            } throws: {
                "\($0)".contains("magnitudeRatios has the number 0; all must be above 0.")
            }
            #expect {
                try calibrated(in: folder, ratios: [])
            } throws: {
                "\($0)".contains("magnitudeRatios has 0 numbers")
            }
        }
    }

    @Test func jobOfAnotherCalibrationIsRefused() throws {
        try withTemporaryFolder { folder in
            let model = try calibrated(in: folder)
            var request = try request(in: folder, output: "a.mp4")
            request.stepCache = .magcache
            let token = CancellationToken()
            #expect(throws: FramePackError.cancelled) {
                try Pipeline(model).run(request, cancellation: token) { event in
                    if case .sectionSampled = event.kind { token.cancel() }
                }
            }
            let other = try calibrated(in: folder, ratios: [1, 0.99])
            #expect(try other.fingerprint() == model.fingerprint())
            #expect {
                try Pipeline(other).resume(Job.folder(for: request.output))
            } throws: {
                "\($0)".contains("calibrated anew")
            }
        }
    }

    @Test func calibrationIsWrittenIntoTheSettings() throws {
        try withTemporaryFolder { folder in
            let model = try calibrated(in: folder)
            var request = GenerationRequest(prompt: "a cat walks")
            (request.steps, request.window, request.frames) = (5, 2, 17)
            (request.cfg, request.stepCache) = (2, .teacache)
            let picture = Picture(width: 48, height: 32, red: 90, green: 30, blue: 200)
            let ratios = try FrameGenerator(model).magnitudeRatios(request, from: picture)
            // A request for the cache that is to be calibrated needs no calibration.
            request.stepCache = .magcache
            let same = try FrameGenerator(tinyModel()).magnitudeRatios(request, from: picture)
            #expect(same.values == ratios.values)
            #expect(ratios.values.count == 5)
            #expect(ratios.values[0] == 1)
            #expect(ratios.values.dropFirst().allSatisfy { $0 > 0.1 && $0 < 10 && $0 != 1 })
            try model.write(ratios.rounded())
            #expect(try ModelFolder(model.url).magnitudeRatios() == ratios.rounded())
        }
    }
}

/// What stands in for a step that is skipped, against the arithmetic written out.
@Suite struct StepCacheArithmeticTests {
    private let transformer: Transformer
    private let denoiser: TransformerDenoiser
    private let steps: [TransformerInput]

    init() throws {
        let folder = try tinyModel().folder(of: .transformer)
        transformer = try Transformer(folder: folder)
        denoiser = TransformerDenoiser(transformer, execution: Execution(), distilledScale: 1)
        let generator = try Generator(seed: 3)
        let config = transformer.config
        let conditioning = Conditioning(
            promptEmbeds: try .randn([1, 3, config.textSize], generator: generator),
            pooled: try .randn([1, config.pooledSize], generator: generator))
        let start = try Tensor.randn([1, 16, 2, 4, 4], generator: generator)
        let way = try Tensor.randn([1, 16, 2, 4, 4], generator: generator)
        steps = try (0..<6).map { step in
            TransformerInput(
                latents: try start + way * (0.1 * Double(step)),
                timestep: try Tensor([1000 - 100 * Float(step)], [1]),
                guidance: try Tensor([Float(1000)], [1]), indices: .shared([1, 2]),
                conditioning: conditioning)
        }
    }

    private func exact(_ step: Int) throws -> Tensor {
        try transformer(steps[step])
    }

    @Test func easyCacheAddsWhatTheNetworkAddedToTheLatents() throws {
        try withoutGradients {
            let cache = EasyCache(denoiser, EasyCachePolicy(threshold: 1e9, stepCount: 6))
            let found = try steps.map { try cache.velocity(input: $0) }
            #expect(cache.computed == [true, true, false, false, false, true])
            for step in 2..<5 {
                let wanted = try steps[step].latents + (exact(1) - steps[1].latents)
                try expectClose(found[step], wanted, absolute: 1e-6, relative: 1e-6)
            }
            try expectClose(found[5], exact(5), absolute: 0, relative: 0)
        }
    }

    /// The rate of answer between computed steps, times the change of the latents.
    @Test func easyCacheForetellsTheChange() throws {
        try withoutGradients {
            func mean(_ tensor: Tensor) throws -> Double { try tensor.abs().mean().item() }
            let rate =
                try mean(exact(1) - exact(0)) / mean(steps[1].latents - steps[0].latents)
            let foretold =
                try rate * mean(steps[2].latents - steps[1].latents) / mean(exact(1))
            for (factor, isSkipped) in [(1.01, true), (0.99, false)] {
                let cache = EasyCache(
                    denoiser, EasyCachePolicy(threshold: factor * foretold, stepCount: 6))
                for step in 0..<3 { _ = try cache.velocity(input: steps[step]) }
                #expect(cache.computed == [true, true, !isSkipped])
            }
        }
    }

    @Test func firstBlockRunsAlwaysAndTheOthersAreReused() throws {
        try withoutGradients {
            let cache = BlockCache.firstBlock(denoiser, FirstBlockPolicy(threshold: 1e9))
            let found = try steps.map { try cache.velocity(input: $0) }
            #expect(cache.computed == [true, false, false, false, false, false])
            func first(_ step: Int) throws -> TokenStreams {
                try transformer.run(blocks: 0..<1, on: transformer.embed(steps[step]))
            }
            let begun = try first(0)
            let ended = try transformer.run(blocks: 1..<transformer.blockCount, on: begun)
            for step in 1..<6 {
                var streams = try first(step)
                streams.x = try streams.x + (ended.x - begun.x)
                try expectClose(
                    found[step], transformer.head(streams), absolute: 1e-6, relative: 1e-6)
            }
        }
    }

    @Test func firstBlockIsComparedWithTheLastComputedStep() throws {
        try withoutGradients {
            func added(_ step: Int) throws -> Tensor {
                let before = try transformer.embed(steps[step])
                return try transformer.run(blocks: 0..<1, on: before).x - before.x
            }
            func change(from then: Int, to now: Int) throws -> Double {
                let then = try added(then)
                return try ((added(now) - then).abs().mean() / then.abs().mean()).item()
            }
            // Just above the first change, so that later ones are above it and some are not.
            let threshold = try 1.01 * change(from: 0, to: 1)
            var (last, wanted) = (0, [true])
            for step in 1..<6 {
                wanted.append(try change(from: last, to: step) >= threshold)
                if wanted[step] { last = step }
            }
            #expect(wanted[1] == false && wanted.dropFirst().contains(true))
            let cache = BlockCache.firstBlock(denoiser, FirstBlockPolicy(threshold: threshold))
            for input in steps { _ = try cache.velocity(input: input) }
            #expect(cache.computed == wanted)
        }
    }

    /// The denoiser of a section of six steps that refreshes its context.
    private func refreshing(every interval: Int) -> TransformerDenoiser {
        denoiser.during(FlowSchedule(tokenCount: 8, stepCount: 6), contextRefresh: interval)
    }

    private func expectSame(_ found: Tensor, _ wanted: Tensor) throws {
        #expect(try found.array(Float.self) == wanted.array(Float.self))
    }

    /// The velocity of a step in which the context's keys and values are another step's.
    private func reusing(_ keys: ContextKeys, _ step: Int) throws -> Tensor {
        var streams = try transformer.embed(steps[step])
        streams.conditions.context = .reused(keys)
        return try transformer.head(
            transformer.run(blocks: 0..<transformer.blockCount, on: streams))
    }

    private func keys(of step: Int) throws -> ContextKeys {
        let keys = ContextKeys()
        var streams = try transformer.embed(steps[step])
        streams.conditions.context = .kept(keys)
        _ = try transformer.run(blocks: 0..<transformer.blockCount, on: streams)
        return keys
    }

    @Test func contextIsRefreshedInEveryThirdStep() throws {
        try withoutGradients {
            // A cache that never skips: every step goes through it.
            let cache = EasyCache(
                refreshing(every: 3), EasyCachePolicy(threshold: 0, stepCount: 6))
            for step in 0..<6 {
                let found = try cache.velocity(input: steps[step])
                let wanted =
                    step % 3 == 0
                    ? try exact(step) : try reusing(keys(of: step - step % 3), step)
                try expectSame(found, wanted)
            }
        }
    }

    @Test func skippedStepsDoNotCountForTheContext() throws {
        try withoutGradients {
            let cache = EasyCache(
                refreshing(every: 2), EasyCachePolicy(threshold: 1e9, stepCount: 6))
            let found = try steps.map { try cache.velocity(input: $0) }
            #expect(cache.computed == [true, true, false, false, false, true])
            try expectSame(found[1], reusing(keys(of: 0), 1))
            try expectSame(found[5], exact(5))
        }
    }

    /// The first block runs in every step; what it keeps in a skipped one does no harm.
    @Test func firstBlockGoesWithTheContext() throws {
        try withoutGradients {
            let always = BlockCache.firstBlock(
                refreshing(every: 2), FirstBlockPolicy(threshold: 0))
            for step in 0..<6 {
                let found = try always.velocity(input: steps[step])
                let wanted =
                    step % 2 == 0 ? try exact(step) : try reusing(keys(of: step - 1), step)
                try expectClose(found, wanted, absolute: 1e-6, relative: 1e-6)
            }
            let never = BlockCache.firstBlock(
                refreshing(every: 2), FirstBlockPolicy(threshold: 1e9))
            _ = try never.velocity(input: steps[0])
            let keys = try keys(of: 0)
            func own(_ streams: TokenStreams) throws -> Tensor {
                try streams.sectionTokens(patchSize: 2)
            }
            let first = try transformer.run(blocks: 0..<1, on: transformer.embed(steps[0]))
            let all = try transformer.run(blocks: 1..<transformer.blockCount, on: first)
            for step in 1..<6 {
                var streams = try transformer.embed(steps[step])
                streams.conditions.context = .reused(keys)
                streams = try transformer.run(blocks: 0..<1, on: streams)
                streams.x = try own(streams) + (own(all) - own(first))
                try expectClose(
                    never.velocity(input: steps[step]), transformer.head(streams),
                    absolute: 1e-6, relative: 1e-6)
            }
            #expect(never.computed == [true, false, false, false, false, false])
        }
    }

    @Test func magCacheAddsWhatAllBlocksAdded() throws {
        try withoutGradients {
            let ratios = MagnitudeRatios(Array(repeating: 1, count: 6))
            let cache = BlockCache.magCache(denoiser, MagCachePolicy(ratios, stepCount: 6))
            let found = try steps.map { try cache.velocity(input: $0) }
            #expect(cache.computed == [true, false, false, false, true, false])
            let before = try transformer.embed(steps[0])
            let after = try transformer.run(blocks: 0..<transformer.blockCount, on: before)
            for step in 1..<4 {
                var streams = try transformer.embed(steps[step])
                streams.x = try streams.x + (after.x - before.x)
                try expectClose(
                    found[step], transformer.head(streams), absolute: 1e-6, relative: 1e-6)
            }
            try expectClose(found[4], exact(4), absolute: 0, relative: 0)
        }
    }
}
