import Foundation
import FramePack

extension TrainingPlanReport {
    /// The report as text of at most 80 columns.
    public var text: String {
        ([plan.title] + summary + [""] + memoryLines + [""] + workLines).joined(separator: "\n")
    }

    /// One line: what fits, and how long a step takes.
    public var verdict: String {
        let gibibytes = Self.decimals(memoryOfOneGPU / Self.gibibyte, 1)
        let available = Self.decimals(Double(plan.gpuMemory) / Self.gibibyte, 0)
        let word = !fits ? "does not fit" : isTight ? "fits, nothing to spare" : "fits"
        return "\(gibibytes) of \(available) GiB: \(word)"
    }

    private static let gibibyte = 1_073_741_824.0

    private var summary: [String] {
        let gpus = plan.gpus == 1 ? "one GPU" : "\(plan.gpus) GPUs"
        let sharing =
            plan.gpus == 1
            ? "" : plan.isSharded ? ", weights and state spread" : ", weights on each"
        let atOnce = samplesAtOnce == 1 ? "one sample" : "\(samplesAtOnce) samples"
        let times = accumulation == 1 ? "" : ", \(accumulation) times a step"
        return [
            "  \(plan.size.width) x \(plan.size.height), window of \(counted(plan.window, "latent")), "
                + "\(plan.optimizer.rawValue)",
            "  batch \(plan.batch) on \(gpus)\(sharing)",
            "  \(atOnce) at once\(plan.gpus == 1 ? "" : " on each")\(times)",
            "  N = \(tokenArithmetic)",
            "    = \(counted(tokens, "token")); C = \(plan.transformer.hiddenSize)",
        ]
    }

    private var memoryLines: [String] {
        ["  Memory of one GPU, GiB"] + table(memory, unit: Self.gibibyte, places: 2)
            + [Self.row("sum", verdict, "")]
    }

    private var workLines: [String] {
        let samples = plan.batch / plan.gpus
        let rate = Self.decimals(plan.sustainedRate / 1e12, 0)
        let total = Self.decimals(operationsOfASample / 1e15, 3)
        var lines = ["  Operations of a sample, 1e15"] + table(work, unit: 1e15, places: 3)
        lines.append(
            Self.row(
                "a step",
                "\(total)e15 x \(samples) / \(rate)e12 a second, sustained",
                Self.decimals(secondsPerStep, 1) + " s"))
        if let hours, let steps = plan.steps {
            lines.append(
                Self.row("the run", counted(steps, "step"), Self.decimals(hours, 1) + " h"))
        }
        return lines
    }

    private func table(_ lines: [Line], unit: Double, places: Int) -> [String] {
        lines.map { Self.row($0.name, $0.arithmetic, Self.decimals($0.amount / unit, places)) }
    }

    /// Name, arithmetic and amount in columns.
    private static func row(_ name: String, _ arithmetic: String, _ amount: String) -> String {
        let left = "    " + padded(name, 26) + arithmetic
        guard !amount.isEmpty else { return left }
        return left + String(repeating: " ", count: max(1, 80 - left.count - amount.count)) + amount
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    private static func decimals(_ value: Double, _ places: Int) -> String {
        String(format: "%.\(places)f", value)
    }
}
