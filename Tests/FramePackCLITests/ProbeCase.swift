import Checkpoints
import Foundation
import TestSupport
import Torch

/// One run of `framepack probe` on a stored case, and what it must give.
struct ProbeCase: CustomStringConvertible, Sendable {
    /// The component.
    var component: String
    /// The case's file, below `Tests/Fixtures`.
    var file: String
    /// The model's folder, below `Tests/Fixtures`; nil for none.
    var model: String?
    /// Further options.
    var options: [String] = []
    /// The names of outputs, and those that they have in the file.
    var outputs: [String: String]
    /// How close they must come; the relative bound is the same.
    var bound = 2e-5
    /// The absolute bound where it is another one.
    var absolute: Double?

    var description: String { "\(component) \(file) \(options.joined(separator: " "))" }

    init(
        _ component: String, _ file: String, model: String?, _ options: String = "",
        outputs: [String], bound: Double = 2e-5, absolute: Double? = nil
    ) {
        self.init(
            component, file, model: model, options,
            renamed: Dictionary(uniqueKeysWithValues: outputs.map { ($0, "out.\($0)") }),
            bound: bound, absolute: absolute)
    }

    init(
        _ component: String, _ file: String, model: String?, _ options: String = "",
        renamed: [String: String], bound: Double = 2e-5, absolute: Double? = nil
    ) {
        (self.component, self.file, self.model) = (component, file, model)
        self.options = options.split(separator: " ").map(String.init)
        (outputs, self.bound, self.absolute) = (renamed, bound, absolute)
    }

    /// The command line.
    func arguments(output: URL) -> [String] {
        var arguments = ["probe", component]
        if let model { arguments += ["--model", Fixtures.url(model).path] }
        arguments += ["--input", Fixtures.url(file + ".safetensors").path]
        return arguments + ["--output", output.path] + options
    }
}

/// The cases of all components but the whole pipeline.
enum ProbeCases {
    static let transformer: [ProbeCase] =
        [
            ProbeCase(
                "transformer", "goldens/transformer/even_b1",
                model: "goldens/transformer/model", outputs: ["sample"]),
            ProbeCase(
                "transformer", "transformer/small_activations",
                model: "transformer/model_small_bf16", outputs: ["sample"]),
            ProbeCase(
                "transformer", "transformer/short_history",
                model: "transformer/model_sharded_bf16",
                renamed: ["sample": "out.sample_bf16_weights"]),
            ProbeCase(
                "transformer", "transformer/f1_odd", model: "transformer/model", "--dtype bf16",
                renamed: ["sample": "alt.sample_bf16"], bound: 0.1),
        ]
        + [
            "f1_odd", "one_frame", "no_4x", "no_4x_2x", "no_history", "short_history", "batch2",
            "batch3",
        ].map {
            ProbeCase(
                "transformer", "transformer/\($0)", model: "transformer/model",
                outputs: ["sample"])
        }
        + ["0.05", "0.15", "0.3"].map {
            ProbeCase(
                "transformer", "transformer/teacache", model: "transformer/model",
                "--step-cache teacache --threshold \($0)",
                renamed: [
                    "sample": "out.sample.threshold_\($0)",
                    "computed": "out.computed.threshold_\($0)",
                ])
        }

    static let vae: [ProbeCase] = vaeFiles.flatMap { file, options in
        let model = file.hasPrefix("goldens/") ? "goldens/vae/model" : "vae/model"
        let encodes = ProbeCase(
            "vae-encode", file, model: model, options,
            outputs: ["mean", "logvar", "sample_scaled"])
        let decodes = ProbeCase(
            "vae-decode", file, model: model, options, outputs: ["decoded"])
        if file.hasSuffix("decode") || file.hasSuffix("space_time") { return [decodes] }
        return file.hasSuffix("encode") ? [encodes] : [encodes, decodes]
    }

    private static let tiles =
        "--tile-height 32 --tile-width 32 --tile-stride-height 24 --tile-stride-width 24"

    private static let vaeFiles: [(String, String)] = [
        ("goldens/vae/f9", ""), ("vae/f1", ""), ("vae/f5_b2", ""), ("vae/f45", ""),
        ("vae/f33_whole", "--no-temporal-tiling"),
        ("vae/f25_frames8", "--tile-frames 8 --tile-stride-frames 4"),
        ("vae/space_decode", tiles), ("vae/space_encode", tiles), ("vae/space_time", tiles),
        (
            "vae/space_uneven",
            "--tile-height 40 --tile-width 24 --tile-stride-height 32 --tile-stride-width 16"
        ),
    ]

    static let encoders: [ProbeCase] =
        [
            ("goldens/text/llama", "goldens/text/llama", ""),
            ("text/llama_gqa", "text/llama_gqa", "--crop 7"),
            ("text/llama_crop0", "text/llama_gqa", "--crop 0"),
            ("text/llama_f16", "text/llama_sharded_f16", "--crop 20"),
            ("text/llama_bf16", "text/llama_causal_bf16", "--crop 20"),
            ("text/llama_bf16", "text/llama_tied", "--crop 20"),
        ].map {
            ProbeCase(
                "llama", $0.0, model: $0.1, $0.2,
                outputs: ["prompt_embeds", "prompt_attention_mask"])
        }
        + [
            ("goldens/text/clip", "goldens/text/clip"), ("text/clip_eos", "text/clip_eos"),
            ("text/clip_legacy_f16", "text/clip_legacy_f16"),
        ].map {
            ProbeCase(
                "clip", $0.0, model: $0.1, outputs: ["last_hidden_state", "pooler_output"])
        }
        + ["up", "wide", "tiny", "same"].map {
            ProbeCase(
                "siglip", "siglip/\($0)", model: "siglip/plain",
                outputs: ["pixel_values", "last_hidden_state"])
        }
        + [
            ProbeCase(
                "siglip", "siglip/tall", model: "siglip/prefixed_f16",
                renamed: ["last_hidden_state": "rounded.last_hidden_state_f16_weights"])
        ]
}
