import ArgumentParser
import Foundation
import FramePack

/// How a run is shown and where it computes.
struct RunOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "cpu, cuda, cuda:N, or auto for a GPU if there is one.")
    var device = DeviceOption.best
    @Flag(help: "Print every event as a line of JSON.")
    var json = false
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "A PNG file that shows the latents after each step.", valueName: "file"))
    var preview: String?

    /// Runs a pipeline with everything that surrounds it: events, Ctrl-C, the summary.
    ///
    /// - Parameter output: The output, by which the job's folder is named.
    func run(
        _ model: ModelFolder, output: String,
        _ body: (Pipeline, CancellationToken, EventReporter) throws -> GenerationResult
    ) throws {
        try checkPreview()
        let reporter = EventReporter(json: json, preview: preview)
        let token = CancellationToken()
        var options = PipelineOptions()
        options.device = try device.resolved()
        options.previews = reporter.wantsPreviews
        let interruption = Interruption(token)
        defer { reporter.finish() }
        do {
            let result = try body(Pipeline(model, options: options), token, reporter)
            reporter.finish()
            reporter.summarize(result)
        } catch FramePackError.cancelled {
            reporter.finish()
            let job = Job.folder(for: output).path
            throw CommandError.cancelled(
                FileManager.default.fileExists(atPath: job)
                    ? "Cancelled; go on with: framepack resume \(shellQuoted(job))" : "Cancelled.")
        } catch {
            reporter.finish()
            let error = withAdvice(error, output: output)
            reporter.fail(Outcome(error, arguments: CommandLine.arguments).message)
            throw error
        }
        withExtendedLifetime(interruption) {}
    }

    /// An error with how to go on, where sections are finished and it does not say itself.
    private func withAdvice(_ error: any Error, output: String) -> any Error {
        let folder = Job.folder(for: output)
        if case FramePackError.job = error { return error }
        guard Job.holdsSections(folder) else { return error }
        let reason = Outcome(error, arguments: CommandLine.arguments).message
        return CommandError.failure(
            (reason.hasSuffix(".") ? reason : reason + ".")
                + " What is finished stays; go on with: framepack resume "
                + shellQuoted(folder.path))
    }

    /// Checks early that the preview can be written.
    private func checkPreview() throws {
        guard let preview else { return }
        let files = FileManager.default
        let url = URL(fileURLWithPath: preview)
        let folder = url.deletingLastPathComponent().path
        var isFolder: ObjCBool = false
        if files.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue {
            throw ValidationError("preview is \(preview), a folder; it must be a PNG file")
        }
        guard files.isWritableFile(atPath: folder) else {
            throw ValidationError("preview is \(preview); the folder \(folder) takes no files")
        }
    }

    /// A path as a shell takes it.
    private func shellQuoted(_ path: String) -> String {
        let plain = path.allSatisfy { $0.isLetter || $0.isNumber || "/._-+".contains($0) }
        return plain ? path : "'" + path.replacing("'", with: "'\\''") + "'"
    }
}
