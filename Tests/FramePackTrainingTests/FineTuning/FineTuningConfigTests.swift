import Foundation
import FramePack
import FramePackTraining
import TestSupport
import Testing

@Suite struct FineTuningConfigTests {
    private static let least = """
        model = "model"
        dataset = "data.toml"
        output = "run"
        guidance = 10

        """

    private func read(_ text: String) throws -> FineTuningConfig {
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("run.toml")
            try Data(text.utf8).write(to: file)
            return try FineTuningConfig(contentsOf: file)
        }
    }

    @Test func whatIsLeftOutHasItsDefault() throws {
        let config = try read(Self.least)
        #expect(config.model.hasSuffix("/model") && config.model.hasPrefix("/"))
        #expect(config.steps == 1600 && config.batch == 1)
        #expect(config.method == .init() && config.noise == .init() && config.compute == .init())
        #expect(config.history == HistoryCorruption())
    }

    @Test func everyKeyIsRead() throws {
        let config = try read(
            Self.least + """
                steps = 10
                seed = 1
                batch = 4
                accumulation = 2
                cache = "/cache"
                method = { kind = "lora", rank = 4, alpha = 2, targets = ["to_q"], excluded = ["x"] }
                sections = { orders = ["f1", "inverted"], window = 3 }
                dropout = { text = 0.1, image = 0.2 }
                history = { share = 0.5, noise = 0.1, blur = 0.2, saturation = 0.3 }
                compute = { device = "cpu", precision = "f32", weights = "f32", \
                checkpoint_activations = false, threads = 1 }
                checkpoints = { interval = 5, sample_interval = 6 }
                [optimizer]
                kind = "adafactor"
                learning_rate = 1e-5
                warmup_steps = 7
                decay_start = 0.5
                final_share = 0.1
                weight_decay = 0
                beta1 = 0.8
                beta2 = 0.95
                clip_norm = 0.5
                averaging = 0.99
                [noise]
                sampling = "logit_normal"
                shift = 1
                scale = 2
                mean = 0.5
                min_timestep = 100
                max_timestep = 900
                weighting = "cosmap"
                [[samples]]
                prompt = "a cat"
                image = "cat.png"
                seconds = 1.2
                steps = 8
                seed = 3
                guidance = 6
                """)
        #expect((config.steps, config.seed, config.batch, config.accumulation) == (10, 1, 4, 2))
        #expect(config.cache == "/cache")
        #expect(config.method.rank == 4 && config.method.alpha == 2)
        #expect(config.method.targets == ["to_q"] && config.method.excluded == ["x"])
        #expect(config.sections.orders == ["f1", "inverted"] && config.sections.window == 3)
        #expect(config.dropout.text == 0.1 && config.dropout.image == 0.2)
        #expect(config.history.blur == 0.2 && config.history.saturation == 0.3)
        #expect(config.compute.precision == .f32 && !config.compute.checkpointActivations)
        #expect(config.checkpoints.interval == 5 && config.checkpoints.sampleInterval == 6)
        #expect(config.optimizer.kind == "adafactor" && config.optimizer.learningRate == 1e-5)
        #expect(config.optimizer.clipNorm == 0.5 && config.optimizer.averaging == 0.99)
        #expect(config.noise.sampling == .logitNormal && config.noise.weighting == .cosineMap)
        #expect(config.noise.minTimestep == 100 && config.noise.maxTimestep == 900)
        #expect(config.samples.count == 1 && config.samples[0].seconds == 1.2)
        #expect(config.samples[0].image?.hasSuffix("/cat.png") == true)
        let copy = try JSONDecoder().decode(
            FineTuningConfig.self, from: JSONEncoder().encode(config))
        #expect(copy == config)
    }

    @Test(arguments: [
        ("stepz = 1", "line 5: stepz cannot be used", "the nearest is \"steps\""),
        ("[optimizer]\nlearning_rte = 1", "line 6: optimizer.learning_rte", "\"learning_rate\""),
        ("steps = \"many\"", "line 5: steps must be a whole number", ""),
        ("steps = 0", "line 5: steps is 0; it must be from 1 to 100000000", ""),
        ("method = { rank = 0 }", "line 5: method.rank is 0", ""),
        ("[optimizer]\nlearning_rate = 0", "line 6: optimizer.learning_rate is 0", "above 0"),
        ("[optimizer]\nkind = \"sgd\"", "line 6: optimizer.kind is \"sgd\"", "adamw8bit"),
        (
            "[method]\nkind = \"LoRA\"", "line 6: method.kind is \"LoRA\"",
            "it must be among full, lora"
        ),
        (
            "[noise]\nsampling = \"shft\"", "line 6: noise.sampling is \"shft\"",
            "among uniform, sigmoid, shift, logit_normal, uniform_shift"
        ),
        (
            "[noise]\nweighting = \"cos\"", "line 6: noise.weighting is \"cos\"",
            "among none, sigma_sqrt, cosmap"
        ),
        (
            "[compute]\nprecision = \"fp8\"", "line 6: compute.precision is \"fp8\"", "bf16"
        ),
        ("[compute]\nweights = \"half\"", "line 6: compute.weights is \"half\"", "bf16"),
        ("[noise]\nmin_timestep = 900\nmax_timestep = 100", "line 6: noise.min_timestep", ""),
        ("[sections]\norders = [\"backwards\"]", "line 6: sections.orders", "inverted"),
        (
            "[sections]\nhistory_orders = [\"likeness\"]", "line 6: sections.history_orders",
            "hybrid"
        ),
        (
            "[sections]\nhistory_time_weight = -1", "line 6: sections.history_time_weight is -1",
            "1000"
        ),
        ("[sections]\npackings = [\"td_f1_k1_g9\"]", "line 6: sections.packings is wrong", "mean"),
        (
            "[sections]\npackings = [\"td_f1k1_g4\"]", "line 6: sections.packings is \"td",
            "window, 9"
        ),
        ("[history]\nshare = 2", "line 6: history.share is 2.0", "from 0.0 to 1.0"),
        ("accumulation = 2", "line 5: accumulation is 2", "at most batch"),
        ("[[samples]]\nseconds = 1", "line 5: samples[1].prompt is empty", "what moves"),
        (
            "[[samples]]\nprompt = \"a\"\nseed = -1", "line 7: samples[1].seed is -1",
            "from 0 to 9223372036854775807"
        ),
        (
            "[[samples]]\nprompt = \"[2s: a cat\"", "line 6: samples[1].prompt is wrong",
            "time marks cannot be read"
        ),
        (
            "[[samples]]\nprompt = \"[0s: a cat] [1s: it sleeps]\"",
            "line 6: samples[1].prompt is \"[0s: a cat]",
            "with time marks; a sample video has one prompt"
        ),
        (
            "[method]\nkind = \"full\"\n[compute]\nweights = \"f16\"",
            "line 8: compute.weights is f16",
            "bf16 or f32"
        ),
        ("[method]\nkind = \"full\"\ntargets = [\"attn\"]", "line 7: method.targets is given", ""),
        ("[compute]\nprecision = \"f16\"", "line 6: compute.precision is f16", "bf16 or f32"),
        (
            "[method]\ntargets = [\"to_q\", \"(((\"]", "line 6: method.targets is \"(((\"",
            "regular expression"
        ),
        ("[method]\nexcluded = [\"[\"]", "line 6: method.excluded is \"[\"", ""),
        (
            "steps = 1e300", "line 5: steps is 1e+300; it must be a whole number from",
            "to 9223372036854775807"
        ),
        ("steps = 1.5", "line 5: steps is 1.5; it must be a whole number", ""),
        ("seed = 99999999999999999999", "line 5: seed is 99999999999999999999", ""),
        ("[optimizer]\nbeta1 = inf", "line 6: optimizer.beta1 is inf", "a finite number"),
        ("[method]\ntargets = [1]", "line 6: method.targets[1] must be a text", ""),
        ("samples = 3", "line 5: samples must be an array", ""),
        ("sections = 3", "line 5: sections must be a table", ""),
        ("steps = 1\nsteps = 2", "line 6: steps is set a second time", ""),
    ])
    func whatCannotBeIsNamedWithItsLine(_ text: String, start: String, part: String) {
        let error = #expect(throws: TrainingError.self) { try read(Self.least + text) }
        let message = error?.description ?? ""
        #expect(message.contains("run.toml, \(start)"), "\(message)")
        #expect(part.isEmpty || message.contains(part), "\(message)")
    }

    @Test(arguments: ["model", "dataset", "output", "guidance"])
    func whatHasNoDefaultIsAskedFor(_ key: String) {
        let text = Self.least.split(separator: "\n").filter { !$0.hasPrefix(key) }
            .joined(separator: "\n")
        let error = #expect(throws: TrainingError.self) { try read(text) }
        #expect(error?.description.contains("\(key) ") == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("missing") == true)
    }

    private static let checkout = Fixtures.folder.deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test(arguments: ["lora.toml", "paper.toml"])
    func theRecipesAreValid(_ name: String) throws {
        let url = Self.checkout.appendingPathComponent("Recipes/\(name)")
        let config = try FineTuningConfig(contentsOf: url)
        #expect(try DatasetFile(URL(fileURLWithPath: config.dataset)).notes.isEmpty)
        if name == "paper.toml" {
            #expect(config.method.kind == .full && config.optimizer.kind == "adafactor")
            #expect(config.optimizer.learningRate == 1e-5 && config.optimizer.clipNorm == 0.5)
            #expect(config.batch == 64)
        } else {
            #expect(config.method.rank == 32 && config.optimizer.learningRate == 2e-4)
            #expect(config.optimizer.kind == "adamw8bit" && config.noise.shift == 3)
        }
    }

    /// The page that users read names every key.
    @Test func everyKeyIsDescribed() throws {
        let page = try String(
            contentsOf: Self.checkout.appendingPathComponent("docs/fine-tuning.md"),
            encoding: .utf8)
        var config = FineTuningConfig(model: "", dataset: "", output: "", guidance: 10)
        config.cache = ""
        var sample = FineTuningConfig.Sample()
        (sample.image, sample.guidance) = ("", 1)
        config.samples = [sample]
        config.method.weights = ""
        let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(config))
        let keys = Self.keys(json)
        #expect(keys.count > 50)
        for key in keys { #expect(page.contains("`\(key)`"), "\(key)") }
    }

    private static func keys(_ value: Any) -> Set<String> {
        if let list = value as? [Any] { return list.reduce(into: []) { $0.formUnion(keys($1)) } }
        guard let table = value as? [String: Any] else { return [] }
        return table.reduce(into: Set(table.keys)) { $0.formUnion(keys($1.value)) }
    }
}
