import Foundation
import FramePackTraining

/// Shows a training: one line that redraws itself on a terminal, else a line now and then.
final class TrainingOutput {
    private let interval: Int
    private let isInteractive = Terminal.isInteractive
    private let usesBlocks = Terminal.isUTF8
    private var loss: Double?
    private var seconds: Double?
    private var lastDrawn = Date.distantPast
    private var hasLine = false

    /// Shows every `interval`th step where there is no terminal.
    init(interval: Int) { self.interval = interval }

    func callAsFunction(_ report: TrainingReport) {
        loss = loss.map { 0.98 * $0 + 0.02 * report.loss } ?? report.loss
        seconds = seconds.map { 0.95 * $0 + 0.05 * report.seconds } ?? report.seconds
        if isInteractive {
            draw(report)
        } else if report.step % interval == 0 {
            print(line(report))
            fflush(nil)
        }
    }

    /// Leaves the line that was drawn, for what comes after it.
    func finish() {
        if hasLine { Terminal.writeError("\n") }
        hasLine = false
    }

    private func secondsLeft(_ report: TrainingReport) -> Double {
        Double(report.totalSteps - report.step - 1) * (seconds ?? 0)
    }

    private func draw(_ report: TrainingReport) {
        let now = Date()
        let isLast = report.step + 1 == report.totalSteps
        guard isLast || now.timeIntervalSince(lastDrawn) > 0.1 else { return }
        lastDrawn = now
        let left = ProgressBar.duration(secondsLeft(report))
        let bar = ProgressBar(
            label: "step \(report.step)",
            fraction: Double(report.step + 1) / Double(report.totalSteps),
            detail: String(format: "loss %.4f  ", loss ?? 0) + "\(left) left")
        let text = bar.line(width: Terminal.width, usesBlocks: usesBlocks)
        Terminal.writeError("\r\u{1B}[K\(text)")
        hasLine = true
    }

    private func line(_ report: TrainingReport) -> String {
        let metrics = report.metrics.sorted { $0.key < $1.key }
            .map { "\($0.key) \(String(format: "%.4f", $0.value))" }
        let figures = String(
            format: "loss %.4f (mean %.4f)  norm %.3f  %.2f s/step", report.loss, loss ?? 0,
            report.gradientNorm, seconds ?? 0)
        let left = ProgressBar.duration(secondsLeft(report))
        return
            ([
                "step \(report.step)/\(report.totalSteps)  \(figures)  \(left) left"
            ] + metrics).joined(separator: "  ")
    }
}
