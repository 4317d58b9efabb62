import ArgumentParser
import Foundation
import FramePack
import Torch

/// How a run is shown and where it computes.
struct RunOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "cpu, cuda, cuda:N, or auto for a GPU if there is one.")
    var device = DeviceOption.best
    @Option(
        help: "Kernels: fused, or libtorch's plain ones, with nothing kept for later.")
    var kernels = Kernels.fused
    @OptionGroup var memory: MemoryOptions
    @Flag(
        name: .customLong("fp8-products"),
        help: "Multiply fp8 weights in 8 bits where the GPU can; activations are rounded.")
    var multipliesFP8 = false
    @Flag(
        inversion: .prefixedNo,
        help: "Keep embeddings of prompts and pictures in the user's cache.")
    var embeddingCache = true
    @Flag(help: "Print every event as a line of JSON.")
    var json = false
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "A PNG file that shows the latents after each step.", valueName: "file"))
    var preview: String?

    /// Runs a pipeline with everything that surrounds it: events, Ctrl-C, the summary.
    ///
    /// - Parameters:
    ///   - request: What is asked for.
    ///   - folder: The job's folder.
    func run(
        _ model: ModelFolder, _ request: GenerationRequest, job folder: URL,
        _ body: (Pipeline, CancellationToken, EventReporter) throws -> GenerationResult
    ) throws {
        try preview.map {
            try OutputFile("preview", $0, ending: "png").check(
                not: [request.image, request.endImage].compactMap { $0 })
        }
        let reporter = EventReporter(json: json, preview: preview)
        let token = CancellationToken()
        memory.prepare()
        var options = PipelineOptions()
        options.device = try device.resolved()
        options.kernels = kernels
        options.multipliesFP8 = multipliesFP8
        if kernels == .plain { options.memoryLimit = 0 }
        options.budget = memory.budget
        options.embeddings = embeddingCache ? .user : nil
        options.previews = reporter.wantsPreviews
        let interruption = Interruption(token)
        defer { reporter.finish() }
        do {
            let result = try body(Pipeline(model, options: options), token, reporter)
            reporter.finish()
            reporter.summarize(result)
        } catch FramePackError.cancelled {
            reporter.finish()
            let sentence = cancellation(of: folder)
            reporter.fail(sentence)
            throw CommandError.cancelled(sentence)
        } catch {
            reporter.finish()
            let error = withAdvice(error, job: folder)
            reporter.fail(Outcome(error, arguments: CommandLine.arguments).message)
            throw error
        }
        withExtendedLifetime(interruption) {}
    }

    /// What a cancelled run says: how to go on, where something is there to go on from.
    private func cancellation(of folder: URL) -> String {
        let next = "framepack resume \(shellQuoted(folder.path))"
        if Job.holdsSections(folder) { return "Cancelled; go on with: \(next)" }
        guard FileManager.default.fileExists(atPath: folder.path) else { return "Cancelled." }
        // Another request with this output takes such a job's place.
        return "Cancelled before a section was finished; begin anew, or go on with: \(next)"
    }

    /// An error with how to go on, where sections are finished and it does not say itself.
    private func withAdvice(_ error: any Error, job folder: URL) -> any Error {
        if case FramePackError.job = error { return error }
        let outcome = Outcome(error, arguments: CommandLine.arguments)
        // A setting that cannot be is no matter of the job that lies there.
        guard outcome.status == .failure, Job.holdsSections(folder) else { return error }
        let reason = outcome.message
        return CommandError.failure(
            (reason.hasSuffix(".") ? reason : reason + ".")
                + " What is finished stays; go on with: framepack resume "
                + shellQuoted(folder.path))
    }

    /// A path as a shell takes it.
    private func shellQuoted(_ path: String) -> String {
        let plain = path.allSatisfy { $0.isLetter || $0.isNumber || "/._-+".contains($0) }
        return plain ? path : "'" + path.replacing("'", with: "'\\''") + "'"
    }
}
