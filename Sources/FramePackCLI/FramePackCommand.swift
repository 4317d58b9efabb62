import ArgumentParser
import Foundation
import FramePack
import Torch

/// The command line of FramePack.
@main
struct FramePackCommand: ParsableCommand {
    /// The program's version.
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "framepack",
        abstract: "Long videos from a picture and a prompt, section by section.",
        discussion: """
            Type this first:

              framepack generate --image Examples/red-circle.png \\
                  --prompt "a red circle moves slowly to the right" \\
                  --seconds 5 --output video.mp4

            Without --model it uses the small model that ships beside the program; framepack \
            doctor tells what this machine can do.
            """,
        version: version,
        groupedSubcommands: [
            CommandGroup(
                name: "Video",
                subcommands: [
                    GenerateCommand.self, ResumeCommand.self, PlanCommand.self, EvalCommand.self,
                ]),
            CommandGroup(
                name: "Machine and model",
                subcommands: [
                    DoctorCommand.self, InspectCommand.self, ConvertCommand.self,
                    CalibrateCommand.self, ProbeCommand.self, BenchCommand.self,
                ]),
            CommandGroup(
                name: "Small model",
                subcommands: [WorldCommand.self, TrainCommand.self, ExperimentCommand.self]),
        ])

    static func main() {
        // A reader that has seen enough, such as head, is no failure.
        signal(SIGPIPE) { _ in _exit(0) }
        let kept = ProcessInfo.processInfo.environment["FRAMEPACK_KEPT_MEMORY"]
        TorchLibrary.keepFreedMemory((kept.flatMap { Int($0) } ?? 512) << 20)
        let status = run(Array(CommandLine.arguments.dropFirst()))
        // All is written by now. The destructors of libtorch, FFmpeg and an allocator run in an order
        // that nobody decides, and one run of an hour crashed in them after it was done.
        let isWritten = fflush(nil) == 0
        guard isWritten || status != .success else {
            let reason = String(cString: strerror(errno))
            let error = CommandError.failure("Standard output cannot be written: \(reason).")
            _exit(Outcome(error, arguments: []).report().rawValue)
        }
        _exit(status.rawValue)
    }

    /// Runs one command line and reports what goes wrong.
    private static func run(_ arguments: [String]) -> ExitStatus {
        do {
            var command = try parseAsRoot(arguments)
            try command.run()
            return .success
        } catch {
            return Outcome(error, arguments: arguments).report()
        }
    }
}
