import ArgumentParser
import Foundation
import FramePack
import FramePackTraining

/// The options of `framepack train plan` and `framepack train --plan`.
struct TrainingPlanOptions: ParsableArguments {
    @Flag(help: "Print the plan as JSON.")
    var json = false
    @Option(
        parsing: .unconditional, help: "Train a LoRA of this rank; without it, all weights.")
    var rank: Int?
    @Option(help: "Size of the clips. (default: 832x480)")
    var size: String?
    @Option(
        parsing: .unconditional, help: "Latents that a section generates. (default: 9)")
    var window: Int?
    @Option(
        parsing: .unconditional,
        help: "Samples in a step, on all GPUs together. (default: one each)")
    var batch: Int?
    @Option(parsing: .unconditional, help: "GPUs. (default: 1)")
    var gpus: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Memory of one. (default: 80)", valueName: "GiB"))
    var gpuMemory: Double?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "1e12 operations a second that one sustains. (default: 140)",
            valueName: "TFLOP/s"))
    var rate: Double?
    @Option(
        help: "What changes the weights. (default: adafactor; adamw8bit for a LoRA)")
    var optimizer: OptimizerChoice?
    @Option(parsing: .unconditional, help: "Steps of the run, for its length in hours.")
    var steps: Int?

    /// Whether there is any of them.
    var areGiven: Bool { isOwn || json }

    /// Whether a training of one's own is described.
    private var isOwn: Bool {
        size != nil || optimizer != nil
            || [rank, window, batch, gpus, steps].contains { $0 != nil }
            || [gpuMemory, rate].contains { $0 != nil }
    }

    /// Prints the plan.
    ///
    /// - Parameters:
    ///   - run: The training that is planned; nil for those of the released size.
    ///   - isDivided: Whether the GPUs divide weights, gradients and the optimizer's state.
    func run(for run: FineTuningRun? = nil, isDivided: Bool) throws {
        if isOwn || isDivided || run != nil {
            let report = try ownPlan(run?.plan(), isDivided: isDivided).report()
            return try print(report, report.text)
        }
        let plans = try ReleasedTrainingPlans()
        try print(plans, plans.text)
    }

    private func print(_ value: some Encodable, _ text: String) throws {
        Swift.print(
            json ? String(decoding: try JSONEncoder.sorted.encode(value), as: UTF8.self) : text)
    }

    /// A plan with what the options say.
    ///
    /// - Parameters:
    ///   - base: What they change; nil for the released size's.
    ///   - isDivided: Whether the GPUs divide what belongs to the weights.
    private func ownPlan(_ base: TrainingPlan?, isDivided: Bool) throws -> TrainingPlan {
        var plan = base ?? TrainingPlan()
        if base == nil || rank != nil {
            plan.title = rank.map { "LoRA of rank \($0)" } ?? "Training of all weights"
            plan.method = rank.map { .lora(rank: $0) } ?? .full
            plan.optimizer = rank == nil ? .adafactor : .adamw8bit
        }
        plan.optimizer = optimizer ?? plan.optimizer
        plan.window = window ?? plan.window
        plan.gpus = gpus ?? plan.gpus
        plan.batch = batch ?? base?.batch ?? plan.gpus
        plan.isSharded = isDivided
        // A run that divides its weights takes its samples one by one.
        if isDivided, base != nil { plan.accumulation = max(1, plan.batch / max(1, plan.gpus)) }
        plan.steps = steps ?? plan.steps
        if let gpuMemory {
            try checkOption("gpu-memory", gpuMemory, 1...10_000)
            plan.gpuMemory = Int(gpuMemory * 1_073_741_824)
        }
        if let rate {
            try checkOption("rate", rate, 0.001...1e6)
            plan.sustainedRate = rate * 1e12
        }
        if let size { plan.size = try frameSize(size) }
        return plan
    }

    private func frameSize(_ text: String) throws -> FrameSize {
        let sides = text.split(separator: "x").compactMap { Int($0) }
        guard sides.count == 2 else {
            throw ValidationError(
                "--size is \(text); it must be width x height, such as 832x480")
        }
        return try FrameSize.checked(height: sides[1], width: sides[0])
    }
}
