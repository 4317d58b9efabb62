import FramePack
import TorchOptim

extension FineTuningConfig {
    /// Checks every value against its range, and values against each other.
    ///
    /// - Throws: `SettingProblem` for the first that cannot be.
    func check() throws {
        let own = SettingChecker(nil)
        try own.check("guidance", guidance, in: GenerationRequest.Limits.guidance)
        try own.check("steps", steps, in: 1...100_000_000)
        try own.check("seed", seed, in: 0...Int.max)
        try own.check("batch", batch, in: 1...65_536)
        try own.check("accumulation", accumulation, in: 1...65_536)
        try own.require(
            accumulation <= batch, "accumulation",
            "\(accumulation); it must be at most batch, \(batch), whose samples it divides")
        try checkMethod()
        try checkSections()
        try checkOptimizer()
        try checkNoise()
        let dropped = SettingChecker("dropout")
        try dropped.check("text", dropout.text, in: 0...1)
        try dropped.check("image", dropout.image, in: 0...1)
        try history.check()
        let computed = SettingChecker("compute")
        try computed.require(
            compute.precision != .f16, "precision",
            "f16, in which small gradients are lost; take bf16 or f32")
        try computed.check("threads", compute.threads, in: 0...4096)
        let stored = SettingChecker("checkpoints")
        try stored.check("interval", checkpoints.interval, in: 1...100_000_000)
        try stored.check("sample_interval", checkpoints.sampleInterval, in: 0...100_000_000)
        try checkSamples()
    }

    private func checkMethod() throws {
        let table = SettingChecker("method")
        try table.check("rank", method.rank, in: 1...4096)
        try table.check("alpha", method.alpha, in: 1e-6...1e6)
        try table.require(
            method.kind == .lora || method.targets + method.excluded == [], "targets",
            "given; with kind = \"full\" every weight is trained, so leave it out")
        try checkExpressions("targets", method.targets)
        try checkExpressions("excluded", method.excluded)
        try table.require(
            method.kind == .lora || method.weights == nil, "weights",
            "given; with kind = \"full\" there is no LoRA to go on from")
    }

    private func checkExpressions(_ key: String, _ texts: [String]) throws {
        for text in texts {
            try SettingChecker("method").require(
                (try? Regex(text)) != nil, key,
                "\"\(text)\", which cannot be read; write a regular expression such as "
                    + "\"attn.to_[qkv]\"")
        }
    }

    private func checkSections() throws {
        let table = SettingChecker("sections")
        try table.check("window", sections.window, in: GenerationRequest.Limits.window)
        for name in sections.orders {
            try table.require(
                SamplingOrder(rawValue: name) != nil, "orders",
                "\"\(name)\"; it must be among "
                    + SamplingOrder.allCases.map(\.rawValue).joined(separator: ", "))
        }
        for name in sections.historyOrders {
            try table.require(
                HistoryOrder(rawValue: name) != nil, "history_orders",
                "\"\(name)\"; it must be among "
                    + HistoryOrder.allCases.map(\.rawValue).joined(separator: ", "))
        }
        try table.check(
            "history_time_weight", sections.historyTimeWeight,
            in: GenerationRequest.Limits.historyTimeWeight)
        for name in sections.packings {
            let packing: Packing
            do throws(PackingNameError) {
                packing = try Packing(name: name)
            } catch {
                throw SettingProblem(path: ["sections", "packings"], reason: "wrong. \(error)")
            }
            try table.require(
                packing.window == sections.window, "packings",
                "\"\(name)\", which generates \(packing.window) latents; it must generate as many "
                    + "as window, \(sections.window)")
        }
    }

    private func checkOptimizer() throws {
        let table = SettingChecker("optimizer")
        let kinds = OptimizerChoice.allCases.map(\.rawValue)
        try table.require(
            kinds.contains(optimizer.kind), "kind",
            "\"\(optimizer.kind)\"; it must be among \(kinds.joined(separator: ", "))")
        try table.require(
            optimizer.learningRate > 0 && optimizer.learningRate <= 1, "learning_rate",
            "\(optimizer.learningRate); it must be above 0 and at most 1")
        try table.check("warmup_steps", optimizer.warmupSteps, in: 0...100_000_000)
        try table.check("decay_start", optimizer.decayStart, in: 0...1)
        try table.check("final_share", optimizer.finalShare, in: 0...1)
        try table.check("weight_decay", optimizer.weightDecay, in: 0...1)
        try table.check("beta1", optimizer.beta1, in: 0...0.9999)
        try table.check("beta2", optimizer.beta2, in: 0...0.999999)
        try table.require(
            optimizer.clipNorm > 0, "clip_norm", "\(optimizer.clipNorm); it must be above 0")
        try table.check("averaging", optimizer.averaging, in: 0...0.99999)
        try SettingChecker("compute").require(
            method.kind == .lora || compute.weights != .f16, "weights",
            "f16, in which small steps are lost; a full training holds its weights in bf16 or f32")
    }

    private func checkNoise() throws {
        let table = SettingChecker("noise")
        try table.check("shift", noise.shift, in: 0.01...100)
        try table.require(
            noise.scale > 0 && noise.scale <= 100, "scale",
            "\(noise.scale); it must be above 0 and at most 100")
        try table.check("mean", noise.mean, in: -20...20)
        try table.check("min_timestep", noise.minTimestep, in: 0...1000)
        try table.check("max_timestep", noise.maxTimestep, in: 0...1000)
        try table.require(
            noise.minTimestep < noise.maxTimestep, "min_timestep",
            "\(noise.minTimestep); it must be below max_timestep, \(noise.maxTimestep)")
    }

    private func checkSamples() throws {
        for (index, sample) in samples.enumerated() {
            func at(_ key: String, _ reason: String) -> SettingProblem {
                SettingProblem(path: ["samples", "\(index)", key], reason: reason)
            }
            try checkPrompt(sample.prompt, at)
            do { try VideoLength.seconds(sample.seconds).validate() } catch {
                throw at("seconds", "\(sample.seconds); it must be above 0 and at most 3600")
            }
            if !GenerationRequest.Limits.steps.contains(sample.steps) {
                throw at("steps", "\(sample.steps); it must be from 1 to 100")
            }
            if !GenerationRequest.Limits.seed.contains(sample.seed) {
                throw at("seed", "\(sample.seed); it must be from 0 to \(Int.max)")
            }
            if let guidance = sample.guidance, !GenerationRequest.Limits.guidance.contains(guidance)
            {
                throw at("guidance", "\(guidance); it must be from 1 to 32")
            }
        }
    }

    /// Checks a sample's prompt as a generation does, which would find it wrong after hours.
    private func checkPrompt(_ prompt: String, _ at: (String, String) -> SettingProblem) throws {
        guard !prompt.allSatisfy(\.isWhitespace) else {
            throw at("prompt", "empty; say what moves")
        }
        let timeline: PromptTimeline
        do {
            let request = GenerationRequest(prompt: prompt)
            try request.validate()
            timeline = try request.timeline()
        } catch {
            throw at("prompt", "wrong. \(error)")
        }
        // Its text is encoded once, with the data.
        guard timeline.prompts.map(\.text) == [prompt] else {
            throw at(
                "prompt",
                "\"\(prompt)\", with time marks; a sample video has one prompt from beginning to "
                    + "end, so write it without them")
        }
    }
}
