import Foundation
import FramePack
import FramePackTraining
import TestSupport
import Testing
import Torch

/// What is wrong with a run is told before its first step, and before any weight is read.
@Suite(.serialized) struct FineTuningChecksTests {
    private static let sample = """
        [[samples]]
        prompt = "a shape of clip 0 moves"
        seconds = 0.5
        steps = 2
        """

    private func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "nothing was found"
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: [
        ("method = { targets = [\"zzz\"] }", "method.targets and method.excluded are of no use"),
        ("method = { weights = \"no.safetensors\" }", "no.safetensors, and there is no such file"),
    ])
    func settingsThatNothingAnswersToAreFoundAtOnce(_ text: String, part: String) throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            #expect(message { _ = try tiny.run(text) }.contains(part))
        }
    }

    @Test func aWindowThatDoesNotFitTheClipsIsFoundAtOnce() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            let data = folder.appendingPathComponent("data.toml")
            let text = try String(contentsOf: data, encoding: .utf8)
            try tiny.write(text + "\nfp_latent_window_size = 1\n", to: "data.toml")
            let found = message { _ = try tiny.run() }
            #expect(found.contains("window of 1 (fp_latent_window_size)"), "\(found)")
        }
    }

    @Test func filesOfSettingsAreLookedForBeforeAllElse() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            let place = try tiny.run(output: "videos/clip-0.mp4")
            let picture = try tiny.run(Self.sample + "\nimage = \"no.png\"")
            let broken = try tiny.run(Self.sample + "\nimage = \"videos/broken.txt\"")
            for run in [place, picture, broken] {
                let (dry, cache) = (message(run.check), message { _ = try run.fillCache() })
                #expect(dry == cache)
            }
            #expect(message(place.check).contains("clip-0.mp4 is a file; name another folder"))
            let missing = message(picture.check)
            #expect(missing.contains("samples[1].image is \(folder.path)/no.png"), "\(missing)")
            #expect(missing.contains("there is no such file"))
            #expect(message(broken.check).contains("samples[1].image is of no use"))
        }
    }

    @Test func samplesThatWereNotEncodedAreFoundBeforeTheTraining() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            let plain = try tiny.run()
            #expect(message(plain.check).contains("framepack train cache"))
            _ = try plain.fillCache()
            try plain.check()
            let sampled = try tiny.run(Self.sample)
            let found = message(sampled.check)
            #expect(found.contains("the configuration's samples"), "\(found)")
            _ = try sampled.fillCache()
            try sampled.check()
        }
    }

    @Test func weightsThatAreNotThoseOfTheirConfigurationAreFoundBeforeTheTraining() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            var run = try tiny.run()
            _ = try run.fillCache()
            let place = folder.appendingPathComponent("transformer")
            try FileManager.default.copyItem(
                at: TinyFineTuning.model.appendingPathComponent("transformer"), to: place)
            var parts = Dictionary(
                uniqueKeysWithValues: ModelPart.allCases.map {
                    ($0.rawValue, TinyFineTuning.model.appendingPathComponent($0.rawValue).path)
                })
            parts["transformer"] = "transformer"
            try JSONEncoder().encode(parts).write(to: folder.appendingPathComponent("model.json"))
            var config = run.config
            config.model = folder.appendingPathComponent("model.json").path
            run = try FineTuningRun(config, device: .cpu)
            try run.check()
            let sizes = place.appendingPathComponent("config.json")
            let text = try String(contentsOf: sizes, encoding: .utf8)
            let blocks = try #require(text.firstMatch(of: /"num_layers": *(\d+)/)).0
            try Data(text.replacing(blocks, with: "\"num_layers\": 7").utf8).write(to: sizes)
            let found = message(try FineTuningRun(config, device: .cpu).check)
            #expect(found.contains("lacks the tensor transformer_blocks"), "\(found)")
        }
    }

    @Test func harmedFilesOfTheCacheAreToldAndMadeAgain() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            let run = try tiny.run()
            _ = try run.fillCache()
            let cache = folder.appendingPathComponent("cache")
            let names = try FileManager.default.contentsOfDirectory(atPath: cache.path)
                .filter { $0.hasSuffix(".safetensors") }
            let before = try names.map { try Data(contentsOf: cache.appendingPathComponent($0)) }
            for (name, data) in zip(names, before) {
                try data.prefix(data.count - 7).write(to: cache.appendingPathComponent(name))
                let found = message(run.check)
                #expect(found.contains(name) && found.contains("run `framepack train cache`"))
                #expect(try run.fillCache().harmed == 1)
                try run.check()
            }
            for name in names { try Data().write(to: cache.appendingPathComponent(name)) }
            let summary = try run.fillCache()
            #expect(summary.made == names.count && summary.harmed == names.count)
            #expect(summary.found == 0)
            let after = try names.map { try Data(contentsOf: cache.appendingPathComponent($0)) }
            #expect(after == before)
        }
    }

    /// The samples' list lies in another folder than the dataset's; the caption is the same.
    @Test func whatSeveralListsNeedIsEncodedOnce() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            let run = try tiny.run(Self.sample)
            var seen: [String] = []
            let summary = try run.fillCache { progress in
                seen.append("\(progress.stage) \(progress.name)")
                #expect(progress.done <= progress.total)
            }
            #expect(Set(seen).count == seen.count, "\(seen)")
            #expect(seen.count == summary.made)
            #expect(seen.filter { $0.hasPrefix("text") }.count == 3)
            try run.check()
            // What one folder lacks comes from the other, without an encoder.
            let cache = folder.appendingPathComponent("cache")
            for name in try FileManager.default.contentsOfDirectory(atPath: cache.path)
            where name.hasPrefix("text") {
                try FileManager.default.removeItem(at: cache.appendingPathComponent(name))
            }
            #expect(try run.fillCache().made == 3)
            try run.check()
        }
    }

    @Test func whatAStateIsMadeOfCannotChange() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            let run = try tiny.run("method = { rank = 4 }")
            _ = try run.fillCache()
            try run.writeConfiguration()
            let other = try tiny.run("method = { rank = 8 }\noptimizer = { learning_rate = 1e-3 }")
            // There is no state yet that would not fit.
            try other.check()
            try FileManager.default.createDirectory(
                at: run.stateFolder, withIntermediateDirectories: true)
            try Data().write(to: run.stateFolder.appendingPathComponent("state.safetensors"))
            let found = message(other.check)
            #expect(found.hasPrefix("method.rank was 4 when"), "\(found)")
            #expect(found.contains("set it back, or name another folder as output"))
            #expect(
                message(try tiny.run("method = { rank = 4, targets = [\"to_q\"] }").check)
                    .contains("method.targets[1] was not set"))
            try run.check()
        }
    }
}
