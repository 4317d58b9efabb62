import ArgumentParser

/// `framepack train`: what is trained is a command of its own.
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train the small model on the world that the program renders.",
        subcommands: [TrainVAECommand.self])
}
