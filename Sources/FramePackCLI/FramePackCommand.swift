import ArgumentParser

/// The command line of FramePack.
@main
struct FramePackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "framepack",
        abstract: "Long videos from a picture and a prompt, section by section.",
        subcommands: [WorldCommand.self, TrainCommand.self])
}
