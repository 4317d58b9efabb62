import ArgumentParser
import Checkpoints
import Foundation
import FramePack
import FramePackTraining
import Torch

/// `framepack experiment caches`.
struct ExperimentCachesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "caches",
        abstract: "Compare step caches: calls of the network saved, and what they cost.",
        usage: "framepack experiment caches --folder <folder> [<options>]",
        discussion: """
            Videos of scenes that training never sees, in the orders f1 and inverted, by each \
            cache at three thresholds and with --context-refresh; against the exact videos. Some \
            minutes on two cores.
            """)

    @Option(help: "Folder of the tables.")
    var folder: String
    @Option(
        help: ArgumentHelp("A small model. (default: the one that ships)", valueName: "folder"))
    var model: String?
    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "What is measured, such as magcache:0.1, context:2 or teacache:0.15+context:2; may be "
                + "repeated. (default: each at several)", valueName: "cache:threshold"))
    var cache: [CacheVariantArgument] = []
    @Option(parsing: .unconditional, help: "Videos in each order.")
    var count = 3
    @Option(parsing: .unconditional, help: "Seconds of a video.")
    var seconds = 2.4
    @Option(parsing: .unconditional, help: "How often each is made; the quickest counts.")
    var repeats = 1
    @Option(
        parsing: .unconditional,
        help: "Steps of a section, 1 to 100. (default: the model's)")
    var steps: Int?

    func validate() throws {
        try checkOption("count", count, 1...100_000)
        try checkOption("repeats", repeats, 1...100)
        try checkOption("seconds", seconds, 0.1...3600)
        if let steps { try checkOption("steps", steps, 1...100) }
    }

    func run() throws {
        let home = URL(fileURLWithPath: folder)
        try makeFolder(home)
        TorchLibrary.flushDenormals(true)
        TorchLibrary.setThreadCount(1)
        let token = CancellationToken()
        let interruption = Interruption(token)
        defer { withExtendedLifetime(interruption) {} }
        let experiment = try CachesExperiment(
            ModelFolder.locate(model),
            variants: cache.isEmpty ? CachesExperiment.variants : cache.map(\.variant),
            count: count, seconds: seconds, repeats: repeats, steps: steps)
        let table = try experiment.run(cancellation: token) { done, all in
            Terminal.writeError("\(done)/\(all)\n")
        }
        print(table.text)
        try writeJSON(table, to: home.appendingPathComponent("caches.json"))
        try Data((table.markdown + "\n").utf8).write(to: home.appendingPathComponent("caches.md"))
    }
}

/// A cache with its threshold, a refresh of the context, or both, written as `magcache:0.1`,
/// `context:2` and `magcache:0.1+context:2`.
struct CacheVariantArgument: ExpressibleByArgument {
    let variant: CachesExperiment.Variant

    init?(argument: String) {
        var (cache, threshold, refresh): (StepCacheChoice?, Double?, Int?) = (nil, nil, nil)
        for part in argument.split(separator: "+", omittingEmptySubsequences: false) {
            let words = part.split(separator: ":", omittingEmptySubsequences: false)
            guard let name = words.first, words.count <= 2 else { return nil }
            if name == "context", refresh == nil {
                guard words.count == 2, let number = Int(words[1]),
                    GenerationRequest.Limits.contextRefresh.contains(number), number > 1
                else { return nil }
                refresh = number
            } else {
                guard cache == nil, let choice = StepCacheChoice(rawValue: String(name)),
                    let number = words.count == 2 ? Double(words[1]) : choice.defaultThreshold,
                    GenerationRequest.Limits.threshold.contains(number), choice != .none
                else { return nil }
                (cache, threshold) = (choice, number)
            }
        }
        variant = CachesExperiment.Variant(
            cache ?? .none, threshold, contextRefresh: refresh ?? 1)
    }
}
