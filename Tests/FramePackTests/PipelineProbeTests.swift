import Checkpoints
import Foundation
import FramePack
import TestSupport
import Testing
import Torch

/// A stored run of the official program.
private struct PipelineCase {
    let tensors: [String: Tensor]
    let options: PipelineProbe.Options

    init(_ name: String) throws {
        let file = try SafetensorsFile(Fixtures.url("\(name).safetensors"))
        tensors = try file.tensors()
        options = try Self.options(file.metadata["options"] ?? Self.provided)
    }

    /// The options of the case that came with the project.
    private static let provided = """
        --order inverted --window 3 --sections 3 --steps 5 --sampler unipc --guidance 10 \
        --no-resize --prompt "The girl dances gracefully, with clear movements, full of charm."
        """

    private static func options(_ text: String) throws -> PipelineProbe.Options {
        var words: [String] = []
        for (index, part) in text.components(separatedBy: "\"").enumerated() {
            words += index % 2 == 1 ? [part] : part.split(separator: " ").map(String.init)
        }
        var options = PipelineProbe.Options()
        while !words.isEmpty {
            let name = words.removeFirst()
            if name == "--no-resize" {
                options.keepsSize = true
                continue
            }
            let value = words.removeFirst()
            switch name {
            case "--order": options.order = try #require(SamplingOrder(rawValue: value))
            case "--window": options.window = try #require(Int(value))
            case "--sections": options.sections = try #require(Int(value))
            case "--steps": options.steps = try #require(Int(value))
            case "--sampler": options.sampler = try #require(SamplerChoice(rawValue: value))
            case "--guidance": options.guidance = try #require(Double(value))
            case "--cfg": options.cfg = try #require(Double(value))
            case "--prompt": options.prompt = value
            case "--negative-prompt": options.negativePrompt = value
            case "--seed": options.seed = try #require(Int(value))
            case "--step-cache":
                options.stepCache = try #require(StepCacheChoice(rawValue: value))
            case "--threshold":
                let threshold = try #require(Double(value))
                options.threshold = threshold
            default: Issue.record("the option \(name) is unknown")
            }
        }
        return options
    }
}

@Suite struct PipelineProbeTests {
    static let cases = [
        "goldens/pipeline/official_i2v", "pipeline/f1_w2", "pipeline/f1_w3_wide",
        "pipeline/inverted_cfg2", "pipeline/inverted_single", "pipeline/inverted_teacache",
        "pipeline/inverted_w2_n5",
    ]

    @Test(arguments: cases) func runIsTheReferences(name: String) throws {
        let wanted = try PipelineCase(name)
        let outputs = try PipelineProbe.run(
            tinyModel(), inputs: wanted.tensors, options: wanted.options)
        func hold(_ ours: String, _ theirs: String, _ bound: Double) throws {
            try expectClose(
                #require(outputs[ours]), #require(wanted.tensors[theirs]), absolute: bound,
                relative: bound, "\(name) \(ours)")
        }
        try hold("start_latent", "stage.start_latent", 5e-5)
        try hold("image_embeds", "stage.image_embeds", 5e-5)
        try hold("prompt_embeds", "stage.llama_vec_padded", 5e-5)
        try hold("pooled_prompt_embeds", "stage.clip_pooler", 5e-5)
        for section in 0..<wanted.options.sections {
            try hold("generated_section\(section)", "out.generated_section\(section)", 1e-4)
        }
        try hold("latents", "out.latents", 1e-4)
        try hold("pixels", "out.pixels", 2e-3)
    }

    /// Our own cases were drawn from the seed that they name.
    @Test(arguments: cases.dropFirst()) func seedGivesTheStoredNoise(name: String) throws {
        let wanted = try PipelineCase(name)
        let first = try #require(wanted.tensors["noise.1"])
        let size = FrameSize(height: 8 * first.dim(3), width: 8 * first.dim(4))
        let noise = try SectionNoise(
            seed: wanted.options.seed,
            plan: SectionPlan(
                order: .f1,
                length: .frames(4 * wanted.options.window * wanted.options.sections + 1),
                window: wanted.options.window, timeline: PromptTimeline("a")), size: size)
        try expectClose(
            noise.picture(), #require(wanted.tensors["noise.0"]), absolute: 1e-6, relative: 0)
        for section in 0..<wanted.options.sections {
            try expectClose(
                noise.section(section), #require(wanted.tensors["noise.\(section + 1)"]),
                absolute: 1e-6, relative: 0, "\(name) noise \(section)")
        }
    }

    @Test func unknownTensorIsNamed() throws {
        var options = PipelineProbe.Options()
        options.prompt = "a"
        let inputs = ["picture": try Tensor.zeros([16, 16, 3], dtype: .uint8)]
        #expect {
            try PipelineProbe.run(tinyModel(), inputs: inputs, options: options)
        } throws: {
            "\($0)".contains("picture")
        }
        #expect {
            try PipelineProbe.run(tinyModel(), inputs: [:], options: options)
        } throws: {
            "\($0)".contains("image is missing")
        }
    }

    @Test func noiseOfAnotherShapeIsNamed() throws {
        var options = PipelineProbe.Options()
        (options.prompt, options.keepsSize, options.window) = ("a", true, 1)
        let inputs = [
            "image": try Tensor.zeros([32, 32, 3], dtype: .uint8),
            "noise.1": try Tensor.zeros([1, 16, 2, 4, 4]),
        ]
        #expect {
            try PipelineProbe.run(tinyModel(), inputs: inputs, options: options)
        } throws: {
            "\($0)".contains("noise.1")
        }
    }
}
