import Foundation
import FramePackTraining

/// Prints a step of a training now and then, and adds every one to a log that plots.
final class TrainingOutput {
    private let interval: Int
    private let log: FileHandle?
    private var average = 0.0
    private var seconds = 0.0

    init(interval: Int, log: URL) {
        self.interval = interval
        if !FileManager.default.fileExists(atPath: log.path) {
            _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        }
        self.log = try? FileHandle(forWritingTo: log)
        _ = try? self.log?.seekToEnd()
    }

    func callAsFunction(_ report: TrainingReport) {
        average = average == 0 ? report.loss : 0.98 * average + 0.02 * report.loss
        seconds = seconds == 0 ? report.seconds : 0.95 * seconds + 0.05 * report.seconds
        let metrics = report.metrics.sorted { $0.key < $1.key }
        let values = metrics.map { "\($0.key)=\(String(format: "%.4f", $0.value))" }
        let fields =
            [
                "\(report.step)", String(format: "%.5f", report.loss),
                String(format: "%.4f", report.gradientNorm),
                String(format: "%.3e", report.learningRate),
                String(format: "%.3f", report.seconds),
            ] + values
        log?.write(Data((fields.joined(separator: ",") + "\n").utf8))
        guard report.step % interval == 0 else { return }
        let left = Double(report.totalSteps - report.step) * seconds
        print(
            "step \(report.step)/\(report.totalSteps)",
            String(
                format: "loss %.4f (mean %.4f)  %.2f s/step  %.0f min left", report.loss, average,
                seconds, left / 60), values.joined(separator: " "))
        fflush(nil)
    }
}
