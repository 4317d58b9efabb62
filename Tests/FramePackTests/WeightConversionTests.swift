import Checkpoints
import Foundation
import FramePack
import Media
import TestSupport
import Testing
import Torch

/// Weights in few bits, from the files to the frames of the model that ships.
@Suite struct WeightConversionTests {
    private static let small = Fixtures.folder.appendingPathComponent("../../Models/small")
        .standardizedFileURL

    /// Frames of a short video, with what its weights are held in.
    private func frames(_ model: URL, _ weights: WeightFormatChoice = .stored) throws -> [UInt8] {
        var request = GenerationRequest(prompt: "a red circle moves slowly to the right")
        (request.steps, request.frames, request.seed, request.order) = (3, 5, 5, .f1)
        let generator = try FrameGenerator(ModelFolder(model), weightFormat: weights)
        let picture = Picture(width: 64, height: 64, red: 200, green: 30, blue: 90)
        return try generator.frames(request, from: picture).flatMap(\.pixels)
    }

    private func psnr(_ a: [UInt8], _ b: [UInt8]) -> Double {
        let sum = zip(a, b).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
        return 10 * log10(255 * 255 * Double(a.count) / sum)
    }

    @Test(
        "Every format's file makes the video that rounding while reading makes, near the exact one")
    func formats() throws {
        try withTemporaryFolder { folder in
            let exact = try frames(Self.small)
            for (choice, bound) in [
                (WeightFormatChoice.fp8, 38), (.fp8Block, 38), (.int8, 40), (.int4, 28),
                (.q8_0, 42), (.q6_k, 38), (.q4_k, 28),
            ] as [(WeightFormatChoice, Double)] {
                let place = folder.appendingPathComponent(choice.rawValue)
                let format = try #require(ConversionFormat(rawValue: choice.rawValue))
                let reports = try WeightConversion.writeModel(
                    Self.small, converting: [.transformer], format, to: place)
                #expect(reports.count == 1 && reports[0].roundedTensors == 44)
                let found = try frames(place)
                let rounded = try frames(Self.small, choice)
                #expect(found == rounded, "\(choice)")
                let distance = psnr(found, exact)
                print("    \(choice.rawValue): \(distance) dB")
                #expect(distance > bound, "\(choice)")
                #expect(found != exact)
                let report = try CheckpointInspection.reports(
                    place.appendingPathComponent("transformer"))[0]
                #expect(report.isComplete, "\(report.text)")
            }
        }
    }

    @Test("Plans count the bits of the weights")
    func plans() throws {
        func bytes(_ model: URL, _ weights: WeightFormatChoice = .stored) throws -> Int {
            var request = GenerationRequest(prompt: "a red circle moves")
            (request.resolution, request.weightFormat) = (64, weights)
            let planned = try PlannedGeneration(request, model: ModelFolder(model))
            return try #require(planned.report(on: .cpu).memory).transformerParameters
        }
        let (exact, four) = (try bytes(Self.small), try bytes(Self.small, .int4))
        // Of 10.8 million parameters 5.2 million lie in the blocks' linear layers.
        #expect(four < exact - 7_000_000 && four > exact / 2)
        try withTemporaryFolder { folder in
            let place = folder.appendingPathComponent("int4")
            let report = try WeightConversion.writeModel(
                Self.small, converting: [.transformer], .int4, to: place)[0]
            let stored = try bytes(place)
            #expect(stored < report.bytesAfter && stored > report.bytesAfter - 40_000)
        }
    }

    @Test("bfloat16 in GGUF and back is the same weights")
    func thereAndBack() throws {
        try withTemporaryFolder { folder in
            let transformer = Self.small.appendingPathComponent("transformer")
            let (there, back) = (
                folder.appendingPathComponent("there"), folder.appendingPathComponent("back")
            )
            _ = try WeightConversion(transformer).write(.ggufBF16, to: there)
            let report = try WeightConversion(there).write(.bf16, to: back)
            #expect(report.signalToNoise == nil && report.roundedTensors == 0)
            let (old, new) = (try CheckpointFolder(transformer), try CheckpointFolder(back))
            #expect(Set(old.entries.keys) == Set(new.entries.keys))
            for name in old.entries.keys {
                let (a, b) = (
                    try #require(old.file(of: name)).tensor(name),
                    try #require(new.file(of: name)).tensor(name)
                )
                #expect(a.shape == b.shape, "\(name)")
                #expect(try a.to(.float32).array(Float.self) == b.to(.float32).array(), "\(name)")
            }
            #expect {
                try WeightConversion(transformer).write(.int8, to: back)
            } throws: { "\($0)".contains("is there already") }
            #expect {
                try WeightConversion(Self.small.appendingPathComponent("vae"))
            } throws: { "\($0)".contains("transformers and Llama text encoders") }
        }
    }

    @Test("A converted model has the codebook, the order and the text encoder of the old one")
    func companions() throws {
        try withTemporaryFolder { folder in
            let place = folder.appendingPathComponent("whole")
            let reports = try WeightConversion.writeModel(
                Self.small, converting: [.transformer, .textEncoder], .fp8, to: place, copies: true)
            #expect(reports.count == 2 && reports[1].roundedTensors > 0)
            let codebook = place.appendingPathComponent("transformer/history_codebook.safetensors")
            #expect(FileManager.default.fileExists(atPath: codebook.path))
            #expect(try ModelFolder(place).defaultOrder == ModelFolder(Self.small).defaultOrder)
            // The text encoder's upper layers are rounded, and not read.
            #expect(try frames(place).count == frames(Self.small).count)
            let inside = place.appendingPathComponent("vae/new")
            #expect {
                try WeightConversion.writeModel(
                    place, converting: [.transformer], .int8, to: inside)
            } throws: { "\($0)".contains("lies in the model itself") }
        }
    }

    @Test("A cancelled conversion leaves nothing")
    func cancelled() throws {
        struct Stop: Error {}
        try withTemporaryFolder { folder in
            let place = folder.appendingPathComponent("new")
            #expect(throws: Stop.self) {
                try WeightConversion(Self.small.appendingPathComponent("transformer"))
                    .write(.int4, to: place) { number, _ in if number == 60 { throw Stop() } }
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(left.isEmpty)
        }
    }
}
