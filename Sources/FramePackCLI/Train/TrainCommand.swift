import ArgumentParser

/// `framepack train`: each part of the small model has a command of its own.
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train the small model on the world that the program renders.",
        subcommands: [
            TrainAdoptCommand.self, TrainVAECommand.self, TrainFinishVAECommand.self,
            TrainClipsCommand.self, TrainTransformerCommand.self, TrainGuidanceCommand.self,
            TrainExportCommand.self, TrainPlotCommand.self,
        ])
}
