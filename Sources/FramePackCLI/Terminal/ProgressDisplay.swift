import Foundation
import FramePack

/// Two bars on a terminal, one for the video and one for the section, redrawn in place.
final class ProgressDisplay {
    private var video = ProgressBar(label: "video", fraction: 0, detail: "")
    private var section: ProgressBar?
    private var linesDrawn = 0
    private var lastDrawn = Date.distantPast
    private var stepsBegan: (section: Int, at: Date)?
    private let usesBlocks = Terminal.isUTF8

    /// Takes up an event; draws ten times a second at most.
    func show(_ event: PipelineEvent) {
        video.fraction = event.progress
        video.detail = event.secondsLeft.map { "\(ProgressBar.duration($0)) left" } ?? ""
        switch event.kind {
        case .planned, .preview: return
        case .note(let text):
            clear()
            Terminal.writeError(Terminal.wrapped(text) + "\n")
        case .stage(let stage): section = stageBar(stage)
        case .step(let number, let sections, let step, let steps):
            section = stepBar(number, sections, step, steps)
        case .sectionSampled, .sectionDecoded: break
        case .done:
            clear()
            return
        }
        draw(atOnce: section?.fraction == 1)
    }

    private func stageBar(_ stage: Stage) -> ProgressBar? {
        let words: [Stage: String] = [
            .encodeText: "reading prompt", .encodeImage: "reading picture",
            .decode: "decoding", .write: "writing",
        ]
        guard let word = words[stage] else { return section }
        return ProgressBar(label: word, fraction: section?.fraction ?? 0, detail: "")
    }

    private func stepBar(_ number: Int, _ sections: Int, _ step: Int, _ steps: Int) -> ProgressBar {
        let now = Date()
        if stepsBegan?.section != number { stepsBegan = (number, now) }
        var detail = "step \(step) of \(steps)"
        // The first step is where the clock starts, so the time is that of those after it.
        if let began = stepsBegan?.at, step > 1 {
            let left = now.timeIntervalSince(began) / Double(step - 1) * Double(steps - step)
            detail = "\(ProgressBar.duration(left)) left"
        }
        return ProgressBar(
            label: "section \(number)/\(sections)", fraction: Double(step) / Double(steps),
            detail: detail)
    }

    private func draw(atOnce: Bool) {
        let now = Date()
        guard atOnce || now.timeIntervalSince(lastDrawn) > 0.1 else { return }
        lastDrawn = now
        let width = Terminal.width
        let lines = [video, section].compactMap { $0?.line(width: width, usesBlocks: usesBlocks) }
        Terminal.writeError(eraser + lines.map { "\($0)\n" }.joined())
        linesDrawn = lines.count
    }

    /// Takes the bars away, for what else is to be written.
    func clear() {
        Terminal.writeError(eraser)
        linesDrawn = 0
        lastDrawn = .distantPast
    }

    /// Goes up over what was drawn and clears to the end of the screen.
    private var eraser: String {
        linesDrawn == 0 ? "" : "\u{1B}[\(linesDrawn)A\r\u{1B}[J"
    }
}
