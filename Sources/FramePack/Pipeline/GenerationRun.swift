import Foundation
import Media
import Models
import Torch

/// One generation from its job's folder to its output: what is there already is used, what is
/// missing is made.
final class GenerationRun {
    let planned: PlannedGeneration
    let job: Job
    let library: ModelLibrary
    let token: CancellationToken
    let frames: FrameStore
    let noise: SectionNoise
    var meter: ProgressMeter
    private var kernelNotes = KernelNotes()
    private let options: PipelineOptions
    private let memory: RunMemory
    private let conditionings: KnownConditionings<Int>
    /// The cache of embeddings, and how this run's are called there.
    let embeddings: (cache: EmbeddingCache, keys: EmbeddingKeys)?
    private let report: (PipelineEvent) -> Void
    /// What was done last, as the beginning of an error's sentence.
    private(set) var place = "Loading the model"

    var plan: SectionPlan { planned.plan }
    var request: GenerationRequest { planned.request }

    init(
        _ planned: PlannedGeneration, job: Job, library: ModelLibrary, options: PipelineOptions,
        token: CancellationToken, report: @escaping (PipelineEvent) -> Void
    ) throws {
        (self.planned, self.job, self.library) = (planned, job, library)
        (self.options, self.token, self.report) = (options, token, report)
        memory = RunMemory(
            limit: min(options.memoryLimit, library.memory.chunks.keptConditions))
        conditionings = KnownConditionings(on: library.device)
        embeddings = try options.embeddings.flatMap { cache in
            guard !planned.request.parity else { return nil }
            return (
                cache, try EmbeddingKeys(planned.model, library.precision, on: library.device)
            )
        }
        frames = try FrameStore(job, plan: planned.plan, size: planned.size)
        noise = try SectionNoise(
            seed: planned.request.seed, plan: planned.plan, size: planned.size)
        meter = ProgressMeter(
            sections: planned.plan.sections.count, steps: planned.request.steps)
    }

    /// Makes the video.
    func run() throws -> GenerationResult {
        let conditions = try conditions()
        try library.release([.textEncoder, .textEncoder2, .imageEncoder])
        let decodesLast = request.decode == .streaming && !plan.order.finishesForward
        var history = try request.history(
            plan, start: conditions.start, end: conditions.end, library,
            retention: decodesLast ? .whileSeen : .whileSeenOrDecoded)
        if decodesLast {
            try sampleAll(&history, conditions)
            try decodeStream(from: conditions.start)
        } else if request.decode == .streaming {
            try sampleAndStream(&history, conditions)
        } else {
            try sampleAndDecode(&history, conditions)
        }
        return try finish()
    }

    // MARK: - Sampling

    /// Stands for the negative prompt among the prompts' numbers.
    private static let negativeNumber = -1

    private func sampleAndDecode(_ history: inout LatentHistory, _ conditions: Conditions) throws {
        let joiner = WindowJoiner(self, request.vaeTiling)
        for section in plan.sections {
            if !library.memory.keepsVAE { try library.release([.vae]) }
            try takeLatents(of: section, &history, conditions)
            try joiner.decode(section, history)
        }
    }

    private func sampleAndStream(_ history: inout LatentHistory, _ conditions: Conditions) throws {
        let stream = FrameStream(self, try library.vae())
        for section in plan.sections {
            try takeLatents(of: section, &history, conditions)
            try stream.decode(section, history.latents(section.newLatents))
        }
    }

    private func sampleAll(_ history: inout LatentHistory, _ conditions: Conditions) throws {
        for section in plan.sections { try takeLatents(of: section, &history, conditions) }
        try library.release([.transformer])
        memory.removeAll()
    }

    /// Decodes a video whose latents all lie in the job's folder, section by section in time.
    private func decodeStream(from start: Tensor) throws {
        let stream = FrameStream(self, try library.vae())
        for section in sectionsInTime {
            try stream.decode(section, storedLatents(section.newLatents, start))
        }
    }

    /// Latents of sections that are finished, by their numbers in the video, `(1, 16, F, h, w)`.
    private func storedLatents(_ range: Range<Int>, _ start: Tensor) throws -> Tensor {
        var parts: [Int: Tensor] = range.contains(0) ? [0: start] : [:]
        for section in plan.sections {
            let wanted = section.pieces.filter { $0.latents.overlaps(range) }
            guard !wanted.isEmpty else { continue }
            let name = Self.latentsFile(section)
            guard let stored = try job.tensors(name)?["latents"] else {
                throw FramePackError.job(
                    "\(job.file(name).path) came to harm while the video was made; go on with "
                        + "`framepack resume`.")
            }
            for piece in wanted {
                let kept = piece.latents.clamped(to: range)
                let before = section.pieces.prefix { $0.place != piece.place }
                    .reduce(0) { $0 + $1.latents.count }
                parts[kept.lowerBound] = try stored.narrow(
                    2, before + kept.lowerBound - piece.latents.lowerBound, kept.count)
            }
        }
        return try .cat(parts.sorted { $0.key < $1.key }.map(\.value), axis: 2)
    }

    private static func latentsFile(_ section: Section) -> String {
        "section-\(threeDigits(section.number)).safetensors"
    }

    /// Finds or samples a section's latents, and adds them to the history.
    private func takeLatents(
        of section: Section, _ history: inout LatentHistory, _ conditions: Conditions
    ) throws {
        let name = Self.latentsFile(section)
        let count = plan.sections.count
        let shape = noise.shape(of: section.number)
        if let found = try job.tensors(name)?["latents"], found.shape == shape {
            meter.sectionFound()
            try history.add(found, of: section)
            return
        }
        try begin(.sample, "Sampling section \(section.number + 1) of \(count)")
        let latents = try sample(section, history, conditions)
        try job.write(["latents": latents], name)
        try history.add(latents, of: section)
        try emit(.sectionSampled(section: section.number + 1, sections: count))
        for note in kernelNotes.choices() { try emit(.note(note)) }
    }

    private func sample(_ section: Section, _ history: LatentHistory, _ conditions: Conditions)
        throws -> Tensor
    {
        let device = library.device
        try library.adapt(request.lora, during: plan.time(of: section))
        let sampler = try request.sectionSampler(
            library, size: planned.size, memory: memory
        ) { [token] in try token.check() }
        let number = section.promptNumber
        let preview = LatentPreview(planned.model.settings.preview ?? .released)
        var began = Date()
        return try sampler.sample(
            section, after: history, noise: noise, on: device,
            prompt: conditionings(number, conditions.prompts[number], conditions.vision),
            negative: conditions.negative.map {
                try conditionings(Self.negativeNumber, $0, conditions.vision)
            }
        ) { step in
            try token.check()
            meter.stepDone(seconds: Date().timeIntervalSince(began))
            try emit(
                .step(
                    section: section.number + 1, sections: plan.sections.count,
                    step: step.step + 1, steps: step.stepCount))
            if options.previews {
                try emit(
                    .preview(section: section.number + 1, preview.strip(step.denoised)))
            }
            began = Date()
        }
    }

    // MARK: - Output

    private func finish() throws -> GenerationResult {
        try begin(.write, "Writing \(request.output)")
        let output = URL(fileURLWithPath: request.output).standardizedFileURL
        let sidecar = Sidecar(request: request, model: planned.model.name)
        let file = Sidecar.file(for: request.output)
        if let kept = try EarlierOutput(request.output).keep(unlessOf: sidecar) {
            try emit(.note("The earlier \(output.lastPathComponent) is now \(kept.path)."))
        }
        let withFrames = sectionsInTime.filter { !frames.kept(finishedFrames(after: $0)).isEmpty }
        try frames.finish(withFrames, to: output, comment: sidecar.line()) { try token.check() }
        try sidecar.write(to: file)
        meter.begin(nil)
        let result = GenerationResult(
            output: output.path, sidecar: file.path, job: request.keepJob ? job.url.path : nil,
            frames: plan.frameCount, width: planned.size.width, height: planned.size.height,
            fps: plan.framesPerSecond, seconds: meter.seconds, stages: meter.stages,
            secondsPerFrame: meter.seconds / Double(plan.frameCount))
        try emit(.done(result))
        if !request.keepJob { try job.remove() }
        return result
    }

    /// The sections in the order of the frames that they add.
    private var sectionsInTime: [Section] {
        plan.sections.sorted { $0.newFrames.lowerBound < $1.newFrames.lowerBound }
    }

    /// The frames that a section finishes, as the request decodes.
    func finishedFrames(after section: Section) -> Range<Int> {
        request.decode == .streaming ? section.newFrames : plan.finishedFrames(after: section)
    }

    // MARK: - Events

    func emit(_ kind: PipelineEvent.Kind) throws {
        let event = PipelineEvent(
            kind: kind, progress: meter.progress, secondsLeft: meter.secondsLeft,
            seconds: meter.seconds)
        report(event)
        if case .preview = kind { return }
        try job.append(event)
    }

    func begin(_ stage: Stage, _ place: String) throws {
        try token.check()
        self.place = place
        meter.begin(stage)
        try emit(.stage(stage))
    }
}

/// A number of a section in a file's name.
func threeDigits(_ number: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 3 - digits.count)) + digits
}
