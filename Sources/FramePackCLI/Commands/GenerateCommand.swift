import ArgumentParser
import Foundation
import FramePack

/// `framepack generate`.
struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Make a video from a picture and a prompt.",
        discussion: """
            framepack generate --image picture.png --prompt "a girl dances" \\
                --seconds 5 --output video.mp4

            Ctrl-C stops and keeps what is finished; framepack resume goes on.
            """)

    @OptionGroup var arguments: RequestArguments
    @OptionGroup(title: "Run") var options: RunOptions

    func run() throws {
        let like = try arguments.likeRequest()
        let model = try ModelFolder.locate(arguments.output.model ?? like?.model)
        var request = like ?? model.settings.request(prompt: "")
        try arguments.apply(to: &request)
        guard like != nil || arguments.content.prompt != nil || !request.promptAt.isEmpty else {
            throw CommandError.usage(
                "There is no prompt; say what moves with --prompt \"a girl dances\".")
        }
        try options.run(model, request, job: Job.folder(for: request.output)) {
            pipeline, token, reporter in
            try pipeline.run(request, cancellation: token) { reporter.report($0) }
        }
    }
}

/// `framepack resume`.
struct ResumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Go on with a job that was stopped.",
        usage: "framepack resume <job> [<options>]",
        discussion: "A job is the folder NAME.job beside the output NAME.mp4.")

    @Argument(help: "The job's folder, or the output that it was to become.")
    var job: String
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The model, where it does not lie any more where it was.", valueName: "folder"))
    var model: String?
    @OptionGroup(title: "Run") var options: RunOptions

    func run() throws {
        let folder = folder()
        // Before a model is opened that may not be the job's.
        let request = try Job.request(in: folder)
        let model =
            try model.map { try ModelFolder(URL(fileURLWithPath: $0)) } ?? Job.model(of: folder)
        try options.run(model, request, job: folder) { pipeline, token, reporter in
            try pipeline.resume(folder, cancellation: token) { reporter.report($0) }
        }
    }

    /// The job's folder, also where its output was named.
    private func folder() -> URL {
        let named = URL(fileURLWithPath: job)
        let besides = Job.folder(for: job)
        let isJob = FileManager.default.fileExists(
            atPath: named.appendingPathComponent("request.json").path)
        return !isJob && FileManager.default.fileExists(atPath: besides.path) ? besides : named
    }
}
