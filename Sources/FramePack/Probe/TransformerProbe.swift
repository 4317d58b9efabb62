import Foundation
import Models
import Torch
import TorchNN

/// The rows `transformer` of the probe: one pass, or all steps of a section with a step cache.
struct TransformerProbe {
    private let transformer: Transformer
    private let options: ProbeOptions

    init(_ folder: URL, _ options: ProbeOptions) throws {
        transformer = try Transformer(folder: folder, device: options.device, dtype: options.dtype)
        self.options = options
        for lora in options.lora {
            try lora.validate()
            let adapters = try AdapterFile(contentsOf: lora.url(), for: transformer).adapters
            try adapters.store.move(to: options.device)
            // A probe has no time: it is the beginning of a video.
            adapters.strength = lora.strength
            try transformer.attach(adapters)
        }
    }

    private var execution: Execution {
        Execution(dtype: options.dtype, roundsConditions: options.dtype == .bfloat16)
    }

    func run(_ file: URL) throws -> [String: Tensor] {
        let input = try ProbeInput(file: file, known: TransformerInput.tensorNames)
        guard options.stepCache != .none else {
            return ["sample": try transformer(pass(checked(input)), execution)]
        }
        return try runSteps(input)
    }

    /// All steps of one section: `hidden_states` and `timestep` have a leading axis of steps.
    private func runSteps(_ input: ProbeInput) throws -> [String: Tensor] {
        let states = try input.numbers(
            "hidden_states", [nil, nil, nil, nil, nil, nil], "(steps, B, 16, F, h, w)")
        let times = try condition(
            "timestep", [states.dim(0), states.dim(1)], "(steps, B)", input)
        let cache = try cache(stepCount: states.dim(0))
        var tensors = try checkedShared(input, batch: states.dim(1))
        var samples: [Tensor] = []
        for step in 0..<states.dim(0) {
            tensors["hidden_states"] = try states.select(0, step).contiguous()
            tensors["timestep"] = try times.select(0, step).contiguous()
            samples.append(try cache.velocity(input: pass(tensors)))
        }
        let computed = cache.computed.map { Int64($0 ? 1 : 0) }
        return ["sample": try .stack(samples, axis: 0), "computed": try Tensor(computed)]
    }

    private func cache(stepCount: Int) throws -> any StepCache {
        if let threshold = options.threshold {
            try SettingRange.check("threshold", threshold, in: GenerationRequest.Limits.threshold)
        }
        let setup = try StepCacheSetup(
            options.stepCache, threshold: options.threshold, stepCount: stepCount
        ) {
            throw FramePackError.probe(
                "The step cache magcache needs a whole model, which has magnitude ratios; probe "
                    + "the component pipeline.")
        }
        guard let setup else { throw FramePackError.probe("There is no step cache to run.") }
        return setup.cache(
            TransformerDenoiser(transformer, execution: execution, distilledScale: 1))
    }

    /// The input of one pass, checked against the configuration and moved to the device.
    private func pass(_ tensors: [String: Tensor]) throws -> TransformerInput {
        let onHost = ["encoder_attention_mask"]
        return try TransformerInput(
            named: Dictionary(
                uniqueKeysWithValues: tensors.map { name, tensor in
                    let stays = name.hasPrefix("indices_") || onHost.contains(name)
                    return (name, stays ? tensor : try tensor.to(options.device))
                }), for: transformer.config)
    }

    private func checked(_ input: ProbeInput) throws -> [String: Tensor] {
        let states = try input.numbers(
            "hidden_states", [nil, nil, nil, nil, nil], "(B, 16, F, h, w)")
        var tensors = try checkedShared(input, batch: states.dim(0))
        tensors["hidden_states"] = states
        tensors["timestep"] = try condition("timestep", [states.dim(0)], "(B)", input)
        return tensors
    }

    /// Everything but what changes from step to step.
    private func checkedShared(_ input: ProbeInput, batch: Int) throws -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        let mask = try input.checked("encoder_attention_mask", [batch, nil], "(B, T)")
        tensors["encoder_attention_mask"] = mask
        tensors["encoder_hidden_states"] = try text(input, batch: batch, mask: mask)
        tensors["pooled_projections"] = try input.numbers(
            "pooled_projections", [batch, nil], "(B, P)")
        if transformer.config.hasImageProjection || input.contains("image_embeds") {
            tensors["image_embeds"] = try input.numbers(
                "image_embeds", [batch, nil, nil], "(B, I, C)")
        }
        if transformer.config.hasGuidance || input.contains("guidance") {
            tensors["guidance"] = try condition("guidance", [batch], "(B)", input)
        }
        tensors["indices_latents"] = try input.integers("indices_latents", [nil], "(F)")
        for group in TransformerInput.groupNames {
            let (latents, indices) = ("latents_\(group)", "indices_latents_\(group)")
            guard input.contains(latents) || input.contains(indices) else { continue }
            tensors[latents] = try input.numbers(
                latents, [batch, nil, nil, nil, nil], "(B, 16, F, h, w)")
            tensors[indices] = try input.integers(indices, [nil], "(F)")
        }
        return tensors
    }

    /// The text's states; those that the mask leaves out may hold anything.
    private func text(_ input: ProbeInput, batch: Int, mask: Tensor) throws -> Tensor {
        let name = "encoder_hidden_states"
        let states = try input.checked(name, [batch, mask.dim(1), nil], "(B, T, C)")
        guard states.dtype.isFloatingPoint else {
            throw FramePackError.probe("\(name) is \(states); it must be floating point.")
        }
        let used = try mask.to(.float32).equal(0).not().unsqueeze(2)
        let numbers = try used.select(states.to(.float32), else: Tensor.zeros([1]))
        guard try numbers.isFinite().all().item() != 0 else {
            throw FramePackError.probe("\(name) holds NaN or infinite numbers.")
        }
        return numbers
    }

    /// A timestep or guidance, which may be whole numbers too.
    private func condition(
        _ name: String, _ shape: [Int?], _ form: String, _ input: ProbeInput
    ) throws -> Tensor {
        let tensor = try input.checked(name, shape, form)
        guard tensor.dtype != .bool else {
            throw FramePackError.probe("\(name) is \(tensor); it must be numbers.")
        }
        let numbers = try tensor.to(.float32)
        guard try numbers.isFinite().all().item() != 0 else {
            throw FramePackError.probe("\(name) holds NaN or infinite numbers.")
        }
        return numbers
    }
}
