import ArgumentParser
import Foundation
import FramePack
import FramePackTraining
import Torch
import TorchDistributed
import TorchNN

/// `framepack train tune`, which is also what `framepack train` does.
struct TrainTuneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tune",
        abstract: "Train a released model on videos of your own (what train does by itself).",
        usage: "framepack train --config <file> [<options>]",
        discussion: """
            The configuration is a TOML file; Recipes has some to begin with, and \
            docs/fine-tuning.md tells every key. Encode the data first:

              framepack train cache --config run.toml
              framepack train --config run.toml

            A run that was stopped, or killed, goes on with the same command. With --plan alone the \
            released size is planned: all weights on eight GPUs, a LoRA on one, the paper's claim.
            """)

    @OptionGroup var file: ConfigurationOption
    @Flag(help: "Check the configuration, data and cache, say what would be done, and end.")
    var dryRun = false
    @OptionGroup var end: EndOption
    @OptionGroup var division: DivisionOption

    @Flag(help: "Print the memory and time that it takes, with the arithmetic, and end.")
    var plan = false
    @OptionGroup(title: "With --plan") var planning: TrainingPlanOptions

    func validate() throws {
        guard plan || !planning.areGiven else {
            throw ValidationError("these options go with --plan; give it, or name a part to train")
        }
    }

    func run() throws {
        if plan {
            let run = try file.planned()
            try run.map(checkDivision)
            return try planning.run(for: run, isDivided: division.shard)
        }
        guard file.config != nil || dryRun || end.stopAfter != nil || division.shard else {
            throw CleanExit.helpRequest(TrainCommand.self)
        }
        let launch = try TrainingProcesses.launch()
        let run = try file.run(launch)
        try checkDivision(run)
        try run.check()
        if launch?.rank ?? 0 == 0 {
            for line in try run.facts() { print(line) }
            for warning in try run.warnings() + run.changes() {
                Terminal.writeError("note: \(warning)\n")
            }
        }
        if dryRun { return }
        let processes = try TrainingProcesses(launch, device: run.device)
        try processes.finish { try train(run, processes) }
    }

    private func checkDivision(_ run: FineTuningRun) throws(CommandError) {
        guard !division.shard || run.config.method.kind == .full else {
            throw .usage(
                "--shard goes with kind = \"full\"; a LoRA is small, and its base is whole in each "
                    + "process, so leave it out.")
        }
    }

    private func train(_ run: FineTuningRun, _ processes: TrainingProcesses) throws {
        let token = CancellationToken()
        let interruption = Interruption(token)
        defer { withExtendedLifetime(interruption) {} }
        var config = try run.loopConfig()
        config.isSharded = division.shard
        let isDivided = division.shard && processes.group != nil
        let task = try run.task(isDivided: isDivided) { try token.check() }
        let loop = try TrainingLoop(
            task, config: config, folder: run.stateFolder, group: processes.group)
        processes.print(
            "\(task.store.elementCount) parameters are trained, from step \(loop.step)")
        fflush(nil)
        if processes.isFirst { try run.writeConfiguration() }
        var session = TrainingSession(stopAfter: end.stopAfter, lineInterval: 10)
        session.processes = processes
        try session.run(loop, in: run.stateFolder) { step, record, token in
            let interval = run.config.checkpoints.sampleInterval
            // No process has the whole weights where they are divided.
            guard interval > 0, !isDivided, (step + 1) % interval == 0,
                step + 1 < loop.task.totalSteps
            else { return }
            try show(run, loop, step: step + 1, record, token)
        }
        guard loop.step >= loop.task.totalSteps, processes.isFirst else { return }
        for file in try run.writeResults(of: loop, step: loop.step) { print(file.path) }
        guard !isDivided else { return }
        for video in try run.writeSamples(of: loop, step: loop.step, cancellation: token) {
            print(video.video.path)
        }
    }

    /// Writes results and sample videos along the way.
    private func show(
        _ run: FineTuningRun, _ loop: TrainingLoop, step: Int, _ record: TrainingRecord,
        _ token: CancellationToken
    ) throws {
        do {
            _ = try run.writeResults(of: loop, step: step)
            let videos = try run.writeSamples(of: loop, step: step, cancellation: token)
            try record.append(videos, step: step - 1)
            for video in videos { print(video.video.path) }
        } catch FramePackError.cancelled {
            return
        } catch {
            // A training of hours does not end for want of a video.
            print("no samples of step \(step): \(error)")
        }
    }
}

/// The configuration of a fine-tuning, and where it runs.
struct ConfigurationOption: ParsableArguments {
    @Option(help: ArgumentHelp("The run's configuration, a TOML file.", valueName: "file"))
    var config: String?
    @Option(help: "cpu, cuda, cuda:N or auto; the configuration's unless given.")
    var device: DeviceOption?

    /// Reads and checks everything; no weight is read.
    ///
    /// - Parameter launch: Which process it is of several, each of which has a GPU of its own.
    /// - Throws: `CommandError` without a configuration.
    func run(_ launch: ProcessLaunch? = nil) throws -> FineTuningRun {
        guard let config = try configuration() else {
            throw CommandError.usage("Name the run's configuration with --config FILE.")
        }
        if config.compute.threads > 0 { TorchLibrary.setThreadCount(config.compute.threads) }
        TorchLibrary.flushDenormals(true)
        guard let device = device ?? DeviceOption(argument: config.compute.device) else {
            throw CommandError.usage(
                "compute.device is \"\(config.compute.device)\"; it must be cpu, cuda, cuda:N or "
                    + "auto.")
        }
        return try FineTuningRun(config, device: device.resolved(for: launch))
    }

    /// The run for its plan, wherever that is made; nil without a configuration.
    func planned() throws -> FineTuningRun? {
        try configuration().map { try FineTuningRun($0, device: .cpu) }
    }

    private func configuration() throws -> FineTuningConfig? {
        try config.map { try FineTuningConfig(contentsOf: URL(fileURLWithPath: $0)) }
    }
}
