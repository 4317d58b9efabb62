import ArgumentParser
import Foundation
import FramePack

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

              framepack generate --image picture.png --prompt "a girl dances" \\
                  --seconds 5 --output video.mp4

            Without --model it uses the small model that ships beside the program; framepack \
            doctor tells what this machine can do.
            """,
        version: version,
        groupedSubcommands: [
            CommandGroup(
                name: "Videos",
                subcommands: [GenerateCommand.self, ResumeCommand.self, PlanCommand.self]),
            CommandGroup(
                name: "Machine and models",
                subcommands: [DoctorCommand.self, InspectCommand.self, ProbeCommand.self]),
            CommandGroup(
                name: "The small model's world",
                subcommands: [WorldCommand.self, TrainCommand.self, EvalCommand.self]),
        ])

    static func main() {
        // A reader that has seen enough, such as head, is no failure.
        signal(SIGPIPE) { _ in _exit(0) }
        Foundation.exit(run(Array(CommandLine.arguments.dropFirst())).rawValue)
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
