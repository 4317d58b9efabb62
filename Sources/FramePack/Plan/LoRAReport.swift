public import Models

/// What a plan says of one LoRA file.
public struct LoRAReport: Equatable, Codable, Sendable {
    /// The file.
    public let file: String
    /// Its strength in each section, in the order of their generation.
    public let strengths: [Double]
    /// Its strengths in words.
    public let strengthText: String
    /// What became of the file's keys.
    public let match: AdapterSummary

    init(_ lora: AppliedLoRA, _ match: AdapterSummary, plan: SectionPlan) {
        file = lora.file
        strengths = plan.sections.map { section in
            let time = plan.time(of: section)
            return lora.strength(from: time.lowerBound, to: time.upperBound)
        }
        strengthText = lora.strengthText
        self.match = match
    }

    /// One line for the user: the file's name, its strengths, and how many of its keys matched.
    public var text: String {
        let name = file.split(separator: "/").last.map(String.init) ?? file
        return "LoRA \(name), strength \(strengthText): \(match.text)"
    }
}
