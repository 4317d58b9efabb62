import ArgumentParser
import Foundation
import FramePack
import Models
import Torch

/// `framepack probe`.
struct ProbeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Run one component: tensors in, tensors out.",
        discussion: """
            Reads a safetensors file (JSON for tokenize), runs one component of a model on it, \
            and writes what it gives, so that it can be held against a reference implementation. \
            A tensor's name may have the prefix in.
            """)

    @Argument(help: "What is run.")
    var component: ProbeComponent
    @OptionGroup(title: "Files and arithmetic") var files: ProbeFileOptions
    @OptionGroup(title: "vae-encode, vae-decode") var tiles: ProbeTileOptions
    @OptionGroup(title: "llama, sigmas, sample, transformer") var settings: ProbeSettings
    @OptionGroup(title: "pipeline") var pipeline: ProbePipelineOptions

    func run() throws {
        var options = ProbeOptions()
        options.device = try files.device.resolved()
        options.dtype = files.dtype.dtype
        options.tiling = tiles.tiling
        options.streaming = tiles.streaming
        settings.apply(to: &options)
        pipeline.apply(to: &options)
        func url(_ path: String?) -> URL? { path.map { URL(fileURLWithPath: $0) } }
        try ComponentProbe(component, options: options).run(
            model: url(files.model), input: url(files.input),
            output: URL(fileURLWithPath: files.output))
    }
}

/// What every component reads.
struct ProbeFileOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The component's folder.", valueName: "folder"))
    var model: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("A safetensors file; JSON for tokenize.", valueName: "file"))
    var input: String?
    @Option(
        parsing: .unconditional, help: ArgumentHelp("What is written.", valueName: "file"))
    var output: String
    @Option(parsing: .unconditional, help: "cpu, cuda or cuda:N.")
    var device = DeviceOption(device: .cpu)
    @Option(parsing: .unconditional, help: "The arithmetic.")
    var dtype = PrecisionChoice.f32
}

/// How a VAE cuts its input.
struct ProbeTileOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Height of spatial tiles; switches them on.", valueName: "pixels"))
    var tileHeight: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Width of spatial tiles; switches them on.", valueName: "pixels"))
    var tileWidth: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Distance of tiles from top to top. (default: 3/4 of the height)",
            valueName: "pixels"))
    var tileStrideHeight: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Distance of tiles from left to left. (default: 3/4 of the width)",
            valueName: "pixels"))
    var tileStrideWidth: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Length of temporal tiles. (default: 16)", valueName: "frames"))
    var tileFrames: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Distance of temporal tiles. (default: 12)", valueName: "frames"))
    var tileStrideFrames: Int?
    @Flag(help: "Encode or decode all frames as one piece.")
    var noTemporalTiling = false
    @Flag(help: "Decode each latent once, keeping what the decoder needs of those before.")
    var streaming = false

    func validate() throws {
        let space = [tileHeight, tileWidth, tileStrideHeight, tileStrideWidth]
        let hasFrames = tileFrames != nil || tileStrideFrames != nil
        if noTemporalTiling, hasFrames {
            throw ValidationError("--no-temporal-tiling does not go with --tile-frames; drop one")
        }
        if streaming, hasFrames || space.contains(where: { $0 != nil }) {
            throw ValidationError("--streaming decodes without tiles; drop the --tile options")
        }
    }

    /// The plan of tiles; the reference's where nothing is given.
    var tiling: VAETiling {
        var tiling = VAETiling.reference
        let isSpatial = [tileHeight, tileWidth, tileStrideHeight, tileStrideWidth]
            .contains { $0 != nil }
        if isSpatial {
            tiling.height = axis(tileHeight, tileStrideHeight, size: 256)
            tiling.width = axis(tileWidth, tileStrideWidth, size: 256)
        }
        tiling.frames = noTemporalTiling ? nil : axis(tileFrames, tileStrideFrames, size: 16)
        return tiling
    }

    private func axis(_ size: Int?, _ stride: Int?, size standard: Int) -> VAETiling.Axis {
        let size = size ?? standard
        return VAETiling.Axis(size: size, stride: stride ?? size - size / 4)
    }
}

/// What single components read.
struct ProbeSettings: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "llama: positions that are cut off in front. (default: 95)", valueName: "count"))
    var crop: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "sigmas, sample: tokens of the generated latents alone.", valueName: "count"))
    var tokens: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("sigmas, sample, pipeline: steps.", valueName: "count"))
    var steps: Int?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "sigmas, sample: shift. (default: the official rule)", valueName: "number"))
    var shift: Double?
    @Option(
        parsing: .unconditional, help: "sample, pipeline: the sampler.")
    var sampler = SamplerChoice.unipc
    @Option(
        parsing: .unconditional, help: "sample: the closed form.")
    var function = ClosedForm.tanh
    @Option(parsing: .unconditional, help: "transformer, pipeline: the cache.")
    var stepCache = StepCacheChoice.none
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Threshold of the step cache. (default: the cache's own)", valueName: "number"))
    var threshold: Double?
    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "transformer, pipeline: a LoRA file; may be repeated.", valueName: "file:strength"))
    var lora: [LoRAArgument] = []

    func apply(to options: inout ProbeOptions) {
        options.crop = crop
        options.lora = lora.map(\.lora)
        options.tokens = tokens
        options.steps = steps
        options.shift = shift
        options.sampler = sampler
        options.function = function
        options.stepCache = stepCache
        options.threshold = threshold
    }
}

/// What the whole pipeline reads.
struct ProbePipelineOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "Order of the sections.")
    var order = SamplingOrder.inverted
    @Option(
        parsing: .unconditional, help: ArgumentHelp("Latents of a section.", valueName: "count"))
    var window = 9
    @Option(
        parsing: .unconditional, help: ArgumentHelp("Sections.", valueName: "count"))
    var sections = 1
    @Option(
        parsing: .unconditional, help: ArgumentHelp("Distilled guidance.", valueName: "number"))
    var guidance = 10.0
    @Option(
        parsing: .unconditional, help: ArgumentHelp("True guidance.", valueName: "number"))
    var cfg = 1.0
    @Option(parsing: .unconditional, help: "The prompt.")
    var prompt = ""
    @Option(parsing: .unconditional, help: "The negative prompt.")
    var negativePrompt = ""
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Decides where the input has no noise.", valueName: "number"))
    var seed = 31337
    @Flag(help: "Take the picture's own size instead of a bucket.")
    var noResize = false

    func apply(to options: inout ProbeOptions) {
        options.order = order
        options.window = window
        options.sections = sections
        options.guidance = guidance
        options.cfg = cfg
        options.prompt = prompt
        options.negativePrompt = negativePrompt
        options.seed = seed
        options.keepsSize = noResize
    }
}
