import Checkpoints
import Foundation
import Media
import TestSupport
import Testing
import Torch

/// Fine-tuning as people run it, on a random model whose steps take a fraction of a second.
@Suite(.serialized) struct FineTuneTests {
    private func prepare(_ folder: URL) throws -> String {
        let videos = folder.appendingPathComponent("videos")
        try FileManager.default.createDirectory(at: videos, withIntermediateDirectories: true)
        for number in 0..<3 {
            let file = videos.appendingPathComponent("\(number).mp4")
            let writer = try VideoWriter(to: file, width: 32, height: 32)
            for frame in 0..<10 {
                try writer.write(
                    Picture(
                        width: 32, height: 32, red: UInt8(20 * frame), green: UInt8(80 * number),
                        blue: 90))
            }
            try writer.finish()
            try Data("it gets lighter, number \(number)".utf8).write(
                to: file.deletingPathExtension().appendingPathExtension("txt"))
        }
        try Data(
            """
            [general]
            batch_size = 1
            [[datasets]]
            video_directory = "\(videos.path)"
            cache_directory = "\(folder.path)/cache"
            frame_extraction = "full"
            resolution = [32, 32]
            """.utf8
        ).write(to: folder.appendingPathComponent("data.toml"))
        let config = folder.appendingPathComponent("run.toml")
        try Data(
            """
            model = "\(Fixtures.url("goldens/pipeline/model").path)"
            dataset = "data.toml"
            output = "run"
            guidance = 1
            steps = 2
            sections = { window = 2 }
            method = { rank = 2 }
            compute = { device = "cpu", precision = "f32", weights = "f32", threads = 1 }
            """.utf8
        ).write(to: config)
        return config.path
    }

    private func cached(_ folder: URL) -> Int {
        let names = try? FileManager.default.contentsOfDirectory(
            atPath: folder.appendingPathComponent("cache").path)
        return (names ?? []).filter { $0.hasSuffix(".safetensors") && !$0.hasPrefix(".") }.count
    }

    @Test func dataIsEncodedThroughAKillAndTrained() throws {
        try withTemporaryFolder { folder in
            let config = try prepare(folder)
            let early = try Program.run(["train", "--config", config])
            #expect(early.status == 1 && early.errors.contains("framepack train cache"))

            let process = try Program.start(
                ["train", "cache", "--config", config], streams: folder)
            let start = Date()
            while cached(folder) < 2, process.isRunning, Date().timeIntervalSince(start) < 120 {
                Thread.sleep(forTimeInterval: 0.002)
            }
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            let there = cached(folder)
            let again = try Program.run(["train", "cache", "--config", config])
            #expect(again.status == 0, "\(again.errors)")
            #expect(again.output.contains("3 clips with 3 sections, 0 pictures"))
            #expect(again.output.contains("\(there) were there"), "\(there): \(again.output)")
            #expect(again.errors.contains("batch_size of [general] is not used"))
            let third = try Program.run(["train", "cache", "--config", config])
            #expect(third.output.contains("0 files made"))

            let dry = try Program.run(["train", "--config", config, "--dry-run"])
            #expect(dry.status == 0, "\(dry.errors)")
            #expect(dry.output.contains("LoRA of rank 2") && dry.output.contains("3 samples"))
            #expect(dry.errors.contains("trained at guidance 1 and sampled at 10"))
            #expect(!FileManager.default.fileExists(atPath: folder.path + "/run"))

            let run = try Program.run(["train", "--config", config])
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.output.contains("from step 0") && run.output.contains("done"))
            for form in ["musubi", "diffusers"] {
                let file = folder.path + "/run/lora/step-2-\(form).safetensors"
                #expect(FileManager.default.fileExists(atPath: file))
                #expect(
                    run.output.contains(file.split(separator: "/").suffix(2).joined(separator: "/"))
                )
            }
            let plot = try Program.run(["train", "plot", "--folder", folder.path + "/run"])
            #expect(plot.status == 0 && plot.output.contains("tune: loss"), "\(plot.errors)")
            for (first, status, part) in [("-1", 2, "--from is -1"), ("99", 2, "last step of")] {
                let other = try Program.run(
                    ["train", "plot", "--folder", folder.path + "/run", "--from", first])
                #expect(other.status == Int32(status) && other.errors.contains(part))
            }
            try Data([0x31, 0xFF, 0x0A]).write(
                to: URL(fileURLWithPath: folder.path + "/run/state/log.csv"))
            let more = try Program.run(["train", "tune", "--config", config])
            #expect(
                more.errors.contains("1 line of \(folder.path)/run/state/log.csv cannot be read"))
            #expect(more.status == 0 && more.output.contains("from step 2"))
        }
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func aSignalEndsATrainingWhichGoesOn(_ signal: Int32) throws {
        try withTemporaryFolder { folder in
            let config = try prepare(folder)
            let text = try String(contentsOfFile: config, encoding: .utf8)
                .replacing("steps = 2", with: "steps = 100000")
            try Data(text.utf8).write(to: URL(fileURLWithPath: config))
            #expect(try Program.run(["train", "cache", "--config", config]).status == 0)
            let process = try Program.start(["train", "--config", config], streams: folder)
            let start = Date()
            let log = folder.appendingPathComponent("run/state/log.csv")
            while (try? String(contentsOf: log, encoding: .utf8).contains("\n3,")) != true,
                process.isRunning, Date().timeIntervalSince(start) < 120
            {
                Thread.sleep(forTimeInterval: 0.01)
            }
            kill(process.processIdentifier, signal)
            let killed = Date()
            while process.isRunning, Date().timeIntervalSince(killed) < 60 {
                Thread.sleep(forTimeInterval: 0.01)
            }
            #expect(!process.isRunning, "the signal was not heard")
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
            process.waitUntilExit()
            let run = try Program.finished(process, streams: folder)
            #expect(run.status == 130, "\(run.errors)")
            #expect(run.errors.contains("state stored; the same command goes on"), "\(run.errors)")
        }
    }

    /// Two processes with divided weights give the losses and the model of one.
    @Test func severalProcessesTrainAsOne() throws {
        try withTemporaryFolder { folder in
            let config = try prepare(folder)
            let text = try String(contentsOfFile: config, encoding: .utf8)
                .replacing("method = { rank = 2 }", with: "method = { kind = \"full\" }")
                .replacing("guidance = 1", with: "guidance = 10\nbatch = 2")
            func write(_ name: String) throws -> String {
                let url = folder.appendingPathComponent("\(name).toml")
                try Data(
                    text.replacing("\"run\"", with: "\"\(name)\"").utf8
                ).write(to: url)
                return url.path
            }
            let (one, two) = (try write("one"), try write("two"))
            let cache = try Program.run(["train", "cache", "--config", one])
            #expect(cache.status == 0, "\(cache.errors)")
            let alone = try Program.run(["train", "--config", one])
            #expect(alone.status == 0, "\(alone.errors)")
            let port = try freePort()
            let started = try (0..<2).map { rank in
                let streams = folder.appendingPathComponent("rank-\(rank)")
                try FileManager.default.createDirectory(
                    at: streams, withIntermediateDirectories: true)
                let process = try Program.start(
                    ["train", "--config", two, "--shard"], streams: streams,
                    variables: [
                        "RANK": "\(rank)", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
                        "MASTER_PORT": "\(port)",
                    ])
                return (process, streams)
            }
            let runs = try started.map { process, streams in
                process.waitUntilExit()
                return try Program.finished(process, streams: streams)
            }
            for run in runs { #expect(run.status == 0, "\(run.errors)") }
            #expect(runs[0].output.contains("two/model/model.json"))
            #expect(runs[1].output.isEmpty)
            let losses = try ["one", "two"].map { name in
                let log = folder.appendingPathComponent("\(name)/state/log.csv")
                return try String(contentsOf: log, encoding: .utf8).split(separator: "\n")
                    .dropFirst().map { Double($0.split(separator: ",")[1]) ?? 0 }
            }
            #expect(losses[0].count == 2)
            for (a, b) in zip(losses[0], losses[1]) { #expect(abs(a - b) < 1e-4 * a) }
            let weights = try ["one", "two"].map { name in
                try SafetensorsFile(
                    folder.appendingPathComponent(
                        "\(name)/model/transformer/diffusion_pytorch_model.safetensors")
                ).tensor("x_embedder.proj.weight").to(.float32)
            }
            try expectClose(weights[0], weights[1], absolute: 1e-3, "weights")
        }
    }

    @Test func theRunOfAConfigurationIsPlanned() throws {
        try withTemporaryFolder { folder in
            let config = try prepare(folder)
            let text = try String(contentsOfFile: config, encoding: .utf8)
                .replacing("guidance = 1", with: "guidance = 10\nbatch = 8\naccumulation = 2")
            let full = text.replacing("{ rank = 2 }", with: "{ kind = \"full\" }")
            func plan(_ text: String, _ options: [String]) throws -> Program.Run {
                try Data(text.utf8).write(to: URL(fileURLWithPath: config))
                return try Program.run(["train", "--plan", "--json", "--config", config] + options)
            }
            func samplesAtOnce(_ text: String, _ options: [String]) throws -> [Int] {
                let run = try plan(text, options)
                #expect(run.status == 0, "\(run.errors)")
                let object = try #require(
                    JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
                return ["samplesAtOnce", "accumulation"].map { object[$0] as? Int ?? 0 }
            }
            #expect(try samplesAtOnce(text, []) == [4, 2])
            #expect(try samplesAtOnce(full, ["--gpus", "2"]) == [2, 2])
            // Divided weights take the samples one by one.
            #expect(try samplesAtOnce(full, ["--gpus", "2", "--shard"]) == [1, 4])
            let lora = try plan(text, ["--shard"])
            #expect(lora.status == 2 && lora.errors.contains("--shard goes with kind = \"full\""))
        }
    }

    @Test func mistakesAreOneLineThatNamesThem() throws {
        try withTemporaryFolder { folder in
            let config = try prepare(folder)
            let none = try Program.run(["train", "--dry-run"])
            #expect(none.status == 2 && none.errors.contains("--config"))
            #expect(none.errorLines.count == 1)
            let missing = try Program.run(["train", "--config", folder.path + "/no.toml"])
            #expect(missing.status == 1 && missing.errors.contains("there is no file"))
            let text = try String(contentsOfFile: config, encoding: .utf8)
            try Data((text + "\n[[samples]]\nprompt = \"a\"\nimage = \"no.png\"\n").utf8).write(
                to: URL(fileURLWithPath: config))
            for arguments in [["--dry-run"], []] {
                let run = try Program.run(["train", "--config", config] + arguments)
                #expect(run.status == 1 && run.errorLines.count == 1)
                #expect(run.errors.contains("samples[1].image is \(folder.path)/no.png"))
            }
            try Data(text.replacing("steps = 2", with: "stepz = 2").utf8).write(
                to: URL(fileURLWithPath: config))
            let wrong = try Program.run(["train", "cache", "--config", config])
            #expect(wrong.status == 1 && wrong.errors.contains("line 5: stepz"))
            #expect(wrong.errors.contains("the nearest is \"steps\""))
            #expect(wrong.errorLines.count == 1)
        }
    }
}
