import Media
import Models
public import Torch

/// A whole generation with tensors in and tensors out, to be held against a reference: the row
/// `pipeline` of `framepack probe`.
///
/// The arithmetic is the reference's; nothing is rounded that a float32 run does not round.
public enum PipelineProbe {
    /// What is asked for.
    public struct Options: Sendable {
        /// The order of the sections.
        public var order = SamplingOrder.inverted
        /// Latents of a section.
        public var window = 9
        /// Sections of the video.
        public var sections = 1
        /// Steps of a section.
        public var steps = 25
        /// The sampler.
        public var sampler = SamplerChoice.unipc
        /// Distilled guidance.
        public var guidance = 10.0
        /// True guidance.
        public var cfg = 1.0
        /// The prompt.
        public var prompt = ""
        /// The negative prompt; matters only where `cfg` is not 1.
        public var negativePrompt = ""
        /// The seed, where the noise is not given.
        public var seed = 31337
        /// What reuses work between steps.
        public var stepCache = StepCacheChoice.none
        /// The threshold of the step cache; nil for the cache's own.
        public var threshold: Double?
        /// LoRA files with their strengths.
        public var lora: [AppliedLoRA] = []
        /// Takes the picture's own size instead of a bucket's.
        public var keepsSize = false
        /// The arithmetic.
        public var dtype = DType.float32

        /// The reference's defaults.
        public init() {}

        /// The options as a request, whose ranges they share.
        func request() throws -> GenerationRequest {
            // An empty prompt is a prompt here, as it is to the reference; to people it is a slip.
            var request = GenerationRequest(
                prompt: prompt.isEmpty ? "empty" : prompt, image: "image")
            (request.order, request.window) = (order, window)
            (request.steps, request.sampler) = (steps, sampler)
            (request.guidance, request.cfg) = (guidance, cfg)
            (request.negativePrompt, request.seed) = (negativePrompt, seed)
            (request.stepCache, request.threshold) = (stepCache, threshold)
            request.lora = lora
            request.parity = true
            try SettingRange.check("sections", sections, in: 1...1000)
            try SettingRange.check("window", window, in: GenerationRequest.Limits.window)
            request.frames = VideoLength.frameCount(latents: sections * window + 1)
            try request.validate()
            return request
        }
    }

    /// Runs a model.
    ///
    /// - Parameters:
    ///   - model: The whole model.
    ///   - inputs: `image`, uint8 `(H, W, 3)`; optionally `noise.0`, the draw for the start latent,
    ///     and `noise.1` and so on, one a section. Names may begin with `in.`.
    ///   - options: What is asked for.
    ///   - device: Where to compute.
    /// - Returns: `start_latent`, `image_embeds`, `prompt_embeds`, `pooled_prompt_embeds`,
    ///   `latents` `(1, 16, F, h, w)`, `generated_section0` and so on, and `pixels`
    ///   `(1, 3, 4F-3, H, W)`, as joined, not clamped.
    /// - Throws: `FramePackError.invalidSetting` that names an option or a tensor.
    public static func run(
        _ model: ModelFolder, inputs: [String: Tensor], options: Options, device: Device = .cpu
    ) throws -> [String: Tensor] {
        if device.kind == .cuda { try Accelerator.loadCUDA() }
        return try Kernels.plainly {
            try ProbeRun(model, inputs: ProbeInputs(inputs), options: options, device: device).run()
        }
    }
}

/// The probe's input tensors by their plain names.
private struct ProbeInputs {
    private var tensors: [String: Tensor] = [:]

    init(_ named: [String: Tensor]) throws {
        let ignored = ["out.", "alt.", "probe.", "stage.", "rounded."]
        for (name, tensor) in named where !ignored.contains(where: name.hasPrefix) {
            let plain = name.hasPrefix("in.") ? String(name.dropFirst(3)) : name
            let isNoise = plain.hasPrefix("noise.") && Int(plain.dropFirst(6)) != nil
            guard plain == "image" || isNoise else {
                throw FramePackError.invalidSetting(
                    name: name, found: "a tensor that the pipeline does not know",
                    wanted: "image or noise.N")
            }
            tensors[plain] = tensor
        }
    }

    /// Noise must belong to the start or to a section.
    func checkNoise(sections: Int) throws {
        for name in tensors.keys.sorted() where name.hasPrefix("noise.") {
            guard let number = Int(name.dropFirst(6)), !(0...sections).contains(number) else {
                continue
            }
            throw FramePackError.invalidSetting(
                name: name, found: "the noise of no section",
                wanted: "one of noise.0 to noise.\(sections)")
        }
    }

    func image() throws -> Picture {
        guard let image = tensors["image"] else {
            throw FramePackError.invalidSetting(
                name: "image", found: "missing", wanted: "uint8 of the shape (H, W, 3)")
        }
        return try ImageEncoder.picture(image)
    }

    /// Noise that was given, checked; nil where the seed decides.
    func noise(_ number: Int, shape: [Int]) throws -> Tensor? {
        guard let noise = tensors["noise.\(number)"] else { return nil }
        guard noise.shape == shape else {
            throw FramePackError.invalidSetting(
                name: "noise.\(number)", found: "of the shape \(noise.shape)",
                wanted: "of the shape \(shape)")
        }
        return try noise.to(.float32)
    }
}

/// One run of the probe.
private struct ProbeRun {
    let options: PipelineProbe.Options
    let inputs: ProbeInputs
    let request: GenerationRequest
    let plan: SectionPlan
    let picture: Picture
    let size: FrameSize
    let library: ModelLibrary

    init(
        _ model: ModelFolder, inputs: ProbeInputs, options: PipelineProbe.Options, device: Device
    ) throws {
        (self.options, self.inputs) = (options, inputs)
        request = try options.request()
        plan = try request.plan()
        try inputs.checkNoise(sections: plan.sections.count)
        let image = try inputs.image()
        let own = FrameSize(height: image.height, width: image.width)
        size = options.keepsSize ? own : Buckets.released.nearest(to: own)
        for (name, side) in [("height", size.height), ("width", size.width)] {
            guard side % FrameSize.multiple == 0 else {
                throw FramePackError.invalidSetting(
                    name: "image", found: "\(side) pixels in \(name)",
                    wanted: "a multiple of 16 each way")
            }
        }
        picture = image.resizedAndCentreCropped(width: size.width, height: size.height)
        var precision = Precision.uniform(options.dtype)
        precision.roundsConditions = options.dtype == .bfloat16
        library = ModelLibrary(model, device: device, precision: precision)
    }

    func run() throws -> [String: Tensor] {
        let noise = try SectionNoise(seed: request.seed, plan: plan, size: size)
        let device = library.device
        let encoder = try library.promptEncoder(parity: true)
        let prompt = try encoder(options.prompt)
        let negative =
            request.guidanceSettings.needsNegative ? try encoder(request.negativePrompt) : nil
        let vision = try ImageEncoder.vision(
            picture, library.visionSettings(), library.visionEncoder(), dtype: options.dtype)
        let draw = try noise.picture()
        let start = try ImageEncoder.latent(
            picture, library.vae(), noise: inputs.noise(0, shape: draw.shape) ?? draw,
            dtype: options.dtype, device: device)

        var outputs = [
            "start_latent": start, "image_embeds": vision, "prompt_embeds": prompt.embeds,
            "pooled_prompt_embeds": prompt.pooled,
        ]
        var history = try request.history(plan, start: start, library)
        let decoder = FrameDecoder(
            try library.vae(), plan: plan, dtype: options.dtype, device: device)
        var append = SoftAppend(plan)
        var pixels: [Int: Tensor] = [:]
        let sampler = try request.sectionSampler(library, size: size, memory: nil) {}
        for section in plan.sections {
            let own = try noise.section(section.number)
            try library.adapt(request.lora, during: plan.time(of: section))
            let given = try inputs.noise(section.number + 1, shape: own.shape)
            let latents = try sampler.sample(
                section: section.number, noise: (given ?? own).to(device),
                context: history.context(of: section, on: device),
                prompt: prompt.conditioning(vision: vision, on: device),
                negative: negative?.conditioning(vision: vision, on: device)
            ).to(.cpu, .float32)
            outputs["generated_section\(section.number)"] = latents
            try history.add(latents, of: section)
            guard !section.decodedLatents.isEmpty else { continue }
            let decoded = try decoder.decode(after: section, history)
            pixels[section.newFrames.lowerBound] = try append.join(decoded, after: section)
        }
        outputs["latents"] = try history.latents(0..<plan.latentCount)
        outputs["pixels"] = try .cat(
            pixels.sorted { $0.key < $1.key }.map(\.value), axis: 2)
        return outputs
    }
}
