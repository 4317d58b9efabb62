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
        abstract: "Measure videos; or a small model on prompts that it never saw.",
        usage: """
            framepack eval <path> [<options for videos>]
            framepack eval [<options for the small model>]
            """,
        discussion: """
            With a path: sharpness, flicker, motion, colours and their drift, for the whole video \
            and each section, and what predictors find; docs/metrics.md says what each is.

            Without one: videos of the small model, by the ground truth of its world. Interrupted, \
            it goes on where it was. Steps, guidance and cfg take several values, a row for each \
            combination.
            """)

    @Argument(help: "A video, a folder of videos, or a folder of frames.")
    var path: String?
    @Option(help: "Write the figures to this JSON file.")
    var json: String?
    @Option(help: "Write curves and frames to this PNG file.")
    var picture: String?
    @Option(help: "Where to compute: auto, cpu, cuda or cuda:N.")
    var device = DeviceOption.best
    @Option(parsing: .unconditional, help: "Threads; 0 leaves it to libtorch.")
    var threads = 0
    @OptionGroup(title: "For videos") var videos: VideoEvaluationOptions
    @OptionGroup(title: "For the small model") var world: WorldEvaluationOptions

    func validate() throws {
        try checkOption("threads", threads, 0...4096)
        if path == nil, let name = videos.used {
            throw ValidationError("--\(name) is for videos; name one, or a folder of them")
        }
        if path != nil, let name = world.used {
            throw ValidationError("--\(name) is for the small model; leave it out or the path")
        }
    }

    func run() throws {
        let others = [path, videos.reference].compactMap { $0 }
        try json.map { try OutputFile("json", $0, ending: "json").check(not: others) }
        try picture.map { try OutputFile("picture", $0, ending: "png").check(not: others) }
        if threads > 0 { TorchLibrary.setThreadCount(threads) }
        TorchLibrary.flushDenormals(true)
        if let path {
            try measure(URL(fileURLWithPath: path))
        } else {
            try measureSmallModel()
        }
    }

    private func measure(_ url: URL) throws {
        let predictors = try videos.predictors.map {
            try Predictors(URL(fileURLWithPath: $0), device: device.resolved())
        }
        let report = try VideoEvaluation(videos.options(), predictors: predictors)
            .run(url) { name, seconds in tell(String(format: "%@: %.1f s", name, seconds)) }
        print(report.text)
        if let json { try writeJSON(report, to: URL(fileURLWithPath: json)) }
        if let picture { try report.picture().writePNG(to: URL(fileURLWithPath: picture)) }
        guard report.broken.isEmpty else {
            let count = report.broken.count + report.videos.count
            throw CommandError.failure(
                "\(report.broken.count) of \(count) videos could not be measured: "
                    + report.broken.map(\.file).joined(separator: ", "))
        }
    }

    private func measureSmallModel() throws {
        let evaluation = try Evaluation(
            ModelFolder.locate(world.model), options: world.options(), cache: world.cacheFolder(),
            device: device.resolved())
        let report = try evaluation.run { progress in
            guard !progress.isKept else { return }
            tell(
                String(
                    format: "%@: %d/%d, %.1f s", progress.row, progress.video, progress.count,
                    progress.seconds))
        }
        print(report.text)
        if let json { try writeJSON(report, to: URL(fileURLWithPath: json)) }
        if let picture { try report.picture().writePNG(to: URL(fileURLWithPath: picture)) }
    }

    private func tell(_ line: String) {
        FileHandle.standardError.write(Data("\(line)\n".utf8))
    }
}

/// What is measured of videos.
struct VideoEvaluationOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: "Frames of a section; by default what a video's request says, or 36.")
    var sectionFrames: Int?
    @Option(help: "Folder with weights of MUSIQ, RAFT, or CLIP and LAION's head.")
    var predictors: String?
    @Option(parsing: .unconditional, help: "Frames a second that predictors look at (default: 8).")
    var predictorRate: Double?
    @Option(help: "A video to compare with, frame by frame: PSNR and SSIM.")
    var reference: String?
    @Flag(help: "Leave out the optical flow, which takes most of the time.")
    var noMotion = false

    func validate() throws {
        if let sectionFrames { try checkOption("section-frames", sectionFrames, 1...1_000_000) }
        if let predictorRate { try checkOption("predictor-rate", predictorRate, 0.01...1000) }
    }

    /// The name of an option that was given; nil if none was.
    var used: String? {
        let given: [(String, Bool)] = [
            ("section-frames", sectionFrames != nil), ("predictors", predictors != nil),
            ("predictor-rate", predictorRate != nil), ("reference", reference != nil),
            ("no-motion", noMotion),
        ]
        return given.first { $0.1 }?.0
    }

    func options() -> VideoEvaluation.Options {
        var options = VideoEvaluation.Options()
        options.sectionFrames = sectionFrames
        options.reference = reference.map { URL(fileURLWithPath: $0) }
        options.predictorRate = predictorRate ?? options.predictorRate
        options.measuresMotion = !noMotion
        return options
    }
}

/// What is measured of the small model.
struct WorldEvaluationOptions: ParsableArguments {
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
    @Option(parsing: .unconditional, help: "Videos of each row in the picture.")
    var shown = 4
    @Option(help: "Folder that keeps what was measured; one of the user's caches by default.")
    var cache: String?

    func validate() throws {
        try checkOption("count", count, 1...100_000)
        if let baselineCount { try checkOption("baseline-count", baselineCount, 1...100_000) }
        try checkOption("shown", shown, 0...1000)
    }

    /// The name of an option that is not as it is by default; nil if all are.
    var used: String? {
        let usual = EvaluationOptions()
        let given: [(String, Bool)] = [
            ("model", model != nil), ("count", count != usual.count),
            ("baseline-count", baselineCount != nil), ("seconds", seconds != usual.seconds),
            ("seed", seed != usual.seed), ("world", world != usual.world),
            ("orders", orders != "f1,inverted"), ("packings", !packings.isEmpty),
            ("steps", !steps.isEmpty),
            ("guidance", !guidance.isEmpty), ("cfg", !cfg.isEmpty),
            ("sampler", sampler != usual.sampler), ("shift", shift != nil),
            ("decode", decode != usual.decode), ("text-starts", textStarts),
            ("no-baselines", noBaselines), ("shown", shown != 4), ("cache", cache != nil),
        ]
        return given.first { $0.1 }?.0
    }

    func options() throws -> EvaluationOptions {
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

    func cacheFolder() -> URL {
        if let cache { return URL(fileURLWithPath: cache) }
        let caches =
            FileManager.default.urls(for: .cachesDirectory, in: .userDomainMask).first
            ?? FileManager.default.temporaryDirectory
        return caches.appendingPathComponent("framepack/evaluation")
    }
}

extension EvaluationWorld: ExpressibleByArgument {}
