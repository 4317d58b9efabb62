import ArgumentParser
import FramePack
import FramePackTraining

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

    @OptionGroup var videos: HeldOutVideoOptions
    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "What is measured, such as magcache:0.1, context:2 or teacache:0.15+context:2; may be "
                + "repeated. (default: each at several)", valueName: "cache:threshold"))
    var cache: [CacheVariantArgument] = []
    @Option(parsing: .unconditional, help: "How often each is made; the quickest counts.")
    var repeats = 1

    func validate() throws { try checkOption("repeats", repeats, 1...100) }

    func run() throws {
        try videos.run(writing: "caches") { model, token, onVideo in
            try CachesExperiment(
                model, variants: cache.isEmpty ? CachesExperiment.variants : cache.map(\.variant),
                count: videos.count, seconds: videos.seconds, repeats: repeats, steps: videos.steps
            ).run(cancellation: token, onScene: onVideo)
        }
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
