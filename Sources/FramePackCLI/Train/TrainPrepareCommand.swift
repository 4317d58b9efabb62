import ArgumentParser
import Foundation
import FramePack
import FramePackTraining

/// `framepack train prepare`.
struct TrainPrepareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prepare",
        abstract: "Cut raw video into clips to train with, and list them for captions.",
        usage: "framepack train prepare [<options>] <input> ... --output <output>",
        discussion: """
            Videos are cut at cuts, fades and dissolves; clips that hardly move, jump or are not \
            sharp are left out. A run that was interrupted goes on where it was, and what is done \
            is not done again. Captions are then written by you.
            """)

    @Argument(help: "Videos, and folders of videos.")
    var inputs: [String]
    @Option(help: "Folder for clips, captions and the record.")
    var output: String
    @Option(help: "Captions in captions.jsonl, in a .txt beside each clip, or both.")
    var captions = CaptionForm.jsonl
    @Option(
        parsing: .unconditional,
        help: "Side of a square of the clips' area, in pixels; shapes are kept.")
    var resolution = FootageOptions().resolution
    @Option(parsing: .unconditional, help: "Latents that a section generates.")
    var window = FootageOptions().window
    @Option(
        parsing: .unconditional,
        help: "Sections of the shortest clip: n are 4 * window * n + 1 frames.")
    var minSections = FootageOptions().fewestSections
    @Option(parsing: .unconditional, help: "Sections of the longest clip.")
    var maxSections = FootageOptions().mostSections
    @Option(
        parsing: .unconditional,
        help: "Least movement of what moves most, in % of the longer side a second.")
    var minMotion = FootageOptions().leastMotion
    @Option(
        parsing: .unconditional,
        help: "Largest change of movement between frames, in % of the longer side.")
    var maxJitter = FootageOptions().mostJitter
    @Option(
        parsing: .unconditional, help: "Least sharpness: variance of the Laplacian, levels^2.")
    var minSharpness = FootageOptions().leastSharpness
    @Option(parsing: .unconditional, help: "Smallest jump of a cut, in levels of 255.")
    var cutThreshold = FootageOptions().cutThreshold
    @Option(parsing: .unconditional, help: "How many times the jumps around it a cut is.")
    var cutRatio = FootageOptions().cutRatio
    @Option(parsing: .unconditional, help: "Least frames a second of a video.")
    var minFps = FootageOptions().leastRate
    @Option(parsing: .unconditional, help: "How many times a picture may be enlarged.")
    var maxEnlargement = FootageOptions().mostEnlargement
    @Option(
        parsing: .unconditional,
        help: "Constant rate factor of the clips, 0 (best) to 51 (smallest).")
    var crf = FootageOptions().constantRateFactor
    @Flag(help: "Print the record as JSON at the end.")
    var json = false

    func validate() throws {
        typealias Limits = FootageOptions.Limits
        try checkOption("resolution", resolution, Limits.resolution)
        try checkOption("window", window, Limits.window)
        try checkOption("min-sections", minSections, Limits.sections)
        try checkOption("max-sections", maxSections, Limits.sections)
        guard minSections <= maxSections else {
            throw ValidationError(
                "--min-sections is \(minSections); it must be at most --max-sections, \(maxSections)"
            )
        }
        try checkOption("min-motion", minMotion, Limits.motion)
        try checkOption("max-jitter", maxJitter, Limits.motion)
        try checkOption("min-sharpness", minSharpness, Limits.sharpness)
        try checkOption("cut-threshold", cutThreshold, Limits.cutThreshold)
        try checkOption("cut-ratio", cutRatio, Limits.cutRatio)
        try checkOption("min-fps", minFps, Limits.rate)
        try checkOption("max-enlargement", maxEnlargement, Limits.enlargement)
        try checkOption("crf", crf, Limits.constantRateFactor)
    }

    func run() throws {
        var options = FootageOptions()
        (options.resolution, options.window) = (resolution, window)
        (options.fewestSections, options.mostSections) = (minSections, maxSections)
        (options.leastMotion, options.mostJitter) = (minMotion, maxJitter)
        (options.leastSharpness, options.leastRate) = (minSharpness, minFps)
        (options.cutThreshold, options.cutRatio) = (cutThreshold, cutRatio)
        (options.mostEnlargement, options.constantRateFactor) = (maxEnlargement, crf)
        let folder = URL(fileURLWithPath: output)
        let preparation = try FootagePreparation(
            folder: folder, options: options, captions: captions)
        let token = CancellationToken()
        let interruption = Interruption(token)
        defer { withExtendedLifetime(interruption) {} }
        let display = PreparationDisplay(isQuiet: json)
        defer { display.finish() }
        do {
            let report = try preparation.run(
                inputs.map { URL(fileURLWithPath: $0) }, cancellation: token,
                onEvent: display.show)
            display.finish()
            print(
                json
                    ? String(decoding: try JSONEncoder.sorted.encode(report), as: UTF8.self)
                    : report.text)
        } catch FramePackError.cancelled {
            throw CommandError.cancelled("Stopped; the same command goes on.")
        }
    }
}

/// Shows how far it is: a bar on a terminal, and a line for each video.
private final class PreparationDisplay {
    private let isQuiet: Bool
    private let isInteractive = Terminal.isInteractive
    private let usesBlocks = Terminal.isUTF8
    private var lastDrawn = Date.distantPast
    private var hasLine = false

    init(isQuiet: Bool) { self.isQuiet = isQuiet }

    func show(_ event: FootagePreparation.Event) {
        switch event {
        case .progress(let source, let isWriting, let share):
            draw(URL(fileURLWithPath: source).lastPathComponent, isWriting, share)
        case .finished(let record):
            finish()
            guard !isQuiet else { return }
            let name = URL(fileURLWithPath: record.source).lastPathComponent
            let result =
                record.problem == nil
                ? "\(counted(record.scenes, "scene")), \(counted(record.kept.count, "clip")) kept"
                : "cannot be read"
            print("\(name): \(result)")
            fflush(nil)
        }
    }

    private func draw(_ name: String, _ isWriting: Bool, _ share: Double) {
        let now = Date()
        guard isInteractive, now.timeIntervalSince(lastDrawn) > 0.1 else { return }
        lastDrawn = now
        let bar = ProgressBar(
            label: isWriting ? "writing" : "looking", fraction: share,
            detail: String(name.prefix(40)))
        Terminal.writeError(
            "\r\u{1B}[K" + bar.line(width: Terminal.width, usesBlocks: usesBlocks))
        hasLine = true
    }

    /// Leaves the line that was drawn.
    func finish() {
        if hasLine { Terminal.writeError("\n") }
        hasLine = false
    }
}
