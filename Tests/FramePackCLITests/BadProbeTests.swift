import Checkpoints
import Foundation
import FramePack
import TestSupport
import Testing
import Torch

/// A wrong tensor is one line that names it, never a crash.
@Suite struct BadProbeTests {
    /// What is done to a good input, and what the line must say.
    struct Case: CustomStringConvertible, Sendable {
        let description: String
        let change: @Sendable (inout [String: Tensor]) throws -> Void
        let says: String

        init(
            _ description: String, says: String,
            _ change: @escaping @Sendable (inout [String: Tensor]) throws -> Void
        ) {
            (self.description, self.says, self.change) = (description, says, change)
        }
    }

    static let transformerCases = [
        Case("unknown tensor", says: "strange") { $0["in.strange"] = try .zeros([1]) },
        Case("missing timestep", says: "timestep") { $0["in.timestep"] = nil },
        Case("twice", says: "timestep") { $0["timestep"] = try .zeros([1]) },
        Case("rank 4", says: "hidden_states") {
            $0["in.hidden_states"] = try .zeros([16, 3, 16, 24])
        },
        Case("empty", says: "hidden_states") {
            $0["in.hidden_states"] = try .zeros([1, 16, 0, 16, 24])
        },
        Case("no batch", says: "hidden_states") {
            $0["in.hidden_states"] = try .zeros([0, 16, 3, 16, 24])
        },
        Case("other channels", says: "hidden_states") {
            $0["in.hidden_states"] = try .zeros([1, 15, 3, 16, 24])
        },
        Case("odd height", says: "hidden_states") {
            $0["in.hidden_states"] = try .zeros([1, 16, 3, 15, 24])
        },
        Case("whole numbers", says: "hidden_states") {
            $0["in.hidden_states"] = try .zeros([1, 16, 3, 16, 24], dtype: .int32)
        },
        Case("NaN", says: "hidden_states") {
            $0["in.hidden_states"] = try .full([1, 16, 3, 16, 24], .nan)
        },
        Case("too few indices", says: "indices_latents") {
            $0["in.indices_latents"] = try Tensor([Int64(1)])
        },
        Case("float indices", says: "indices_latents") {
            $0["in.indices_latents"] = try .zeros([3])
        },
        Case("history without indices", says: "indices_latents_clean") {
            $0["in.indices_latents_clean"] = nil
        },
        Case("history of another size", says: "latents_clean") {
            $0["in.latents_clean"] = try .zeros([1, 16, 2, 16, 22])
        },
        Case("mask with a gap", says: "encoder_attention_mask") {
            $0["in.encoder_attention_mask"] = try Tensor(
                [Float](repeating: 1, count: 5) + [0, 1, 1, 1, 1, 1, 1], [1, 12])
        },
        Case("mask of zeros", says: "encoder_attention_mask") {
            $0["in.encoder_attention_mask"] = try .zeros([1, 12])
        },
        Case("mask of another length", says: "encoder_hidden_states") {
            $0["in.encoder_attention_mask"] = try .ones([1, 11])
        },
        Case("pooled of another width", says: "pooled_projections") {
            $0["in.pooled_projections"] = try .zeros([1, 21])
        },
        Case("vision of another width", says: "image_embeds") {
            $0["in.image_embeds"] = try .zeros([1, 5, 27])
        },
        Case("guidance for two", says: "guidance") { $0["in.guidance"] = try .zeros([2]) },
        Case("scalar guidance", says: "guidance") { $0["in.guidance"] = try .zeros([]) },
    ]

    @Test(arguments: transformerCases) func transformerNamesTheTensor(_ one: Case) throws {
        try check(
            one, "transformer", model: "goldens/transformer/model",
            file: "goldens/transformer/even_b1")
    }

    static let vaeCases = [
        Case("10 frames", says: "video") { $0["in.video"] = try .zeros([1, 3, 10, 32, 40]) },
        Case("odd width", says: "video") { $0["in.video"] = try .zeros([1, 3, 9, 32, 39]) },
        Case("4 channels", says: "video") { $0["in.video"] = try .zeros([1, 4, 9, 32, 40]) },
        Case("eps of another shape", says: "eps") { $0["in.eps"] = try .zeros([1, 16, 3, 4, 4]) },
        Case("unknown", says: "pixels") { $0["pixels"] = try .zeros([1]) },
        Case("none", says: "video") { $0["in.video"] = nil },
    ]

    @Test(arguments: vaeCases) func vaeNamesTheTensor(_ one: Case) throws {
        try check(one, "vae-encode", model: "goldens/vae/model", file: "goldens/vae/f9")
    }

    static let textCases = [
        Case("id outside", says: "input_ids") {
            $0["in.input_ids"] = try .full([4, 351], 1e6, dtype: .int64)
        },
        Case("negative id", says: "input_ids") {
            $0["in.input_ids"] = try .full([4, 351], -1, dtype: .int64)
        },
        Case("float ids", says: "input_ids") { $0["in.input_ids"] = try .zeros([4, 351]) },
        Case("one axis", says: "input_ids") {
            $0["in.input_ids"] = try .zeros([351], dtype: .int64)
        },
        Case("too short for the crop", says: "input_ids") {
            $0["in.input_ids"] = try .zeros([1, 95], dtype: .int64)
            $0["in.attention_mask"] = try .ones([1, 95], dtype: .int64)
        },
        Case("mask of another shape", says: "attention_mask") {
            $0["in.attention_mask"] = try .ones([4, 350], dtype: .int64)
        },
        Case("mask of twos", says: "attention_mask") {
            $0["in.attention_mask"] = try .full([4, 351], 2, dtype: .int64)
        },
    ]

    @Test(arguments: textCases) func llamaNamesTheTensor(_ one: Case) throws {
        try check(one, "llama", model: "goldens/text/llama", file: "goldens/text/llama")
    }

    @Test(arguments: [
        (["vae-decode", "--tile-height", "-8"], "tile-height"),
        (["vae-decode", "--tile-stride-width", "999"], "tile-stride-width"),
        (["vae-decode", "--tile-frames", "0"], "tile-frames"),
        (["sigmas", "--tokens", "10", "--steps", "0"], "steps"),
        (["sigmas", "--tokens", "-4", "--steps", "5"], "tokens"),
        (["sigmas", "--steps", "5"], "tokens"),
        (["sigmas", "--tokens", "4", "--steps", "5", "--shift", "-1"], "shift"),
        (["transformer"], "--input"),
        (["nonsense"], "nonsense"),
    ])
    func optionsAreChecked(_ arguments: [String], _ says: String) throws {
        try withTemporaryFolder { folder in
            var arguments = ["probe"] + arguments
            if arguments.contains("vae-decode") {
                arguments += ["--model", Fixtures.url("goldens/vae/model").path]
                arguments += ["--input", Fixtures.url("goldens/vae/f9.safetensors").path]
            }
            let run = try Program.run(
                arguments + ["--output", folder.appendingPathComponent("o.safetensors").path])
            expect(run, says: says)
        }
    }

    private func check(_ one: Case, _ component: String, model: String, file: String) throws {
        var tensors = try Fixtures.tensors(file + ".safetensors").filter { $0.key.hasPrefix("in.") }
        try one.change(&tensors)
        try withTemporaryFolder { folder in
            let input = folder.appendingPathComponent("in.safetensors")
            let output = folder.appendingPathComponent("out.safetensors")
            try writeSafetensors(tensors, to: input)
            let kind = try #require(ProbeComponent(rawValue: component))
            let error = #expect(throws: (any Error).self) {
                try ComponentProbe(kind).run(
                    model: Fixtures.url(model), input: input, output: output)
            }
            let sentence = error.map { "\($0)" } ?? ""
            #expect(sentence.contains(one.says), "\(sentence)")
            #expect(!FileManager.default.fileExists(atPath: output.path))
        }
    }

    private func expect(_ run: Program.Run, says: String) {
        #expect(run.status == 1 || run.status == 2, "status \(run.status): \(run.errors)")
        #expect(run.errorLines.count == 1, "\(run.errors)")
        #expect(run.errors.hasPrefix("error: ") && run.errors.contains(says), "\(run.errors)")
    }
}
