import ArgumentParser
import Foundation
import FramePack

/// What is shown.
struct ContentOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "What moves, and how.")
    var prompt: String?
    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "A further prompt from a time on, such as 2.5:\"she bows\"; may be repeated.",
            valueName: "seconds:text"))
    var promptAt: [TimedPromptArgument] = []
    @Option(
        parsing: .unconditional, help: "What the video shall not show; matters with --cfg above 1.")
    var negativePrompt: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The picture that the video begins with; without one it starts from the text alone.",
            valueName: "file"))
    var image: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The picture that the video runs towards (order inverted).", valueName: "file"))
    var endImage: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Take all settings from a video that framepack made, or from its JSON file.",
            valueName: "file"))
    var like: String?
}

/// How long and how large.
struct FormOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Length, rounded to whole sections. (default: 5)", valueName: "seconds"))
    var seconds: Double?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Length in frames, exactly.", valueName: "count"))
    var frames: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Frames per second, 1 to 120. (default: 30)", valueName: "rate"))
    var fps: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Width, a multiple of 16. (default: by the picture)", valueName: "pixels"))
    var width: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Height, a multiple of 16. (default: by the picture)", valueName: "pixels"))
    var height: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Side of a square of the wanted area. (default: the model's)", valueName: "pixels"))
    var resolution: Int?
}

/// How it is generated.
struct SamplingOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: "Order of the sections. (default: the model's)")
    var order: SamplingOrder?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How the context is packed, such as td_f16k4f4k2f1k1_g9; see docs/packing.md. "
                + "(default: the released models' levels)", valueName: "name"),
        transform: { name in Result { () throws(PackingNameError) in try Packing(name: name) } })
    var packing: Result<Packing, PackingNameError>?
    @Option(
        parsing: .unconditional,
        help: "Which latents of the history are packed finest. (default: time)")
    var historyOrder: HistoryOrder?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How much time counts in hybrid history order, 0 to 1000. (default: 1)",
            valueName: "number"))
    var historyTimeWeight: Double?
    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "A time that is generated first in order planned, such as 4.8:\"she bows\" or just "
                + "4.8; may be repeated.", valueName: "seconds[:text]"))
    var endpoint: [EndpointArgument] = []
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Latents that a section generates, 1 to 1000. (default: 9)", valueName: "count"))
    var window: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Seed of all noise. (default: 31337)", valueName: "number"))
    var seed: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Steps of a section, 1 to 100. (default: the model's, 25)", valueName: "count"))
    var steps: Int?
    @Option(
        parsing: .unconditional, help: "The sampler. (default: unipc)")
    var sampler: SamplerChoice?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Shift of the noise levels, 0.01 to 100. (default: by the size)", valueName: "number"))
    var shift: Double?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Distilled guidance, 1 to 32. (default: the model's)", valueName: "number"))
    var guidance: Double?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "True guidance, 1 to 32; all but 1 takes twice as long. (default: the model's)",
            valueName: "number"))
    var cfg: Double?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How much of the contrast of --cfg is taken back, 0 to 1. (default: 0)",
            valueName: "number"))
    var guidanceRescale: Double?
    @Option(
        parsing: .unconditional,
        help: "What reuses work between steps; see docs/step-caches.md. (default: none)")
    var stepCache: StepCacheChoice?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Threshold of the step cache, 0 (exact) to 1. (default: the cache's own)",
            valueName: "number"))
    var threshold: Double?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Reuse the history's and the text's keys and values, computed anew in every so many steps. "
                + "(default: 1, exact)", valueName: "steps"))
    var contextRefresh: Int?
    @Flag(
        inversion: .prefixedNo,
        help: "The reference's numbers, roundings and all, not the clean mode.")
    var parity: Bool?
}

/// How it is computed and written.
struct OutputOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "A model's folder, or a JSON file that names its parts' folders. (default: "
                + "FRAMEPACK_MODELS, or the small one that ships)", valueName: "folder"))
    var model: String?
    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "A LoRA file and its strength, such as style.safetensors:0.8; may be repeated. "
                + ":0.8,0.3@2.5 is 0.8, and 0.3 from 2.5 s on.", valueName: "file:strength"))
    var lora: [LoRAArgument] = []
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The video: .mp4, .gif or .webp, or a folder/ of PNG files. (default: output.mp4)",
            valueName: "file"))
    var output: String?
    @Option(
        parsing: .unconditional, help: "Form of the output. (default: by its name)")
    var format: OutputFormat?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Quality of the mp4, 0 (best) to 51. (default: 16)", valueName: "number"))
    var crf: Int?
    @Option(
        parsing: .unconditional,
        help: "How latents become frames. (default: windows)")
    var decode: DecodeChoice?
    @Flag(inversion: .prefixedNo, help: "Decode in spatial tiles, which takes less memory.")
    var tiling: Bool?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Number type of the transformer; f32 holds for encoders and VAE too. (default: as "
                + "stored; where a CPU multiplies bfloat16, the VAE decodes in it)"))
    var dtype: PrecisionChoice?
    @Option(
        parsing: .unconditional,
        help:
            "How the transformer's weights are held; see docs/weight-formats.md. (default: stored)")
    var weightFormat: WeightFormatChoice?
    @Flag(inversion: .prefixedNo, help: "Keep the job's folder after success.")
    var keepJob: Bool?
}

/// A planned endpoint, written as `4.8` or `4.8:she bows`.
struct EndpointArgument: ExpressibleByArgument {
    let endpoint: PlannedEndpoint

    init?(argument: String) {
        let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let seconds = Double(parts[0].trimmingCharacters(in: .whitespaces)) else {
            return nil
        }
        let text = parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : nil
        endpoint = PlannedEndpoint(seconds: seconds, text: text)
    }
}

/// A prompt with its time, written as `2.5:she bows`.
struct TimedPromptArgument: ExpressibleByArgument {
    let prompt: TimedPrompt

    init?(argument: String) {
        guard let colon = argument.firstIndex(of: ":"),
            let seconds = Double(argument[..<colon].trimmingCharacters(in: .whitespaces))
        else { return nil }
        let text = argument[argument.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        prompt = TimedPrompt(seconds: seconds, text: text)
    }
}

/// A LoRA file with its strengths, written as `style.safetensors:0.8,0.3@2.5`.
struct LoRAArgument: ExpressibleByArgument {
    let lora: AppliedLoRA

    init?(argument: String) {
        // A path may hold colons: only an ending that reads as strengths is one.
        guard let colon = argument.lastIndex(of: ":"),
            let (first, later) = Self.strengths(argument[argument.index(after: colon)...])
        else {
            lora = AppliedLoRA(argument)
            return
        }
        lora = AppliedLoRA(String(argument[..<colon]), strength: first, at: later)
    }

    /// The strengths in `0.8,0.3@2.5,0@4`; nil where it is anything else.
    private static func strengths(_ text: Substring) -> (Double, [TimedStrength])? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard let first = parts.first.flatMap(Double.init) else { return nil }
        var later: [TimedStrength] = []
        for part in parts.dropFirst() {
            let numbers = part.split(separator: "@", omittingEmptySubsequences: false)
                .map { Double($0) }
            guard numbers.count == 2, let strength = numbers[0], let seconds = numbers[1] else {
                return nil
            }
            later.append(TimedStrength(seconds: seconds, strength: strength))
        }
        return (first, later)
    }
}
