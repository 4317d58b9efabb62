import Checkpoints
import Foundation
import TestSupport
import Testing
import Torch

@Suite struct LoRATests {
    private let model = Fixtures.url("transformer/model").path

    /// The transformer's output with LoRA files on the command line.
    private func probe(_ loras: String...) throws -> Tensor {
        try withTemporaryFolder { folder in
            let output = folder.appendingPathComponent("out.safetensors")
            let run = try Program.run(
                [
                    "probe", "transformer", "--model", model, "--input",
                    Fixtures.url("transformer/one_frame.safetensors").path, "--output", output.path,
                ] + loras.flatMap { ["--lora", $0] })
            try #require(run.status == 0, "\(run.errors)")
            return try SafetensorsFile(output).tensor("sample").clone()
        }
    }

    @Test func probesGiveTheGoldens() throws {
        let wanted = try Fixtures.tensors("lora/outputs.safetensors")
        let (kohya, peft) = ("lora/kohya.safetensors", "lora/peft.safetensors")
        try expectClose(
            probe(Fixtures.url(kohya).path), #require(wanted["out.kohya"]), "kohya")
        try expectClose(
            probe("\(Fixtures.url(kohya).path):0.75", "\(Fixtures.url(peft).path):-0.5"),
            #require(wanted["out.both"]), "both")
    }

    @Test func aPathMayHoldColons() throws {
        let wanted = try Fixtures.tensors("lora/outputs.safetensors")
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("a:b:0.5.safetensors")
            try FileManager.default.copyItem(
                at: Fixtures.url("lora/loha.safetensors"), to: file)
            try expectClose(probe(file.path), #require(wanted["out.loha"]), "colons")
            try expectClose(probe("\(file.path):1"), #require(wanted["out.loha"]), "and a strength")
        }
    }

    @Test func inspectSaysWhatAFileIs() throws {
        for (name, kind) in [("kohya", "LoRA"), ("loha", "LoHa"), ("lokr", "LoKr")] {
            let run = try Program.run(["inspect", Fixtures.url("lora/\(name).safetensors").path])
            #expect(run.status == 0)
            let words = run.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(words.contains("class \(kind) format safetensors"), "\(run.output)")
        }
    }

    @Test func thePlanShowsStrengthsOverTime() throws {
        let tiny = Fixtures.url("goldens/pipeline/model").path
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("style.safetensors")
            try writeSafetensors(
                [
                    "transformer.proj_out.lora_A.weight": .ones([1, 32]),
                    "transformer.proj_out.lora_B.weight": .ones([64, 1]), "epoch": .ones([1]),
                ], to: file)
            let run = try Program.run([
                "plan", "--model", tiny, "--prompt", "a", "--lora", "\(file.path):0.8,0.3@2.5",
            ])
            #expect(run.status == 0, "\(run.errors)")
            let text = run.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(
                text.contains(
                    "LoRA style.safetensors, strength 0.8, 0.3 from 2.5 s on: 2 of 3 keys matched: "
                        + "LoRA of rank 1 for 1 layer; no place for epoch."))
            let released = try Program.run(["plan", "--prompt", "a", "--lora", file.path])
            #expect(released.status == 1)
            #expect(
                released.errors.contains(
                    "transformer.proj_out.lora_A.weight has the shape [1, 32]; [any, 3072] is needed"
                )
            )
            let wrong = try Program.run([
                "plan", "--model", tiny, "--prompt", "a", "--lora", "\(file.path):20",
            ])
            #expect(wrong.status == 2)
            #expect(wrong.errors.contains("is 20; it must be from -10 to 10"))
        }
    }
}
