public import Foundation
public import Media

/// What a run does at a time.
public enum Stage: String, Codable, Sendable, CaseIterable {
    /// Prompts go through the text encoders.
    case encodeText
    /// Pictures go through the vision encoder and the VAE.
    case encodeImage
    /// A section is sampled.
    case sample
    /// A section is decoded, and its frames are written.
    case decode
    /// The video is put together.
    case write
}

/// Something that happened in a run; as JSON one flat object with the key `event`.
public struct PipelineEvent: Sendable {
    /// What happened.
    public enum Kind: Sendable {
        /// The plan is made; nothing is loaded yet.
        case planned(PlanReport)
        /// A stage begins.
        case stage(Stage)
        /// A step is done; sections and steps are counted from 1.
        case step(section: Int, sections: Int, step: Int, steps: Int)
        /// The section's latents as a picture, frames side by side.
        case preview(section: Int, Picture)
        /// A section's latents are there, counted from 1 in the order of generation.
        case sectionSampled(section: Int, sections: Int)
        /// Frames of a section are there, as a file of their own.
        case sectionDecoded(section: Int, sections: Int, file: URL)
        /// One line for the user.
        case note(String)
        /// The video is there.
        case done(GenerationResult)
    }

    /// What happened.
    public let kind: Kind
    /// How much of the whole is done, from 0 to 1.
    public let progress: Double
    /// Seconds that are left; nil until that can be told.
    public let secondsLeft: Double?
    /// Seconds since the run began.
    public let seconds: Double
}

extension PipelineEvent: Encodable {
    private enum CodingKeys: String, CodingKey {
        case event, progress, secondsLeft, seconds
        case plan, stage, section, sections, step, steps, width, height, file, text, result
    }

    /// Writes the event; of a preview its size alone.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(name, forKey: .event)
        try fields.encode(progress, forKey: .progress)
        try fields.encodeIfPresent(secondsLeft, forKey: .secondsLeft)
        try fields.encode(seconds, forKey: .seconds)
        switch kind {
        case .planned(let report): try fields.encode(report, forKey: .plan)
        case .stage(let stage): try fields.encode(stage, forKey: .stage)
        case .step(let section, let sections, let step, let steps):
            try fields.encode(section, forKey: .section)
            try fields.encode(sections, forKey: .sections)
            try fields.encode(step, forKey: .step)
            try fields.encode(steps, forKey: .steps)
        case .preview(let section, let picture):
            try fields.encode(section, forKey: .section)
            try fields.encode(picture.width, forKey: .width)
            try fields.encode(picture.height, forKey: .height)
        case .sectionSampled(let section, let sections):
            try fields.encode(section, forKey: .section)
            try fields.encode(sections, forKey: .sections)
        case .sectionDecoded(let section, let sections, let file):
            try fields.encode(section, forKey: .section)
            try fields.encode(sections, forKey: .sections)
            try fields.encode(file.path, forKey: .file)
        case .note(let text): try fields.encode(text, forKey: .text)
        case .done(let result): try fields.encode(result, forKey: .result)
        }
    }

    /// The kind's name in JSON.
    public var name: String {
        switch kind {
        case .planned: "planned"
        case .stage: "stage"
        case .step: "step"
        case .preview: "preview"
        case .sectionSampled: "sectionSampled"
        case .sectionDecoded: "sectionDecoded"
        case .note: "note"
        case .done: "done"
        }
    }

    /// The event as one line of JSON.
    public func json() throws -> Data {
        try JSONEncoder.line.encode(self)
    }
}
