import Checkpoints
import Foundation
import TestSupport
import Testing
import Torch

/// `framepack probe` against the goldens, as a process of its own.
@Suite struct ProbeTests {
    @Test(arguments: ProbeCases.transformer) func transformerGivesTheGoldens(_ one: ProbeCase)
        throws
    { try check(one) }

    @Test(arguments: ProbeCases.vae) func vaeGivesTheGoldens(_ one: ProbeCase) throws {
        try check(one)
    }

    @Test(arguments: ProbeCases.encoders) func encodersGiveTheGoldens(_ one: ProbeCase) throws {
        try check(one)
    }

    @Test(arguments: ["f1_w2", "inverted_single", "inverted_teacache"])
    func pipelineGivesTheGoldens(_ name: String) throws {
        let file = "pipeline/\(name)"
        let source = try SafetensorsFile(Fixtures.url(file + ".safetensors"))
        var one = ProbeCase(
            "pipeline", file, model: "goldens/pipeline/model", outputs: ["latents"], bound: 1e-4)
        one.options = split(try #require(source.metadata["options"]))
        try check(one)
    }

    @Test func pipelineDrawsTheNoiseOfItsSeed() throws {
        let name = "pipeline/f1_w2"
        let source = try SafetensorsFile(Fixtures.url(name + ".safetensors"))
        try withTemporaryFolder { folder in
            let input = folder.appendingPathComponent("in.safetensors")
            let output = folder.appendingPathComponent("out.safetensors")
            try writeSafetensors(["in.image": source.tensor("in.image")], to: input)
            let run = try Program.run(
                [
                    "probe", "pipeline", "--model", Fixtures.url("goldens/pipeline/model").path,
                    "--input", input.path, "--output", output.path,
                ] + split(try #require(source.metadata["options"])))
            try #require(run.status == 0, "\(run.errors)")
            let results = try SafetensorsFile(output)
            try expectClose(
                results.tensor("latents"), source.tensor("out.latents"), absolute: 1e-4,
                relative: 1e-4, "latents from the seed")
            try expectClose(
                results.tensor("pixels"), source.tensor("out.pixels"), absolute: 2e-3,
                relative: 2e-3, "pixels")
        }
    }

    @Test func streamingDecodesEachLatentOnce() throws {
        try withTemporaryFolder { folder in
            let output = folder.appendingPathComponent("out.safetensors")
            var one = ProbeCase(
                "vae-decode", "vae/f33", model: "vae/model", "--streaming", outputs: ["decoded"])
            one.options = ["--streaming"]
            let run = try Program.run(one.arguments(output: output))
            try #require(run.status == 0, "\(run.errors)")
            let decoded = try SafetensorsFile(output).tensor("decoded")
            #expect(decoded.shape == [1, 3, 33, 16, 24])
            #expect(try decoded.isFinite().all().item() == 1)
        }
    }

    @Test(arguments: [
        ("tokenizers/llama", "tokenizers/llama.json"),
        ("goldens/tokenizers/llama", "goldens/tokenizers/llama_golden.json"),
        ("tokenizers/llama_pairs", "tokenizers/llama.json"),
        ("goldens/tokenizers/clip_json", "goldens/tokenizers/clip_golden.json"),
        ("tokenizers/clip_vocab", "tokenizers/clip.json"),
    ])
    func tokenizeGivesTheGoldens(_ folder: String, _ golden: String) throws {
        struct Tokens: Codable, Equatable {
            let ids, ids_no_special: [Int]
            let offsets: [[Int]]
        }
        struct Case: Decodable { let text: String }
        struct Golden<Value: Decodable>: Decodable { let strings: [Value] }
        let data = try Data(contentsOf: Fixtures.url(golden))
        let texts = try JSONDecoder().decode(Golden<Case>.self, from: data).strings.map(\.text)
        let wanted = try JSONDecoder().decode(Golden<Tokens>.self, from: data).strings
        try withTemporaryFolder { temporary in
            let input = temporary.appendingPathComponent("in.json")
            let output = temporary.appendingPathComponent("out.json")
            try JSONEncoder().encode(texts).write(to: input)
            let run = try Program.run([
                "probe", "tokenize", "--model", Fixtures.url(folder).path, "--input", input.path,
                "--output", output.path,
            ])
            try #require(run.status == 0, "\(run.errors)")
            let found = try JSONDecoder().decode([Tokens].self, from: Data(contentsOf: output))
            #expect(found.count == wanted.count)
            for (index, pair) in zip(found, wanted).enumerated() where pair.0 != pair.1 {
                Issue.record("\(texts[index].debugDescription): \(pair.0), wanted \(pair.1)")
            }
        }
    }

    @Test(arguments: [
        "tokens14040_steps25", "tokens8798_steps7", "tokens1_steps2", "shift12.5_steps4",
    ])
    func sigmasGiveTheGoldens(_ name: String) throws {
        let golden = try Fixtures.tensors("schedulers/sigmas.safetensors")
        try withTemporaryFolder { folder in
            let output = folder.appendingPathComponent("out.safetensors")
            let run = try Program.run(
                ["probe", "sigmas", "--output", output.path] + options(name))
            try #require(run.status == 0, "\(run.errors)")
            let sigmas = try SafetensorsFile(output).tensor("sigmas")
            try expectClose(
                sigmas, #require(golden[name]), absolute: 1e-6, relative: 0, "sigmas \(name)")
        }
    }

    @Test(arguments: [
        ("a", "unipc", "tanh_steps5_tokens9000"), ("b", "unipc-bh2", "sin_steps3_tokens3510"),
        ("a", "euler", "sin_steps5_tokens96_shift3"), ("b", "unipc", "tanh_steps1_tokens96"),
    ])
    func sampleGivesTheGoldens(_ file: String, _ sampler: String, _ name: String) throws {
        let stem = ["unipc": "unipc_bh1", "unipc-bh2": "unipc_bh2", "euler": "euler"][sampler]
        let prefix = "\(stem ?? "").\(name)"
        let parts = name.split(separator: "_", maxSplits: 1)
        var one = ProbeCase(
            "sample", "schedulers/trajectories_\(file)", model: nil,
            renamed: ["result": "\(prefix).result"], bound: 5e-6)
        if sampler != "euler" { one.outputs["denoised"] = "\(prefix).denoised" }
        one.options =
            ["--sampler", sampler, "--function", String(parts[0])] + options(String(parts[1]))
        try withTemporaryFolder { folder in
            // The file holds trajectories under names of its own, so the noise goes in alone.
            let noise = try Fixtures.tensors(one.file + ".safetensors")["in.noise"]
            let input = folder.appendingPathComponent("in.safetensors")
            try writeSafetensors(["noise": #require(noise)], to: input)
            try check(one, input: input)
        }
    }

    /// Reads `tokens96_steps5_shift3` as options.
    private func options(_ name: String) -> [String] {
        name.split(separator: "_").flatMap { part -> [String] in
            let option = part.prefix { $0.isLetter }
            return ["--\(option)", String(part.dropFirst(option.count))]
        }
    }

    /// Splits at spaces outside of quotes.
    private func split(_ line: String) -> [String] {
        var (words, word, quoted) = ([String](), "", false)
        for character in line {
            if character == "\"" {
                quoted.toggle()
            } else if character == " ", !quoted {
                if !word.isEmpty { words.append(word) }
                word = ""
            } else {
                word.append(character)
            }
        }
        return word.isEmpty ? words : words + [word]
    }

    private func check(_ one: ProbeCase, input: URL? = nil) throws {
        try withTemporaryFolder { folder in
            let output = folder.appendingPathComponent("out.safetensors")
            var arguments = one.arguments(output: output)
            if let input, let place = arguments.firstIndex(of: "--input") {
                arguments[place + 1] = input.path
            }
            let run = try Program.run(arguments)
            try #require(run.status == 0, "\(run.errors)")
            #expect(run.errors.isEmpty && run.output.isEmpty)
            let golden = try Fixtures.tensors(one.file + ".safetensors")
            let results = try SafetensorsFile(output)
            for (name, stored) in one.outputs.sorted(by: { $0.key < $1.key }) {
                var found = try results.tensor(name)
                var wanted = try #require(golden[stored], "the case lacks \(stored)")
                if name == "prompt_embeds", let mask = golden["out.prompt_attention_mask"] {
                    // Rows of padding hold values without a meaning.
                    let rows = try mask.unsqueeze(2).to(.float32)
                    (found, wanted) = (try found * rows, try wanted * rows)
                }
                #expect(found.dtype == (wanted.dtype.isFloatingPoint ? .float32 : .int64))
                try expectClose(
                    found, wanted, absolute: one.absolute ?? one.bound, relative: one.bound,
                    "\(one) \(name)")
            }
        }
    }
}
