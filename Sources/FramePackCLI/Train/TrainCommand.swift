import ArgumentParser

/// `framepack train`: a released model on one's own videos, or the small model part by part.
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a model: a released one on your videos, or the small one anew.",
        usage: "framepack train --config <file> [<options>]",
        discussion: """
            A released model, or any of its build, is trained on videos of your own with a \
            configuration file (docs/fine-tuning.md):

              framepack train cache --config run.toml
              framepack train --config run.toml

            framepack train prepare makes a dataset of raw video (docs/data.md). \
            framepack train --plan prints what training the released size needs; with --config, \
            what that run needs.

            The small model is trained part by part on the world that the program renders \
            (docs/training.md); its commands take --folder.
            """,
        groupedSubcommands: [
            CommandGroup(
                name: "Your videos",
                subcommands: [
                    TrainTuneCommand.self, TrainPrepareCommand.self, TrainCacheCommand.self,
                    TrainInitCommand.self, TrainPlanCommand.self,
                ]),
            CommandGroup(
                name: "The small model",
                subcommands: [
                    TrainAdoptCommand.self, TrainVAECommand.self, TrainFinishVAECommand.self,
                    TrainClipsCommand.self, TrainCodebookCommand.self,
                    TrainTransformerCommand.self, TrainGuidanceCommand.self,
                    TrainExportCommand.self, TrainPlotCommand.self,
                ]),
        ],
        defaultSubcommand: TrainTuneCommand.self)
}

/// `framepack train plan`.
struct TrainPlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Print what training the released size needs: memory and time.",
        usage: "framepack train plan [<options>]",
        discussion: """
            Without options: all weights on eight GPUs, a LoRA on one, and the paper's claim. With \
            options, one training of your own.
            """)

    @OptionGroup var planning: TrainingPlanOptions
    @OptionGroup var division: DivisionOption

    func run() throws { try planning.run(isDivided: division.shard) }
}
