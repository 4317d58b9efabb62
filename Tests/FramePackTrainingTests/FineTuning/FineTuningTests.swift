import Checkpoints
import Foundation
import FramePack
import FramePackTraining
import Media
import Models
import TestSupport
import Testing
import Torch
import TorchNN

@Suite(.serialized) struct FineTuningTests {
    private static let lora = """
        [method]
        kind = "lora"
        rank = 4
        alpha = 4
        [optimizer]
        learning_rate = 2e-2
        """

    private func full(_ optimizer: String, _ rate: String) -> String {
        """
        [method]
        kind = "full"
        [optimizer]
        kind = "\(optimizer)"
        learning_rate = \(rate)
        """
    }

    private func loop(_ run: FineTuningRun) throws -> TrainingLoop {
        try TrainingLoop(run.task(), config: run.loopConfig(), folder: run.stateFolder)
    }

    /// The loss of the first steps' samples, which is the same sum for every state of the weights.
    private func fixedLoss(_ task: FineTuning) throws -> Double {
        try withoutGradients {
            try (0..<4).map { try task.loss(step: $0).loss.item() }.reduce(0, +) / 4
        }
    }

    @Test(arguments: ["lora", "adamw", "adafactor", "adamw8bit"])
    func aFewStepsLowerTheLoss(_ kind: String) throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            let rates = ["adamw": "3e-3", "adafactor": "1e-2", "adamw8bit": "3e-3"]
            let settings = kind == "lora" ? Self.lora : full(kind, rates[kind] ?? "")
            let run = try tiny.run(settings, steps: 12)
            _ = try run.fillCache()
            let loop = try loop(run)
            let task = try #require(loop.task as? FineTuning)
            let before = try fixedLoss(task)
            try loop.run { report in
                #expect(report.loss.isFinite && report.metrics["level"] != nil)
            }
            let after = try fixedLoss(task)
            print("    \(kind): \(before) became \(after)")
            #expect(after < 0.97 * before)
        }
    }

    /// Whatever the order, the packing and the section, a sample sees what a generation would have
    /// packed.
    @Test(arguments: [
        "orders = [\"inverted\", \"f1\"]", "orders = [\"vanilla\", \"anti-drifting\"]",
        "packings = [\"ta_f2k2f1k1_g2\", \"td_f4k4f2k2f1k1_g2_x_f1k1\", \"td_f1k1_g2+D\"]",
        "packings = [\"td_f2k2f1k1_g2\"], history_orders = [\"similarity\"]",
        """
        packings = ["f1k1_x_g2_f1k1f2k2_td"], history_orders = ["hybrid"], \
        history_time_weight = 0.1
        """,
    ])
    func samplesSeeWhatAGenerationPacks(_ sections: String) throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            let run = try tiny.run(Self.lora, sections: "window = 2, \(sections)")
            _ = try run.fillCache()
            let fitted = try run.fitCodebook(CodebookFitting(count: 8), pixels: 500)
            let data = try CachedDataset(run.dataset, folder: run.cacheFolder, model: run.model)
            let task = try run.task()
            var seen: Set<[Int]> = []
            for step in 0..<12 {
                for sample in try task.samples(step: step) {
                    let batch = try task.batch([sample])
                    let clip = try data.latents(sample.item.clip)
                    let plan = try #require(
                        owner(of: sample, run.config.sections, clip.dim(1)))
                    var history = try LatentHistory(
                        start: clip.narrow(1, 0, 1).unsqueeze(0), plan: plan,
                        order: run.config.sections.historyOrders.first
                            .flatMap(HistoryOrder.init) ?? .time,
                        timeWeight: run.config.sections.historyTimeWeight,
                        codebook: plan.packing.isDiscrete ? fitted.codebook : nil)
                    for section in plan.sections {
                        let target = try Tensor.cat(
                            section.pieces.map {
                                try clip.narrow(1, $0.latents.lowerBound, $0.latents.count)
                            }, axis: 1)
                        if section == sample.section {
                            let wanted = try history.context(of: section)
                            try compare(batch.input.context, wanted.packed)
                            #expect(batch.input.indices == .perSample([section.targetIndices]))
                            // Noisy latents minus level times velocity are the data.
                            let level = Double(Float(sample.level))
                            let clean = try batch.input.latents - batch.velocity * level
                            try expectClose(clean, target.unsqueeze(0), "data")
                        }
                        try history.add(target.unsqueeze(0), of: section)
                    }
                    seen.insert([sample.item.clip, sample.section.number])
                    #expect(try batch.input.guidance?.array(Float.self) == [10000])
                }
            }
            #expect(seen.count == 3)
            #expect(try task.loss(step: 1).loss.item().isFinite)
        }
    }

    /// The plan that a sample's section belongs to.
    private func owner(
        of sample: FineTuningSample, _ sections: FineTuningConfig.Sections, _ latents: Int
    ) -> SectionPlan? {
        let packings = sections.packings.compactMap { try? Packing(name: $0) }
        let layouts: [(SamplingOrder, Packing?)] =
            packings.isEmpty
            ? sections.orders.compactMap(SamplingOrder.init).map { ($0, nil) }
            : packings.map { ($0.order, $0) }
        return layouts.lazy.compactMap { order, packing in
            try? SectionPlan(
                order: order, length: .frames(4 * (latents - 1) + 1), window: 2, packing: packing,
                timeline: PromptTimeline("video"))
        }.first { plan in
            plan.sections.contains(sample.section)
                && plan.packing.isDiscrete == sample.isDiscrete
        }
    }

    @Test func aKernelThatTheModelLacksIsAnErrorBeforeAnythingIsLoaded() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            let error = #expect(throws: FramePackError.self) {
                _ = try tiny.run(sections: "window = 2, packings = [\"td_f8k8f2k2f1k1_g2\"]")
            }
            #expect(error?.description.contains("the kernel k8") == true)
            let run = try tiny.run(sections: "window = 2, packings = [\"td_f1k1_g2+D\"]")
            _ = try run.fillCache()
            let codebook = #expect(throws: TrainingError.self) { _ = try run.task() }
            #expect(codebook?.description.contains("framepack train codebook") == true)
        }
    }

    private func compare(_ a: PackedContext, _ b: PackedContext) throws {
        #expect(a.groups.count == b.groups.count && !a.groups.isEmpty)
        for (a, b) in zip(a.groups, b.groups) {
            #expect(a.kernel == b.kernel && a.averaging == b.averaging)
            let (a, b) = (a.frames, b.frames)
            // Entries of a codebook are put in by their difference.
            try expectClose(a.latents, b.latents, absolute: 1e-6, relative: 0, "context")
            guard case .perSample(let rows) = a.indices, case .shared(let row) = b.indices else {
                Issue.record("\(a.indices), \(b.indices)")
                return
            }
            #expect(rows == [row])
        }
    }

    /// Samples of a step may be computed in any parts: the loss and its gradients are those of all.
    @Test func partsOfAStepAddUpToIt() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            let run = try tiny.run(Self.lora + "\n[dropout]\ntext = 0.5\nimage = 0.5\n")
            _ = try run.fillCache()
            let task = try run.task()
            for step in 0..<3 {
                let whole = try task.loss(step: step).loss.item()
                let parts = try (0..<2).map {
                    try task.loss(step: step, samples: $0..<$0 + 1).loss.item()
                }
                #expect(abs(whole - (parts[0] + parts[1]) / 2) < 1e-5 * abs(whole))
            }
        }
    }

    @Test func whatIsLeftOutIsPlain() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            let run = try tiny.run("dropout = { text = 1, image = 1 }")
            _ = try run.fillCache()
            let data = try CachedDataset(run.dataset, folder: run.cacheFolder, model: run.model)
            let task = try run.task()
            let samples = try task.samples(step: 0)
            let input = try task.batch(samples).input
            let empty = try data.text(0, isDropped: true)
            #expect(input.conditioning.textLengths == [empty.embeds.dim(0), empty.embeds.dim(0)])
            let plain = try data.plainLatent(0).array(Float.self)
            let clean = try #require(input.context.clean).latents
            let start = try clean.select(0, 0).narrow(1, 0, 1).contiguous()
            #expect(try start.array(Float.self) == plain)
        }
    }

    @Test(arguments: ["lora", "adafactor"])
    func aStoppedRunEndsInTheSameBits(_ kind: String) throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            let settings = kind == "lora" ? Self.lora : full(kind, "1e-3")
            let run = try tiny.run(settings, output: "whole")
            _ = try run.fillCache()
            try loop(run).run { _ in }
            let stopped = try tiny.run(settings, output: "stopped")
            var steps = 0
            try loop(stopped).run(shouldStop: { steps == 2 }) { _ in steps += 1 }
            let continued = try loop(stopped)
            #expect(continued.step == 2)
            try continued.run { _ in }
            let (a, b) = (
                try TinyTasks.state(run.stateFolder), try TinyTasks.state(stopped.stateFolder)
            )
            #expect(Set(a.keys) == Set(b.keys) && !a.isEmpty)
            for (name, values) in a { #expect(b[name] == values, "\(name)") }
        }
    }

    @Test func aTrainedModelIsAWholeModel() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            let run = try tiny.run(full("adafactor", "1e-3"))
            _ = try run.fillCache()
            let loop = try loop(run)
            try loop.run { _ in }
            let files = try run.writeResults(of: loop, step: loop.step)
            let model = try ModelFolder(#require(files.first))
            try model.requireAll()
            #expect(model.defaultOrder == run.model.defaultOrder)
            let trained = try Transformer(folder: model.folder(of: .transformer))
            let begun = try Transformer(folder: run.model.folder(of: .transformer))
            var changed = 0
            for (a, b) in zip(trained.parameters, begun.parameters) {
                let own = try #require(loop.task.store[a.name]).value
                #expect(
                    try a.value.array(Float.self)
                        == own.detach().to(.bfloat16).to(.float32).array(Float.self))
                if try a.value.array(Float.self) != b.value.to(.bfloat16).array(Float.self) {
                    changed += 1
                }
            }
            #expect(changed > trained.parameters.count / 2)
            let frames = try FrameGenerator(model).frames(
                tinyRequest(model), from: nil)
            #expect(frames.count == 8)
        }
    }

    /// What belongs to the base's weights does not go with those that are trained, and a codebook that
    /// cannot be read is no missing one.
    @Test func aTrainedModelHasItsOwnRatiosAndCodebook() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            let base = try ModelFolder(TinyFineTuning.model)
            let parts = try ModelPart.allCases.map { ($0.rawValue, try base.folder(of: $0).path) }
            let calibrated = folder.appendingPathComponent("calibrated/model.json")
            try writeJSON(Dictionary(uniqueKeysWithValues: parts), to: calibrated)
            try tiny.write(
                "{\"magnitudeRatios\": [1, 0.9], \"steps\": 3}", to: "calibrated/framepack.json")

            let run = try tiny.run(full("adafactor", "1e-3"), steps: 1, model: calibrated)
            #expect(run.model.settings.magnitudeRatios != nil)
            _ = try run.fillCache()
            let loop = try loop(run)
            try loop.run { _ in }
            let files = try run.writeResults(of: loop, step: 1)
            let model = try ModelFolder(#require(files.first))
            #expect(model.settings.magnitudeRatios == nil && model.settings.steps == 3)

            _ = try run.fitCodebook(CodebookFitting(count: 8), pixels: 500)
            _ = try run.writeResults(of: loop, step: 1)
            let codebook = try model.folder(of: .transformer)
                .appendingPathComponent(HistoryCodebook.fileName)
            #expect(try HistoryCodebook(contentsOf: codebook).count == 8)
            try Data("no codebook".utf8).write(to: run.codebookFile)
            #expect(throws: CheckpointError.self) { try run.writeResults(of: loop, step: 1) }
        }
    }

    private func tinyRequest(_ model: ModelFolder) -> GenerationRequest {
        var request = model.settings.request(prompt: "a cat")
        (request.frames, request.window, request.steps) = (8, 2, 2)
        return request
    }

    @Test func adaptersAreWrittenInBothForms() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            let run = try tiny.run(Self.lora)
            _ = try run.fillCache()
            let loop = try loop(run)
            try loop.run { _ in }
            let files = try run.writeResults(of: loop, step: loop.step)
            #expect(
                files.map(\.lastPathComponent) == [
                    "step-6-musubi.safetensors", "step-6-diffusers.safetensors",
                ])
            let musubi = try SafetensorsFile(files[0])
            let layers = try Transformer(folder: run.model.folder(of: .transformer)).linears
                .filter { $0.name.contains("transformer_blocks.") && !$0.name.contains("norm") }
            #expect(musubi.names.count == 3 * layers.count)
            #expect(
                musubi.names.contains("lora_unet_transformer_blocks_0_attn_to_q.lora_down.weight"))
            let own = try #require(
                loop.task.store["transformer_blocks.0.attn.to_q.lora_B.weight"]
            ).value
            let written = try musubi.tensor(
                "lora_unet_transformer_blocks_0_attn_to_q.lora_up.weight")
            #expect(
                try written.to(.float32).array(Float.self)
                    == own.detach().to(.float16).to(.float32).array(Float.self))
            #expect(try own.detach().abs().max().item() > 0)
            try checkInGeneration(run.model, files)
            try checkGoingOn(tiny, from: files[0], task: loop.task)
        }
    }

    /// At alpha / rank = 1/32 half precision would have few digits for B, or none.
    @Test func aSmallFactorCostsNoDigits() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            let run = try tiny.run(
                Self.lora.replacing("alpha = 4", with: "alpha = 0.125"), steps: 1)
            _ = try run.fillCache()
            let loop = try loop(run)
            try loop.run { _ in }
            let file = try SafetensorsFile(run.writeResults(of: loop, step: 1)[1])
            let name = "transformer_blocks.0.attn.to_q.lora_B.weight"
            let own = try #require(loop.task.store[name]).value.detach()
            let written = try file.tensor("transformer.\(name)")
            #expect(try own.abs().max().item() > 0)
            #expect(try written.array(Float.self) == (own * 0.03125).array(Float.self))
        }
    }

    /// Both files change a generation, and in the same way.
    private func checkInGeneration(_ model: ModelFolder, _ files: [URL]) throws {
        let generator = try FrameGenerator(model, dtype: .f32)
        func frames(_ file: URL?) throws -> [UInt8] {
            var request = tinyRequest(model)
            request.lora = file.map { [AppliedLoRA($0.path)] } ?? []
            let picture = Picture(width: 32, height: 32, red: 200, green: 40, blue: 90)
            return try generator.frames(request, from: picture).flatMap(\.pixels)
        }
        let (plain, musubi, diffusers) = try (
            frames(nil), frames(files[0]), frames(files[1])
        )
        let changed = zip(plain, musubi).count { abs(Int($0) - Int($1)) > 2 }
        #expect(changed > plain.count / 20)
        // One of them is rounded to half precision.
        #expect(zip(musubi, diffusers).allSatisfy { abs(Int($0) - Int($1)) <= 2 })
    }

    /// A training that begins from the file begins where the other ended.
    private func checkGoingOn(_ tiny: TinyFineTuning, from file: URL, task: any TrainingTask) throws
    {
        let run = try tiny.run(
            "method = { kind = \"lora\", weights = \"\(file.path)\" }", output: "more")
        let more = try run.task()
        let (a, b) = try withoutGradients {
            (try task.loss(step: 0).loss.item(), try more.loss(step: 0).loss.item())
        }
        #expect(abs(a - b) < 2e-3 * a)
        let trained = try loop(run)
        try trained.run { _ in }
        #expect(try run.writeResults(of: trained, step: 6).count == 2)
    }

    /// A LoHa or LoKr could not be written when it is trained; it is refused before anything is loaded.
    @Test(arguments: ["hada_w1_a hada_w1_b hada_w2_a hada_w2_b", "lokr_w1 lokr_w2"])
    func onlyALoRAIsGoneOnFrom(_ parts: String) throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            let layer = try #require(
                Transformer(folder: TinyFineTuning.model.appendingPathComponent("transformer"))
                    .linears.first { $0.name == "transformer_blocks.0.attn.to_q" }
            ).layer
            let shapes = [
                "lokr_w1": [1, 1], "lokr_w2": [layer.outputSize, layer.inputSize],
                "hada_w1_a": [layer.outputSize, 2], "hada_w1_b": [2, layer.inputSize],
                "hada_w2_a": [layer.outputSize, 2], "hada_w2_b": [2, layer.inputSize],
            ]
            let name = "lora_unet_transformer_blocks_0_attn_to_q"
            var tensors: [String: Tensor] = [:]
            for part in parts.split(separator: " ").map(String.init) {
                tensors["\(name).\(part)"] = try .ones(#require(shapes[part]))
            }
            let file = folder.appendingPathComponent("other.safetensors")
            try writeSafetensors(tensors, to: file)
            let error = #expect(throws: TrainingError.self) {
                _ = try tiny.run("method = { weights = \"other.safetensors\" }")
            }
            let kind = parts.hasPrefix("lokr") ? "LoKr" : "LoHa"
            #expect(error?.description.contains("which holds \(kind); it must be a LoRA") == true)
        }
    }

    @Test func sampleVideosAreMadeWithTheNetworkAsItIs() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            // The model's own settings lie beside the file that names its parts.
            let parts = Dictionary(
                uniqueKeysWithValues: ModelPart.allCases.map {
                    ($0.rawValue, TinyFineTuning.model.appendingPathComponent($0.rawValue).path)
                })
            try JSONEncoder().encode(parts).write(to: folder.appendingPathComponent("model.json"))
            try tiny.write("{\"resolution\": 32}", to: "framepack.json")
            let text =
                Self.lora + """

                    [[samples]]
                    prompt = "a cat"
                    seconds = 0.5
                    steps = 2
                    """
            _ = try tiny.run(text)
            let config = folder.appendingPathComponent("run.toml")
            let own = try String(contentsOf: config, encoding: .utf8)
                .replacing(TinyFineTuning.model.path, with: "model.json")
            try Data(own.utf8).write(to: config)
            let run = try FineTuningRun(FineTuningConfig(contentsOf: config), device: .cpu)
            _ = try run.fillCache()
            let loop = try loop(run)
            let videos = try run.writeSamples(
                of: loop, step: 1, cancellation: CancellationToken())
            #expect(videos.map(\.video.lastPathComponent) == ["step-1-1.mp4"])
            // Fresh adapters add nothing: the frames are those of the model that it began from.
            var request = run.model.settings.request(prompt: "a cat")
            (request.seconds, request.window, request.steps) = (0.5, 2, 2)
            request.order = .inverted
            let wanted = try FrameGenerator(run.model, dtype: .f32).frames(request, from: nil)
            let task = try #require(loop.task as? FineTuning)
            let found = try withoutGradients {
                try run.sampleRenderer().frames(
                    0, task.transformer, cancellation: CancellationToken())
            }
            #expect(found.count == wanted.count)
            for (a, b) in zip(found, wanted) {
                let sum = zip(a.pixels, b.pixels).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
                // Conditions are kept in half precision, and frames may be decoded in it.
                #expect(Double(sum) / Double(a.pixels.count) < 1)
            }
        }
    }

    @Test func whatTheRunDoesIsSaid() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            let run = try tiny.run(Self.lora)
            _ = try run.fillCache()
            let facts = try run.facts().joined(separator: "\n")
            #expect(facts.contains("LoRA of rank 4") && facts.contains("2 clips"))
            #expect(facts.contains("guidance 10 goes into the network (sampled at 10"))
            #expect(try run.warnings().isEmpty)
            var config = run.config
            config.guidance = 1
            let other = try FineTuningRun(config, device: .cpu)
            let warning = try #require(other.warnings().first)
            #expect(warning.contains("trained at guidance 1 and sampled at 10"))
        }
    }

    /// What is planned is what the run does: its passes, orders and packings, and its clips.
    @Test func thePlanIsThatOfTheRun() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            let run = try tiny.run(
                "accumulation = 2\n" + Self.lora,
                sections: "window = 2, orders = [\"vanilla\", \"anti-drifting\"]")
            // The dataset's file allows 129 frames.
            #expect(try run.plan().sections == 16)
            _ = try run.fillCache()
            let plan = try run.plan()
            #expect(plan.sections == 2 && plan.accumulation == 2)
            #expect(plan.layouts == [.init(.vanilla), .init(.antiDrifting)])
            // 32 x 32 pixels are 4 tokens a latent; both ends are generated at once.
            #expect(try plan.videoTokens().target == 4 * 2 * 2)
            let report = try plan.report()
            #expect(report.samplesAtOnce == 1 && report.accumulation == 2)
            let packed = try tiny.run(
                Self.lora, sections: "window = 2, packings = [\"td_f4k1_g2\", \"td_f1k1_g2\"]")
            #expect(try packed.plan().videoTokens() == (4 * 2, 4 * 4))
        }
    }

    @Test func whatChangedSinceTheRunBeganIsSaid() throws {
        try withTemporaryFolder { folder in
            let tiny = try TinyFineTuning(in: folder)
            let run = try tiny.run(Self.lora)
            #expect(try run.changes().isEmpty)
            try run.writeConfiguration()
            #expect(try run.changes().isEmpty)
            let other = try tiny.run(
                Self.lora.replacing("2e-2", with: "1e-2") + "\n[noise]\nshift = 5\n", steps: 9)
            let changes = try other.changes()
            #expect(changes.count == 2)
            #expect(changes[0].hasPrefix("noise.shift was 3 when"))
            #expect(changes[1].contains("optimizer.learning_rate was 0.02"))
        }
    }
}
