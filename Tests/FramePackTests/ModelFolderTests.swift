import Foundation
import FramePack
import Media
import Models
import TestSupport
import Testing
import Torch

@Suite struct ModelFolderTests {
    private let source = Fixtures.url("goldens/pipeline/model")

    /// A folder of links to the tiny model's parts, without some of them.
    private func copy(to folder: URL, without: [String] = []) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in try FileManager.default.contentsOfDirectory(atPath: source.path)
        where !without.contains(name) {
            try FileManager.default.createSymbolicLink(
                at: folder.appendingPathComponent(name),
                withDestinationURL: source.appendingPathComponent(name))
        }
    }

    @Test func wholeFolderHasEveryPart() throws {
        let model = try tinyModel()
        try model.requireAll()
        #expect(model.name == "model")
        #expect(model.settings == ModelSettings())
        let size = try #require(model.size)
        #expect(size.transformer.hiddenSize == 32)
        #expect(size.visionTokens == 9)
    }

    @Test(arguments: ModelPart.allCases) func missingPartIsNamed(part: ModelPart) throws {
        try withTemporaryFolder { folder in
            try copy(to: folder, without: [part.rawValue])
            let model = try ModelFolder(folder)
            #expect { try model.requireAll() } throws: {
                "\($0)".contains("lacks its \(part.rawValue)") && "\($0)".contains("put that part")
            }
        }
    }

    @Test func fileNamesPartsRelativeToItself() throws {
        try withTemporaryFolder { folder in
            try FileManager.default.createSymbolicLink(
                at: folder.appendingPathComponent("parts"), withDestinationURL: source)
            var paths = Dictionary(
                uniqueKeysWithValues: ModelPart.allCases.map {
                    ($0.rawValue, "parts/\($0.rawValue)")
                })
            let file = folder.appendingPathComponent("small.json")
            try JSONEncoder().encode(paths).write(to: file)
            let model = try ModelFolder(file)
            try model.requireAll()
            #expect(model.name == "small")
            #expect(try model.fingerprint() == tinyModel().fingerprint())

            paths["vae"] = nil
            try JSONEncoder().encode(paths).write(to: file)
            let incomplete = try ModelFolder(file)
            #expect { try incomplete.requireAll() } throws: {
                "\($0)".contains("names no folder for vae")
            }
            paths["transformr"] = "x"
            try JSONEncoder().encode(paths).write(to: file)
            #expect { try ModelFolder(file) } throws: {
                "\($0)".contains("transformr") && "\($0)".contains("transformer")
            }
        }
    }

    @Test func placesWithoutAModelAreErrors() throws {
        try withTemporaryFolder { folder in
            #expect(throws: FramePackError.self) {
                try ModelFolder(folder.appendingPathComponent("none"))
            }
            #expect { try ModelFolder(folder) } throws: { "\($0)".contains("model_index.json") }
            #expect {
                try ModelFolder(Fixtures.url("goldens/pipeline/model/transformer"))
            } throws: {
                "\($0)".contains("one part of a model")
            }
        }
    }

    @Test(arguments: [
        ("{", "cannot be used: the file is not valid JSON; correct or remove it."),
        (String(repeating: "[", count: 1_000), "the file is not valid JSON; correct"),
        ("{\"steps\": 1.5}", "cannot be used: a number in it is too large, or is no whole one"),
        ("{\"steps\": \"x\"}", "cannot be used: \"steps\" should be a Int; correct or remove it."),
    ])
    func settingsThatCannotBeReadAreSaidInOneSentence(_ text: String, part: String) throws {
        try withTemporaryFolder { folder in
            try copy(to: folder)
            try Data(text.utf8).write(to: folder.appendingPathComponent("framepack.json"))
            #expect {
                try ModelFolder(folder)
            } throws: {
                "\($0)".contains(part) && "\($0)".hasSuffix(".") && !"\($0)".hasSuffix("..")
            }
        }
    }

    @Test func settingsAreReadAndChecked() throws {
        try withTemporaryFolder { folder in
            try copy(to: folder)
            let file = folder.appendingPathComponent("framepack.json")
            try Data(
                """
                {"order": "f1", "steps": 12, "guidance": 2.5, "resolution": 128, "promptCrop": 7,
                 "world": {"description": "shapes", "words": ["a", "red", "ball", "rolls"],
                 "advice": "See the README."}}
                """.utf8
            ).write(to: file)
            let model = try ModelFolder(folder)
            #expect(model.defaultOrder == .f1)
            let request = model.settings.request(prompt: "a red ball")
            #expect(request.steps == 12)
            #expect(request.guidance == 2.5)
            #expect(model.settings.warning(prompt: "A red ball rolls.") == nil)
            #expect(
                model.settings.warning(prompt: "A dragon breathes fire")
                    == "This small model does not know \"dragon\", \"breathes\", \"fire\"; it knows "
                    + "only shapes. See the README.")
            #expect(
                model.settings.warning(prompt: "the red dog rolls")?.contains("\"dog\"") == true)
            #expect(try model.fingerprint() != tinyModel().fingerprint())

            try Data("{\"promptcrop\": 7}".utf8).write(to: file)
            #expect { try ModelFolder(folder) } throws: { "\($0)".contains("promptCrop") }
            try Data("{\"steps\": 0}".utf8).write(to: file)
            #expect { try ModelFolder(folder) } throws: { "\($0)".contains("steps is 0") }
        }
    }

    @Test func environmentNamesAModelOrAFolderOfModels() throws {
        try withTemporaryFolder { folder in
            try copy(to: folder.appendingPathComponent("b"))
            let name = ModelFolder.environmentName
            let one = try ModelFolder.locate(
                nil, environment: [name: folder.appendingPathComponent("b").path], executable: nil)
            let many = try ModelFolder.locate(
                nil, environment: [name: folder.path], executable: nil)
            #expect(one.name == "b")
            #expect(many.name == "b")
            #expect { try ModelFolder.locate(nil, environment: [:], executable: nil) } throws: {
                "\($0)".contains(name)
            }
        }
    }

    @Test func modelShipsAboveTheExecutable() throws {
        try withTemporaryFolder { folder in
            try copy(to: folder.appendingPathComponent("Models/small"))
            let build = folder.appendingPathComponent(".build/release")
            try FileManager.default.createDirectory(at: build, withIntermediateDirectories: true)
            let model = try ModelFolder.locate(
                nil, environment: [:], executable: build.appendingPathComponent("framepack"))
            #expect(model.name == "small")
        }
    }

    @Test func previewIsALinearMap() throws {
        let latents = try Tensor.zeros([1, 16, 2, 3, 4])
        let strip = try LatentPreview().strip(latents)
        #expect((strip.width, strip.height) == (8, 3))
        #expect(strip[0, 0] == (7, 0, 0))
        let bright = LatentPreview(
            .init(weights: (0..<16).map { [$0 == 0 ? 1 : 0, 0, 0] }, bias: [0, 0.5, 0]))
        let frame = try bright.frame(latents + 0.2, 1)
        #expect(frame[3, 2] == (51, 128, 0))
    }

    /// Whatever name the documentation gives, it runs on the model that everybody has.
    @Test func theSmallModelHasTheKernelsOfEveryNameThatIsDocumented() throws {
        let checkout = URL(filePath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../..").standardizedFileURL
        let model = try ModelFolder(checkout.appendingPathComponent("Models/small"))
        var names: Set<String> = []
        for page in ["docs/packing.md", "docs/paper-map.md"] {
            let text = try String(
                contentsOf: checkout.appendingPathComponent(page), encoding: .utf8)
            for match in text.matches(of: /`((?:[a-z0-9]+_)*g[0-9]+(?:_[a-z0-9]+)*(?:\+D)?)`/) {
                names.insert(String(match.1))
            }
        }
        #expect(names.count >= 10, "\(names.sorted())")
        for name in names { try model.check(Packing(name: name)) }
    }

    @Test func precisionFollowsDeviceAndRequest() {
        let stored = Precision(nil, stored: .float16, device: .cpu, parity: false)
        #expect(
            [stored.transformer, stored.encoders, stored.vae] == [.float32, .float32, .float32])
        #expect(stored.decoding == (Kernels.fused.multiplyHalves ? .bfloat16 : .float32))
        let plain = Kernels.$current.withValue(.plain) {
            Precision(nil, stored: .float16, device: .cpu, parity: false)
        }
        #expect(plain == .uniform(.float32))
        #expect(
            Precision(nil, stored: .float16, device: .cpu, parity: false, kernels: .plain) == plain)
        // A run with the reference's roundings has plain kernels.
        #expect(Precision(nil, stored: .float16, device: .cpu, parity: true) == plain)
        let released = Precision(nil, stored: .bfloat16, device: .cuda(), parity: true)
        #expect(released.transformer == .bfloat16)
        #expect(released.vae == .float16 && released.decoding == .float16)
        #expect(released.roundsConditions)
        let exact = Precision(.f32, stored: .bfloat16, device: .cuda(), parity: true)
        #expect(exact == .uniform(.float32))
    }
}
