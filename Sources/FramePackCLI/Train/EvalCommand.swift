import ArgumentParser
import Foundation
import FramePack
import FramePackTraining
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
    @Option(help: "Videos in each row.")
    var count = 24
    @Option(help: "Length of each video, in seconds.")
    var seconds = 5.0
    @Option(help: "Seed of scenes and noise.")
    var seed: UInt64 = 1
    @Option(help: "Scenes: simple or full.")
    var world = "simple"
    @Option(help: "Orders, with commas: f1, inverted.")
    var orders = "f1,inverted"
    @Option(help: "Steps of a section, with commas; the model's own by default.")
    var steps = ""
    @Option(help: "Distilled guidance, with commas; the model's own by default.")
    var guidance = ""
    @Option(help: "True guidance, with commas; the model's own by default.")
    var cfg = ""
    @Option(help: "The sampler: unipc, unipc-bh2 or euler.")
    var sampler = "unipc"
    @Option(help: "Shift of the noise levels; by the official rule by default.")
    var shift: Double?
    @Option(help: "How latents become frames: windows or streaming.")
    var decode = "windows"
    @Flag(help: "Leave out the rows of rendered videos and VAE round trips.")
    var noBaselines = false
    @Option(help: "Write the figures to this JSON file; RUN/eval.json goes into an export.")
    var json: String?
    @Option(help: "Write strips of frames and a plot to this PNG file.")
    var picture: String?
    @Option(help: "Videos of each row in the picture.")
    var shown = 4
    @Option(help: "Folder that keeps what was measured; one of the user's caches by default.")
    var cache: String?
    @Option(help: "Device: cpu, cuda or cuda:N.")
    var device = "cpu"
    @Option(help: "Threads; 0 leaves it to libtorch.")
    var threads = 0

    func run() throws {
        if threads > 0 { TorchLibrary.setThreadCount(threads) }
        TorchLibrary.flushDenormals(true)
        guard let device = Device(device) else {
            throw ValidationError("device is \"\(device)\"; it must be cpu, cuda or cuda:N.")
        }
        let evaluation = try Evaluation(
            ModelFolder.locate(model), options: options(), cache: cacheFolder(), device: device)
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
        (options.shift, options.shown, options.hasBaselines) = (shift, shown, !noBaselines)
        options.world = try choice("world", world)
        options.sampler = try choice("sampler", sampler)
        options.decode = try choice("decode", decode)
        options.orders = try list(orders).map { try choice("orders", $0) }
        options.steps = try list(steps).map { try number("steps", $0, Int.init) }
        options.guidance = try list(guidance).map { try number("guidance", $0, Double.init) }
        options.cfg = try list(cfg).map { try number("cfg", $0, Double.init) }
        return options
    }

    private func list(_ text: String) -> [String] {
        text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    private func choice<Choice: RawRepresentable & CaseIterable>(_ name: String, _ text: String)
        throws -> Choice where Choice.RawValue == String
    {
        if let choice = Choice(rawValue: text) { return choice }
        let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("\(name) is \"\(text)\"; it must be one of \(names).")
    }

    private func number<Value>(_ name: String, _ text: String, _ read: (String) -> Value?) throws
        -> Value
    {
        if let value = read(text) { return value }
        throw ValidationError("\(name) has \"\(text)\"; it must be numbers with commas between.")
    }

    private func cacheFolder() -> URL {
        if let cache { return URL(fileURLWithPath: cache) }
        let caches =
            FileManager.default.urls(for: .cachesDirectory, in: .userDomainMask).first
            ?? FileManager.default.temporaryDirectory
        return caches.appendingPathComponent("framepack/evaluation")
    }
}
