import Checkpoints
import Foundation
import Media
import TestSupport
import Testing
import Torch

/// Bad input is one clear line and a status that is not zero, without a usage text.
@Suite struct BadInputTests {
    /// What is wrong, the options it takes, and what the line must say.
    struct Case: CustomStringConvertible, Sendable {
        let description: String
        let options: [String]
        let says: [String]

        init(_ description: String, _ options: [String], says: String...) {
            (self.description, self.options, self.says) = (description, options, says)
        }
    }

    /// `FOLDER` stands for a folder with the files of `prepare`.
    static let cases = [
        Case("text as picture", ["--image", "FOLDER/text.png"], says: "text.png"),
        Case("no such picture", ["--image", "FOLDER/absent.png"], says: "absent.png"),
        Case("1-pixel picture", ["--image", "FOLDER/one.png"], says: "1 x 1", "16"),
        Case("huge picture", ["--image", "FOLDER/huge.png"], says: "20000"),
        Case("truncated picture", ["--image", "FOLDER/half.png"], says: "half.png"),
        Case("folder as picture", ["--image", "FOLDER"], says: "FOLDER"),
        Case("empty prompt", ["--prompt", ""], says: "prompt"),
        Case("blank prompt", ["--prompt", "   "], says: "prompt"),
        Case(
            "10,000 words", ["--prompt", String(repeating: "word ", count: 10_000)],
            says: "10000", "1000"),
        Case("control character", ["--prompt", "a girl\u{1B}[31m"], says: "--prompt", "U+1B"),
        Case("bytes that are no text", ["--prompt", "a girl \u{FFFD}"], says: "UTF-8"),
        Case("0 seconds", ["--seconds", "0"], says: "seconds is 0"),
        Case("-1 seconds", ["--seconds", "-1"], says: "seconds is -1"),
        Case("a billion seconds", ["--seconds", "1e9"], says: "seconds is 1000000000"),
        Case("seconds that are no number", ["--seconds", "nan"], says: "seconds is nan"),
        Case("0 frames", ["--frames", "0"], says: "frames is 0"),
        Case("-5 frames", ["--frames", "-5"], says: "frames is -5"),
        Case("frames and seconds", ["--frames", "5", "--seconds", "1"], says: "frames", "seconds"),
        Case("-1 steps", ["--steps", "-1"], says: "steps is -1"),
        Case("-1 guidance", ["--guidance", "-1"], says: "guidance is -1"),
        Case("rescaling of 3", ["--guidance-rescale", "3"], says: "--guidance-rescale is 3"),
        Case(
            "a refresh of 0", ["--context-refresh", "0"], says: "--context-refresh is 0", "1 to 100"
        ),
        Case("-1 seed", ["--seed", "-1"], says: "seed is -1"),
        Case("crf 99", ["--crf", "99"], says: "crf is 99"),
        Case("odd width", ["--width", "650", "--height", "640"], says: "width is 650", "656"),
        Case("odd height", ["--width", "640", "--height", "-16"], says: "height is -16"),
        Case("one side", ["--width", "640"], says: "height"),
        Case("model without a part", ["--model", "FOLDER/partial"], says: "vae"),
        Case("no model", ["--model", "FOLDER/absent"], says: "absent"),
        Case("VAE of other ratios", ["--model", "FOLDER/short"], says: "temporal", "is 2", "be 4"),
        Case("lying header", ["--model", "FOLDER/lying"], says: "safetensors"),
        Case("output in no folder", ["--output", "FOLDER/absent/x.mp4"], says: "absent"),
        Case("output below a file", ["--output", "FOLDER/text.png/x.mp4"], says: "text.png"),
        Case("output that is a folder", ["--output", "FOLDER/taken.mp4"], says: "taken.mp4"),
        Case("output of no kind", ["--output", "FOLDER/x.avi"], says: ".mp4"),
        Case("end picture in f1", ["--end-image", "FOLDER/good.png", "--order", "f1"], says: "f1"),
        Case(
            "long name", ["--output", "FOLDER/" + String(repeating: "a", count: 240) + ".mp4"],
            says: "244 bytes"),
        Case(
            "preview over the picture",
            ["--image", "FOLDER/good.png", "--preview", "FOLDER/good.png"], says: "--preview"),
        Case("preview of another kind", ["--preview", "FOLDER/text.txt"], says: ".png"),
        Case("a timeline of no times", ["--prompt-at", "-1:she bows"], says: "-1"),
        Case("like a text", ["--like", "FOLDER/text.png"], says: "text.png"),
        Case("no device", ["--device", "cuda:99"], says: "cuda:99"),
    ]

    @Test(arguments: cases) func generateRefuses(_ one: Case) throws {
        try withTemporaryFolder { folder in
            try prepare(folder)
            var options = [
                "--prompt": "a girl dances", "--model": model.path, "--frames": "5",
                "--width": "32", "--height": "32", "--steps": "1", "--output": "FOLDER/x.mp4",
            ]
            let given = one.options.filter { $0.hasPrefix("--") }
            if given.contains("--seconds") { options["--frames"] = nil }
            if given.contains("--width") { (options["--width"], options["--height"]) = (nil, nil) }
            for name in given { options[name] = nil }
            let words = options.flatMap { [$0.key, $0.value] } + one.options
            let run = try Program.run(
                ["generate"] + words.map { $0.replacing("FOLDER", with: folder.path) })
            expectOneLine(run, says: one.says.map { $0.replacing("FOLDER", with: folder.path) })
            #expect(!FileManager.default.fileExists(atPath: folder.path + "/x.mp4"))
        }
    }

    @Test(arguments: cases.filter { $0.description.contains("seconds") })
    func planRefuses(_ one: Case) throws {
        expectOneLine(try Program.run(["plan"] + one.options), says: one.says)
    }

    private var model: URL { Fixtures.url("goldens/pipeline/model") }

    private func expectOneLine(_ run: Program.Run, says: [String]) {
        #expect(run.status != 0 && run.status < 126, "status \(run.status): \(run.errors)")
        #expect(run.errorLines.count == 1, "\(run.errors)")
        #expect(run.errors.hasPrefix("error: "), "\(run.errors)")
        #expect(!run.errors.lowercased().contains("usage:"), "\(run.errors)")
        for part in says { #expect(run.errors.contains(part), "\(part) in \(run.errors)") }
    }

    private func prepare(_ folder: URL) throws {
        func file(_ name: String) -> URL { folder.appendingPathComponent(name) }
        try Data("not a picture".utf8).write(to: file("text.png"))
        try Picture(width: 1, height: 1, red: 1, green: 2, blue: 3).writePNG(to: file("one.png"))
        let good = try Picture(width: 64, height: 64, red: 9, green: 99, blue: 200).pngData()
        try good.write(to: file("good.png"))
        try good.prefix(good.count / 2).write(to: file("half.png"))
        try hugePNG.write(to: file("huge.png"))
        let files = FileManager.default
        try files.createDirectory(at: file("taken.mp4"), withIntermediateDirectories: false)
        for (name, left) in [("partial", "vae"), ("lying", "transformer"), ("short", "vae")] {
            try files.createDirectory(at: file(name), withIntermediateDirectories: false)
            for part in try files.contentsOfDirectory(atPath: model.path) where part != left {
                try files.createSymbolicLink(
                    at: file("\(name)/\(part)"),
                    withDestinationURL: model.appendingPathComponent(part))
            }
        }
        try files.copyItem(
            at: model.appendingPathComponent("transformer"), to: file("lying/transformer"))
        try files.copyItem(at: model.appendingPathComponent("vae"), to: file("short/vae"))
        let config = file("short/vae/config.json")
        let settings = try String(contentsOf: config, encoding: .utf8)
        let ratio = "\"temporal_compression_ratio\": "
        #expect(settings.contains("\(ratio)4"))
        try Data(settings.replacing("\(ratio)4", with: "\(ratio)2").utf8).write(to: config)
        let weights = file("lying/transformer/diffusion_pytorch_model.safetensors")
        var bytes = try Data(contentsOf: weights)
        bytes.replaceSubrange(0..<8, with: [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F])
        try bytes.write(to: weights)
    }

    /// A PNG file whose header says 20,000 by 20,000 pixels.
    private var hugePNG: Data {
        var header = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13])
        let body = Data("IHDR".utf8) + Data([0, 0, 0x4E, 0x20, 0, 0, 0x4E, 0x20, 8, 2, 0, 0, 0])
        header += body
        var sum: UInt32 = 0xFFFF_FFFF
        for byte in body {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = (sum >> 1) ^ (sum & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
        sum = ~sum
        let data = Data([0, 0, 0, 0]) + Data("IDAT".utf8) + Data([0x35, 0xAF, 0x06, 0x1E])
        let end = Data([0, 0, 0, 0]) + Data("IEND".utf8) + Data([0xAE, 0x42, 0x60, 0x82])
        return header + withUnsafeBytes(of: sum.bigEndian) { Data($0) } + data + end
    }
}
