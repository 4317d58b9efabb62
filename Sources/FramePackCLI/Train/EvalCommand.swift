public import ArgumentParser
import Foundation
import FramePack
public import FramePackTraining
import Media
import Torch

/// `framepack eval`.
struct EvalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Measure a small model on prompts that its training never saw.",
        discussion: """
            Interrupted, it goes on where it was: what was measured of each video is kept. Steps, \
            guidance and cfg take several values, a row for each combination.
            """)

    @Option(help: "The model's folder; the one that ships by default.")
    var model: String?
    @Option(parsing: .unconditional, help: "Videos in each row.")
    var count = 24
    @Option(
        parsing: .unconditional,
        help: "Rendered videos and round trips in their rows; as many as in the others by default.")
    var baselineCount: Int?
    @Option(parsing: .unconditional, help: "Length of each video, in seconds.")
    var seconds = 5.0
    @Option(parsing: .unconditional, help: "Seed of scenes and noise.")
    var seed: UInt64 = 1
    @Option(help: "Scenes: one plain object, or everything that the world knows.")
    var world = EvaluationWorld.simple
    @Option(help: "Orders, with commas: f1, inverted, vanilla, anti-drifting, planned.")
    var orders = "f1,inverted"
    @Option(
        help: "Packings, with commas, a row each in the order of its name, instead of --orders.")
    var packings = ""
    @Option(help: "Steps of a section, with commas; the model's own by default.")
    var steps = ""
    @Option(help: "Distilled guidance, with commas; the model's own by default.")
    var guidance = ""
    @Option(help: "True guidance, with commas; the model's own by default.")
    var cfg = ""
    @Option(help: "The sampler.")
    var sampler = SamplerChoice.unipc
    @Option(
        parsing: .unconditional, help: "Shift of the noise levels; by the official rule by default."
    )
    var shift: Double?
    @Option(help: "How latents become frames.")
    var decode = DecodeChoice.windows
    @Flag(help: "Measure videos from the text alone, without a start picture, too.")
    var textStarts = false
    @Flag(help: "Leave out the rows of rendered videos and VAE round trips.")
    var noBaselines = false
    @Option(help: "Write the figures to this JSON file; RUN/eval*.json go into an export.")
    var json: String?
    @Option(help: "Write strips of frames and a plot to this PNG file.")
    var picture: String?
    @Option(parsing: .unconditional, help: "Videos of each row in the picture.")
    var shown = 4
    @Option(help: "Folder that keeps what was measured; one of the user's caches by default.")
    var cache: String?
    @Option(help: "Where to compute: auto, cpu, cuda or cuda:N.")
    var device = DeviceOption.best
    @Option(parsing: .unconditional, help: "Threads; 0 leaves it to libtorch.")
    var threads = 0

    func validate() throws {
        try checkOption("count", count, 1...100_000)
        if let baselineCount { try checkOption("baseline-count", baselineCount, 1...100_000) }
        try checkOption("threads", threads, 0...4096)
        try checkOption("shown", shown, 0...1000)
    }

    func run() throws {
        if threads > 0 { TorchLibrary.setThreadCount(threads) }
        TorchLibrary.flushDenormals(true)
        let evaluation = try Evaluation(
            ModelFolder.locate(model), options: options(), cache: cacheFolder(),
            device: device.resolved())
        let report = try evaluation.run { progress in
            guard !progress.isKept else { return }
            let line = String(
                format: "%@: %d/%d, %.1f s\n", progress.row, progress.video, progress.count,
                progress.seconds)
            FileHandle.standardError.write(Data(line.utf8))
        }
        print(report.text)
        if let json { try writeJSON(report, to: URL(fileURLWithPath: json)) }
        if let picture { try report.picture().writePNG(to: URL(fileURLWithPath: picture)) }
    }

    private func options() throws -> EvaluationOptions {
        var options = EvaluationOptions()
        (options.count, options.seconds, options.seed) = (count, seconds, seed)
        (options.baselineCount, options.hasTextStarts) = (baselineCount, textStarts)
        (options.shift, options.shown, options.hasBaselines) = (shift, shown, !noBaselines)
        (options.world, options.sampler, options.decode) = (world, sampler, decode)
        options.orders = try list(orders).map {
            try value("orders", $0, SamplingOrder.init(rawValue:))
        }
        options.packings = try list(packings).map { try Packing(name: $0) }
        options.steps = try list(steps).map { try value("steps", $0, Int.init) }
        options.guidance = try list(guidance).map { try value("guidance", $0, Double.init) }
        options.cfg = try list(cfg).map { try value("cfg", $0, Double.init) }
        return options
    }

    private func list(_ text: String) -> [String] {
        text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    private func value<Value>(_ name: String, _ text: String, _ read: (String) -> Value?) throws
        -> Value
    {
        if let value = read(text) { return value }
        throw ValidationError(
            "\(name) has \"\(text)\"; it must be values with commas between, see --help")
    }

    private func cacheFolder() -> URL {
        if let cache { return URL(fileURLWithPath: cache) }
        let caches =
            FileManager.default.urls(for: .cachesDirectory, in: .userDomainMask).first
            ?? FileManager.default.temporaryDirectory
        return caches.appendingPathComponent("framepack/evaluation")
    }
}

extension EvaluationWorld: ExpressibleByArgument {}
