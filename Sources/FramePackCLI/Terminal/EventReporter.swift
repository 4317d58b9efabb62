import Foundation
import FramePack
import Media

/// Tells the user what a run does: bars on a terminal, JSON lines, or nothing but notes.
final class EventReporter {
    private let json: Bool
    private let preview: URL?
    private let display: ProgressDisplay?

    /// Chooses how to report.
    ///
    /// - Parameters:
    ///   - json: A line of JSON for each event on standard output.
    ///   - preview: A PNG file that shows the latents after each step.
    init(json: Bool, preview: String?) {
        self.json = json
        self.preview = preview.map { URL(fileURLWithPath: $0) }
        display = !json && Terminal.isInteractive ? ProgressDisplay() : nil
    }

    /// Whether anybody looks at previews.
    var wantsPreviews: Bool { json || preview != nil }

    /// Takes up an event.
    func report(_ event: PipelineEvent) {
        if case .preview(_, let picture) = event.kind, let preview {
            // A preview that cannot be written is no reason to lose the video.
            try? picture.writePNG(to: preview)
        }
        if json {
            if let line = try? event.json() { Terminal.writeLine(line) }
        } else if let display {
            display.show(event)
        } else if case .note(let text) = event.kind {
            Terminal.writeError("\(text)\n")
        }
    }

    /// Ends the lines of JSON with why there is no video.
    func fail(_ message: String) {
        guard json else { return }
        let line = try? JSONEncoder.line.encode(["event": "failed", "text": message])
        if let line { Terminal.writeLine(line) }
    }

    /// Takes the bars away, however the run ended.
    func finish() { display?.clear() }

    /// Says where the video lies and what it took, where a person watches.
    func summarize(_ result: GenerationResult) {
        guard display != nil else { return }
        let stages = Stage.allCases.compactMap { stage in
            result.stages[stage.rawValue].map { (stage, $0) }
        }
        let times = stages.map { "\(Self.word($0)) \(String(format: "%.1f", $1)) s" }
        print(
            """
            \(result.output)
            \(result.frames) frames of \(result.width)x\(result.height) in \
            \(ProgressBar.duration(result.seconds)), \
            \(String(format: "%.3f", result.secondsPerFrame)) s a frame
            \(times.joined(separator: ", "))
            """)
        if let job = result.job { print("job: \(job)") }
    }

    private static func word(_ stage: Stage) -> String {
        switch stage {
        case .encodeText: "prompt"
        case .encodeImage: "picture"
        case .sample: "sampling"
        case .decode: "decoding"
        case .write: "writing"
        }
    }
}
