import Foundation

/// What training the released size takes: all of it, a LoRA, and what the paper claims.
///
/// The claim: a batch of 64 at 480p on one node of eight 80 GB GPUs with windows of 2 or 3 latents,
/// and of 32 with 4 or 5, in LoRA training. The rank isn't given; 32 is what others use.
///
/// Source: arXiv 2504.12626, version 3, section on experiments.
public struct ReleasedTrainingPlans: Codable, Equatable, Sendable {
    /// All weights on eight GPUs of 80 GiB.
    public let full: TrainingPlanReport
    /// A LoRA of rank 32 on one of them.
    public let lora: TrainingPlanReport
    /// The rows that the paper claims.
    public let claimed: [TrainingPlanReport]
    /// Rows that it does not: 64 with windows of 4, 5 and 9 latents, the released one.
    public let beyond: [TrainingPlanReport]

    /// Works them out.
    ///
    /// - Throws: What ``TrainingPlan/report()`` throws.
    public init() throws {
        var plan = TrainingPlan()
        plan.title = "Full fine-tuning of the released size"
        (plan.batch, plan.gpus, plan.isSharded, plan.optimizer) = (64, 8, true, .adamw)
        full = try plan.report()
        let lora = Self.loraPlan
        self.lora = try lora.report()
        claimed = try [(2, 64), (3, 64), (4, 32), (5, 32)].map(Self.claim)
        beyond = try [(4, 64), (5, 64), (9, 64)].map(Self.claim)
    }

    private static var loraPlan: TrainingPlan {
        var plan = TrainingPlan()
        plan.title = "LoRA of rank 32 beside the released size"
        (plan.method, plan.optimizer) = (.lora(rank: 32), .adamw8bit)
        return plan
    }

    /// Eight GPUs, each with its samples at once.
    private static func claim(window: Int, batch: Int) throws -> TrainingPlanReport {
        var plan = loraPlan
        plan.title = "The paper's claim with a window of \(window) latents"
        (plan.window, plan.batch, plan.gpus) = (window, batch, 8)
        (plan.accumulation, plan.isAveraged) = (1, false)
        return try plan.report()
    }

    /// The reports, and the claim as a table, in at most 80 columns.
    public var text: String {
        [full.text, lora.text, claimed[0].text, claimText].joined(separator: "\n\n")
    }

    private var claimText: String {
        ([
            "The paper's claim: batch 64 on eight 80 GB GPUs at 480p, LoRA, all at once",
            "",
            "    window   batch      N   s a step   one GPU",
        ] + claimed.map(row) + ["    and what it does not claim:"] + beyond.map(row)
            + ["", "  " + conclusion, "  " + released]).joined(separator: "\n")
    }

    private func row(_ report: TrainingPlanReport) -> String {
        let numbers = [
            ("\(report.plan.window)", 10), ("\(report.plan.batch)", 8), ("\(report.tokens)", 7),
            (String(format: "%.1f", report.secondsPerStep), 11),
        ].map { String(repeating: " ", count: max(1, $0.1 - $0.0.count)) + $0.0 }
        return numbers.joined() + "   " + report.verdict
    }

    private var conclusion: String {
        claimed.allSatisfy(\.fits)
            ? "The arithmetic supports the claim: each of its rows fits."
            : "The arithmetic does not support the claim: not each of its rows fits."
    }

    private var released: String {
        beyond.last?.fits == true
            ? "The released window of 9 latents would fit as well."
            : "The released window of 9 does not fit so: its batch comes in parts."
    }
}
