import ArgumentParser
import Foundation
import FramePack
import FramePackTraining

/// `framepack train cache`.
struct TrainCacheCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache",
        abstract: "Encode the data of a configuration, so that its training needs no encoder.",
        usage: "framepack train cache --config <file> [<options>]",
        discussion: """
            Captions go through Llama and CLIP, start pictures through SigLIP, clips through the \
            VAE, one network in memory at a time. What is there and whole stays: after Ctrl-C, a \
            kill -9, new videos or harm to its files, the same command makes what is missing. \
            Videos and pictures that cannot be used are listed at the end, and the rest is \
            trained on.
            """)

    @OptionGroup var file: ConfigurationOption

    func run() throws {
        let run = try file.run()
        let token = CancellationToken()
        let interruption = Interruption(token)
        defer { withExtendedLifetime(interruption) {} }
        for note in run.dataset.notes { Terminal.writeError("note: \(note)\n") }
        let display = CacheDisplay()
        defer { display.finish() }
        let summary: CacheSummary
        do {
            summary = try run.fillCache {
                display.show($0)
                try token.check()
            } onNetwork: {
                try token.check()
            }
        } catch FramePackError.cancelled {
            display.finish()
            throw CommandError.cancelled("Stopped; the same command goes on where it stood.")
        }
        display.finish()
        for problem in summary.problems { Terminal.writeError("left out: \(problem)\n") }
        if summary.emptyCaptions > 0 {
            let verb = summary.emptyCaptions == 1 ? "is" : "are"
            Terminal.writeError(
                "note: \(counted(summary.emptyCaptions, "caption")) \(verb) empty; those clips are learnt "
                    + "without any words\n")
        }
        print(
            """
            \(counted(summary.clips, "clip")) with \(counted(summary.sections, "section")), \
            \(counted(summary.pictures, "picture")); \(Self.made(summary)), \
            \(summary.found) \(summary.found == 1 ? "was" : "were") there, \
            \(counted(summary.problems.count, "thing")) left out
            """)
    }

    private static func made(_ summary: CacheSummary) -> String {
        let harmed = summary.harmed == 0 ? "" : " (\(summary.harmed) in place of harmed ones)"
        return "\(counted(summary.made, "file")) made\(harmed)"
    }
}

/// Shows how far a cache is: a bar on a terminal, else a line for each file.
private final class CacheDisplay {
    private let isInteractive = Terminal.isInteractive
    private let usesBlocks = Terminal.isUTF8
    private var hasLine = false

    func show(_ progress: CacheProgress) {
        let isFile = progress.stage != .text && progress.name.hasPrefix("/")
        let name = isFile ? URL(fileURLWithPath: progress.name).lastPathComponent : progress.name
        guard isInteractive else {
            print("\(progress.stage.rawValue) \(progress.done)/\(progress.total)  \(name)")
            fflush(nil)
            return
        }
        let bar = ProgressBar(
            label: progress.stage.rawValue,
            fraction: Double(progress.done) / Double(max(progress.total, 1)),
            detail: "\(progress.done) of \(progress.total)")
        let text = bar.line(width: Terminal.width, usesBlocks: usesBlocks)
        Terminal.writeError("\r\u{1B}[K\(text)")
        hasLine = true
    }

    func finish() {
        if hasLine { Terminal.writeError("\n") }
        hasLine = false
    }
}
