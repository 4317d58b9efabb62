import Foundation
import TestSupport
import Testing

/// The trainer as people run it, on a VAE that takes a second a step at most.
@Suite struct TrainTests {
    private func train(_ folder: URL, _ options: [String]) -> [String] {
        [
            "train", "vae", "--folder", folder.path, "--side", "16", "--widths", "8,8,8,8",
            "--picture-steps", "2", "--threads", "1",
        ] + options
    }

    @Test func aTrainingIsQuietInAPipeContinuesAndPlots() throws {
        try withTemporaryFolder { folder in
            let first = try Program.run(
                train(folder, ["--clip-steps", "0", "--checkpoint-activations"]))
            #expect(first.status == 0, "\(first.errors)")
            #expect(first.errors.isEmpty)
            #expect(first.output.contains("from step 0") && first.output.contains("step 0/2"))
            let again = try Program.run(train(folder, ["--clip-steps", "0"]))
            #expect(again.output.contains("from step 2") && again.output.contains("done"))
            let log = try String(
                contentsOf: folder.appendingPathComponent("vae-run/log.csv"), encoding: .utf8)
            #expect(log.hasPrefix("step,loss,norm,rate,seconds,divergence,psnr\n0,"))
            let plot = try Program.run(["train", "plot", "--folder", folder.path])
            #expect(plot.status == 0, "\(plot.errors)")
            for name in ["loss", "divergence", "psnr"] {
                #expect(plot.output.contains("vae: \(name)"))
            }
            #expect(plot.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
            let other = try Program.run(train(folder, ["--optimizer", "adafactor"]))
            #expect(other.status == 1 && other.errors.contains("continue with adamw"))
        }
    }

    @Test func anInterruptedTrainingStoresItsState() throws {
        try withTemporaryFolder { folder in
            let process = try Program.start(
                train(folder, ["--clip-steps", "100000"]), streams: folder)
            let log = folder.appendingPathComponent("vae-run/log.csv")
            let start = Date()
            // The second line of the log is the first step.
            while Date().timeIntervalSince(start) < 120, process.isRunning,
                (try? String(contentsOf: log, encoding: .utf8).filter(\.isNewline).count) ?? 0 < 2
            { Thread.sleep(forTimeInterval: 0.05) }
            process.interrupt()
            process.waitUntilExit()
            let run = try Program.finished(process, streams: folder)
            #expect(run.status == 130, "\(run.errors)")
            #expect(run.errors.contains("state stored"))
            #expect(
                FileManager.default.fileExists(
                    atPath: folder.appendingPathComponent("vae-run/state.safetensors").path))
        }
    }

    @Test func aTimeThatCannotBeIsRefused() throws {
        try withTemporaryFolder { folder in
            let run = try Program.run(train(folder, ["--stop-after", "-1"]))
            #expect(run.status == 2 && run.errors.contains("stop-after is -1"))
            #expect(run.errorLines.count == 1)
        }
    }

    @Test func variablesThatDoNotFitTogetherAreRefused() throws {
        try withTemporaryFolder { folder in
            for (variables, text) in [
                (["RANK": "1"], "WORLD_SIZE is not set"),
                (["SLURM_PROCID": "1", "SLURM_NTASKS": "1"], "SLURM_PROCID is 1"),
                (
                    [
                        "RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
                        "MASTER_PORT": "p",
                    ], "MASTER_PORT is p"
                ),
            ] {
                let run = try Program.run(train(folder, []), variables: variables)
                #expect(run.status == 2 && run.errors.contains(text), "\(run.errors)")
                #expect(run.errorLines.count == 1)
            }
            let run = try Program.run(train(folder, ["--accumulate", "0"]))
            #expect(run.status == 2 && run.errors.contains("--accumulate is 0"))
        }
    }

    @Test func withoutALogThereIsNothingToPlot() throws {
        try withTemporaryFolder { folder in
            let run = try Program.run(["train", "plot", "--folder", folder.path])
            #expect(run.status == 2 && run.errors.contains("no log"))
        }
    }
}

@Suite struct TrainingPlanCommandTests {
    @Test func thePlanOfTheReleasedSizeIsPrintedInLinesThatFit() throws {
        let run = try Program.run(["train", "--plan"])
        #expect(run.status == 0, "\(run.errors)")
        #expect(try Program.run(["train", "plan"]).output == run.output)
        #expect(run.output.contains("The arithmetic supports the claim"))
        #expect(run.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    @Test func aTrainingOfOnesOwnIsPlannedAsJSON() throws {
        let run = try Program.run([
            "train", "--plan", "--json", "--rank", "16", "--window", "2", "--batch", "4", "--gpus",
            "2", "--gpu-memory", "24", "--size", "640x608", "--rate", "100", "--steps", "1000",
        ])
        #expect(run.status == 0, "\(run.errors)")
        let object = try #require(
            JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        // 24 GiB do not hold the weights in bfloat16 and anything else.
        #expect(object["fits"] as? Bool == false)
        #expect(object["samplesAtOnce"] as? Int == 1 && object["accumulation"] as? Int == 2)
        let seconds = try #require(object["secondsPerStep"] as? Double)
        #expect(abs((object["hours"] as? Double ?? 0) - seconds * 1000 / 3600) < 1e-6)
    }

    /// One name for one thing: a plan and a training divide the weights with the same option.
    @Test func dividedWeightsArePlanned() throws {
        func weights(_ options: [String]) throws -> Double {
            let run = try Program.run(["train"] + options + ["--json", "--gpus", "4"])
            #expect(run.status == 0, "\(run.errors)")
            let object = try #require(
                JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
            let lines = try #require(object["memory"] as? [[String: Any]])
            return try #require(lines.first { $0["name"] as? String == "weights" })["amount"]
                as? Double ?? 0
        }
        let whole = try weights(["--plan"])
        #expect(try weights(["--plan", "--shard"]) == whole / 4)
        #expect(try weights(["plan", "--shard"]) == whole / 4)
    }

    @Test func whatCannotBePlannedIsOneLine() throws {
        for (options, word) in [
            (["--plan", "--batch", "3", "--gpus", "2"], "multiple of 2"),
            (["--plan", "--size", "big"], "832x480"), (["--rank", "4"], "--plan"),
            (["--plan", "--sharded"], "--shard"),
        ] {
            let run = try Program.run(["train"] + options)
            #expect(run.status != 0 && run.errors.contains(word), "\(run.errors)")
            #expect(run.errorLines.count == 1)
        }
        let help = try Program.run(["train"])
        #expect(help.status == 0 && help.output.contains("SUBCOMMANDS"))
    }
}
