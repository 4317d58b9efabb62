import Foundation
import Torch

extension ComponentProbe {
    /// The row `pipeline` of the probe.
    func runPipeline(_ folder: URL, _ file: URL, _ options: ProbeOptions) throws
        -> [String: Tensor]
    {
        let input = try ProbeInput(file: file, knownList: "image, noise.0, noise.1, ...") { name in
            name == "image" || (name.hasPrefix("noise.") && Int(name.dropFirst(6)) != nil)
        }
        _ = try input.levels("image", [nil, nil, 3], "(H, W, 3)")
        for name in input.tensors.keys.sorted() where name != "image" {
            _ = try input.numbers(name, [1, nil, nil, nil, nil], "(1, 16, F, h, w)")
        }
        return try PipelineProbe.run(
            ModelFolder(folder), inputs: input.tensors, options: pipelineOptions(options),
            device: options.device)
    }

    private func pipelineOptions(_ options: ProbeOptions) -> PipelineProbe.Options {
        var result = PipelineProbe.Options()
        result.order = options.order
        result.window = options.window
        result.sections = options.sections
        result.steps = options.steps ?? result.steps
        result.sampler = options.sampler
        result.guidance = options.guidance
        result.cfg = options.cfg
        result.prompt = options.prompt
        result.negativePrompt = options.negativePrompt
        result.seed = options.seed
        result.stepCache = options.stepCache
        result.threshold = options.threshold
        result.lora = options.lora
        result.keepsSize = options.keepsSize
        result.dtype = options.dtype
        return result
    }
}
