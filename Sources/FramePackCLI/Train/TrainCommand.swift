import ArgumentParser

/// `framepack train`: each part of the small model has a command of its own.
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train the small model on the world that the program renders.",
        discussion: """
            framepack train --plan, or train plan, prints what training the released size needs.
            """,
        subcommands: [
            TrainAdoptCommand.self, TrainVAECommand.self, TrainFinishVAECommand.self,
            TrainClipsCommand.self, TrainTransformerCommand.self, TrainGuidanceCommand.self,
            TrainExportCommand.self, TrainPlotCommand.self, TrainPlanCommand.self,
            TrainWithoutPartCommand.self,
        ],
        defaultSubcommand: TrainWithoutPartCommand.self)
}

/// `framepack train` without the name of a part.
struct TrainWithoutPartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "released", abstract: "Plan a training of the released size.",
        usage: "framepack train --plan [<options>]", shouldDisplay: false)

    @Flag(help: "Print memory and time of training the released size, with the arithmetic.")
    var plan = false
    @OptionGroup var planning: TrainingPlanOptions

    func validate() throws {
        guard plan || !planning.areGiven else {
            throw ValidationError("these options go with --plan; give it, or name a part to train")
        }
    }

    func run() throws {
        guard plan else { throw CleanExit.helpRequest(TrainCommand.self) }
        try planning.run()
    }
}

/// `framepack train plan`.
struct TrainPlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Print what training the released size needs: memory and time.",
        discussion: """
            Without options: all weights on eight GPUs, a LoRA on one, and the paper's claim. With \
            options, one training of your own.
            """)

    @OptionGroup var planning: TrainingPlanOptions

    func run() throws { try planning.run() }
}
