import Checkpoints
public import Foundation
import Media
import Models
public import Torch

/// How a pipeline runs, beside what is asked of it.
public struct PipelineOptions: Sendable {
    /// Where the networks compute.
    public var device: Device = .cpu
    /// Whether there is a picture of the latents after each step.
    public var previews = true
    /// Which kernels compute; a request with `parity` has the plain ones.
    public var kernels = Kernels.fused
    /// Whether fp8 weights are multiplied in 8 bits on a GPU that can, with activations rounded; not for
    /// a request with `parity`.
    public var multipliesFP8 = false
    /// The bytes that are kept at most of what the transformer would compute again from step to step
    /// and from section to section; 0 keeps nothing, to the same bits.
    public var memoryLimit = RunMemory.defaultLimit
    /// What may be taken of memory; it is kept, or the run is refused.
    ///
    /// From a run with a budget of RAM on, the process keeps less freed memory for later.
    public var budget = MemoryBudget()
    /// Where embeddings of prompts and pictures are kept for later runs, but for those of a request
    /// with `parity`; nil for nowhere.
    public var embeddings: EmbeddingCache?

    /// On the CPU, with previews and without a cache of embeddings.
    public init() {}
}

/// Makes videos from requests with one model.
public final class Pipeline {
    private let model: ModelFolder
    private let options: PipelineOptions

    /// Makes a pipeline; nothing is loaded yet.
    public init(_ model: ModelFolder, options: PipelineOptions = PipelineOptions()) {
        (self.model, self.options) = (model, options)
    }

    /// Makes a video.
    ///
    /// A job that an earlier run of the same request left unfinished is continued.
    ///
    /// - Parameters:
    ///   - request: What is asked for; relative paths are taken from the current folder.
    ///   - cancellation: Ends the run from another thread.
    ///   - events: Called on this thread for everything that happens.
    /// - Throws: `FramePackError` for an invalid request, a model that lacks a part, a job of
    ///   another request, NaN, memory that does not suffice, or a cancelled run; `MediaError` and
    ///   `CheckpointError` for files. What was finished stays in the job's folder.
    public func run(
        _ request: GenerationRequest, cancellation: CancellationToken = CancellationToken(),
        events: @escaping (PipelineEvent) -> Void = { _ in }
    ) throws -> GenerationResult {
        let planned = try PlannedGeneration(request.withAbsolutePaths(model), model: model)
        try model.requireAll()
        try OutputCheck(planned.request).run(isResumed: false)
        let memory = try memoryPlan(planned)
        let report = planned.report(
            on: options.device, kernels: options.kernels, memory: memory)
        let job = try Job(planned, report: report)
        let notes = notes(on: planned) + (memory?.note.map { [$0] } ?? [])
        return try run(planned, report, job, notes: notes, cancellation, events)
    }

    /// Continues a job.
    ///
    /// Its latents become the same bytes as those of an undisturbed run.
    ///
    /// - Parameters:
    ///   - folder: The job's folder.
    ///   - cancellation: Ends the run from another thread.
    ///   - events: Called on this thread for everything that happens.
    /// - Throws: As ``run(_:cancellation:events:)``; `FramePackError.job` for a folder that is no
    ///   job, one of another model, or one that another process works on.
    public func resume(
        _ folder: URL, cancellation: CancellationToken = CancellationToken(),
        events: @escaping (PipelineEvent) -> Void = { _ in }
    ) throws -> GenerationResult {
        try model.requireAll()
        let job = try Job(continuing: folder, model: model)
        try OutputCheck(job.request).run(isResumed: true)
        let planned = try PlannedGeneration(job.request, model: model, size: job.plannedSize())
        // What the user should know was said when the job began.
        let report = planned.report(
            on: options.device, kernels: options.kernels, memory: try memoryPlan(planned))
        return try run(planned, report, job, notes: [], cancellation, events)
    }

    private func memoryPlan(_ planned: PlannedGeneration) throws -> MemoryPlan? {
        if options.device.kind == .cuda { try Accelerator.loadCUDA() }
        return try planned.memoryPlan(
            on: options.device, kernels: options.kernels, budget: options.budget,
            free: .free(on: options.device))
    }

    private func run(
        _ planned: PlannedGeneration, _ report: PlanReport, _ job: Job, notes: [String],
        _ token: CancellationToken, _ events: @escaping (PipelineEvent) -> Void
    ) throws -> GenerationResult {
        var place = "Loading the model"
        let memory = report.memoryPlan ?? .usual(on: options.device)
        if options.budget.machine != nil { TorchLibrary.keepFreedMemory(memory.chunks.keptFreed) }
        do {
            return try withKernels(of: planned.request, memory) {
                try withoutGradients {
                    let run = try prepared(planned, memory, job, token, events)
                    defer { place = run.place }
                    try run.emit(.planned(report))
                    let problem = KernelNotes.problem(on: options.device)
                    for note in notes + [problem].compactMap(\.self) {
                        try run.emit(.note(note))
                    }
                    return try run.run()
                }
            }
        } catch {
            if !job.holdsWork { try? job.remove() }
            guard let error = error as? TorchError, error.code == .outOfMemory else { throw error }
            throw FramePackError.outOfMemory(place: place, reason: error.message)
        }
    }

    /// Runs `body` with the kernels of a run, and with the pieces that its memory allows.
    private func withKernels<Result>(
        of request: GenerationRequest, _ memory: MemoryPlan, _ body: () throws -> Result
    ) rethrows -> Result {
        let multipliesFP8 = options.multipliesFP8 && !request.parity
        return try Kernels.$current.withValue(request.parity ? .plain : options.kernels) {
            try Kernels.$multipliesFP8.withValue(multipliesFP8) {
                try VAEPieces.$bytes.withValue(memory.chunks.decoding, operation: body)
            }
        }
    }

    private func prepared(
        _ planned: PlannedGeneration, _ memory: MemoryPlan, _ job: Job, _ token: CancellationToken,
        _ events: @escaping (PipelineEvent) -> Void
    ) throws -> GenerationRun {
        let library = ModelLibrary(
            model, device: options.device,
            precision: try model.precision(planned.request, on: options.device), memory: memory
        ) { try token.check() }
        return try GenerationRun(
            planned, job: job, library: library, options: options, token: token, report: events)
    }

    /// What the user should know before anything is made.
    private func notes(on planned: PlannedGeneration) -> [String] {
        let plan = planned.plan
        var notes: [String] = []
        if case .seconds(let asked) = plan.length, abs(plan.seconds - asked) >= 0.005 {
            let hundredths = (plan.seconds * 100).rounded() / 100
            notes.append(
                "\(counted(asked, "second")) become\(asked == 1 ? "s" : "") "
                    + "\(counted(plan.windowCount, "whole section")): "
                    + "\(counted(plan.frameCount, "frame")), \(counted(hundredths, "second")).")
        }
        if !planned.request.negativePrompt.isEmpty, !planned.request.guidanceSettings.needsNegative
        {
            notes.append("The negative prompt is not used: cfg is 1.")
        }
        for late in planned.request.promptAt where late.seconds >= plan.seconds {
            notes.append(
                "The prompt at \(plainText(late.seconds)) s comes after the end of the video and is "
                    + "not used.")
        }
        for lora in planned.request.lora {
            for late in lora.strengthAt where late.seconds >= plan.seconds {
                notes.append(
                    "The strength of \(lora.file) at \(plainText(late.seconds)) s comes after the end "
                        + "of the video and is not used.")
            }
        }
        notes += planned.loras.map(\.text)
        let prompts = plan.prompts.map(\.text)
        return notes + prompts.lazy.compactMap(model.settings.warning).prefix(1)
    }
}

extension GenerationRequest {
    /// The request with paths that mean the same from any folder.
    func withAbsolutePaths(_ model: ModelFolder) -> GenerationRequest {
        func absolute(_ path: String) -> String {
            let whole = URL(fileURLWithPath: path).standardizedFileURL.path
            return path.hasSuffix("/") && !whole.hasSuffix("/") ? whole + "/" : whole
        }
        /// The file that a link stands for, so that the link stays one.
        func target(of path: String) -> String {
            let isLink = (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil
            return isLink ? URL(fileURLWithPath: path).resolvingSymlinksInPath().path : path
        }
        var request = self
        request.image = image.map(absolute)
        request.endImage = endImage.map(absolute)
        request.output = absolute(target(of: output))
        for index in lora.indices { request.lora[index].file = absolute(lora[index].file) }
        request.model = model.url.path
        return request
    }
}
