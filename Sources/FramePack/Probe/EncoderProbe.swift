import Checkpoints
import Foundation
import Models
import Torch

/// The rows `llama`, `clip` and `siglip` of the probe.
struct EncoderProbe {
    private let folder: URL
    private let options: ProbeOptions

    init(_ folder: URL, _ options: ProbeOptions) { (self.folder, self.options) = (folder, options) }

    func llama(_ file: URL) throws -> [String: Tensor] {
        let input = try ProbeInput(file: file, known: ["input_ids", "attention_mask"])
        let ids = try input.integers("input_ids", [nil, nil], "(B, T)")
        let mask = try input.checked("attention_mask", ids.shape.map { $0 }, "(B, T)")
        let crop = options.crop ?? PromptTemplate.releasedCrop
        guard (0..<ids.dim(1)).contains(crop) else {
            throw FramePackError.probe(
                """
                input_ids has \(ids.dim(1)) positions; crop is \(crop), which must be 0 or more \
                and leave at least one.
                """)
        }
        let encoder = try LlamaTextEncoder(
            folder: folder, device: options.device, dtype: options.dtype)
        let states = try encoder(ids, mask, dtype: options.dtype)
        let kept = ids.dim(1) - crop
        return [
            "prompt_embeds": try states.narrow(1, crop, kept),
            "prompt_attention_mask": try mask.to(.int64).narrow(1, crop, kept),
        ]
    }

    func clip(_ file: URL) throws -> [String: Tensor] {
        let input = try ProbeInput(file: file, known: ["input_ids"])
        let ids = try input.integers("input_ids", [nil, nil], "(B, 77)")
        let encoder = try CLIPTextEncoder(
            folder: folder, device: options.device, dtype: options.dtype)
        let result = try encoder(ids, dtype: options.dtype)
        return ["last_hidden_state": result.lastHiddenState, "pooler_output": result.pooled]
    }

    func siglip(_ file: URL) throws -> [String: Tensor] {
        let input = try ProbeInput(file: file, known: ["image", "pixel_values"])
        let encoder = try SigLIPVisionEncoder(
            folder: folder.appendingPathComponent("image_encoder"), device: options.device,
            dtype: options.dtype)
        let pixels = try pixelValues(input, encoder.config)
        return [
            "pixel_values": pixels,
            "last_hidden_state": try encoder(pixels, dtype: options.dtype),
        ]
    }

    private func pixelValues(_ input: ProbeInput, _ config: SigLIPVisionConfig) throws -> Tensor {
        guard input.contains("image") else {
            let size = config.imageSize
            return try input.numbers(
                "pixel_values", [nil, config.channelCount, size, size],
                "(1, \(config.channelCount), \(size), \(size)), unless there is an image")
        }
        guard !input.contains("pixel_values") else {
            throw FramePackError.probe("image and pixel_values are both given; give one of them.")
        }
        let levels = try input.levels("image", [nil, nil, 3], "(H, W, 3)")
        let preprocessor = try CheckpointFolder.json(
            SigLIPPreprocessorConfig.self, "preprocessor_config.json",
            in: folder.appendingPathComponent("feature_extractor"))
        return try ImageEncoder.visionPixels(ImageEncoder.picture(levels), preprocessor)
    }
}
