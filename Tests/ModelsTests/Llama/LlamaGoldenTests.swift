import Checkpoints
import Models
import TestSupport
import Testing
import Torch
import TorchNN

@Suite("Llama text encoder against transformers")
struct LlamaGoldenTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let folder: String
        let file: String
        let crop: Int
        var testDescription: String { "\(file) on \(folder)" }
    }

    static let cases = [
        Case(folder: "goldens/text/llama", file: "goldens/text/llama", crop: 95),
        Case(folder: "text/llama_gqa", file: "text/llama_gqa", crop: 7),
        Case(folder: "text/llama_gqa", file: "text/llama_crop0", crop: 0),
        Case(folder: "text/llama_gqa", file: "text/llama_crop95", crop: 95),
        Case(folder: "text/llama_sharded_f16", file: "text/llama_f16", crop: 20),
        Case(folder: "text/llama_causal_bf16", file: "text/llama_bf16", crop: 20),
        Case(folder: "text/llama_tied", file: "text/llama_bf16", crop: 20),
    ]

    /// Padded rows have no meaning: zeros on both sides.
    static func real(_ states: Tensor, _ mask: Tensor) throws -> Tensor {
        try states * mask.to(.float32).unsqueeze(-1)
    }

    @Test("Hidden state -3 is the reference's", arguments: cases)
    func hiddenState(_ golden: Case) throws {
        let tensors = try Fixtures.tensors("\(golden.file).safetensors")
        let mask = try EncoderFolders.part("in.attention_mask", tensors)
        let encoder = try EncoderFolders.llama(golden.folder)
        let states = try encoder(EncoderFolders.part("in.input_ids", tensors), mask)
        #expect(try states.isFinite().all().item() == 1)
        let cropped = try states.slice(1, from: golden.crop)
        let croppedMask = try mask.slice(1, from: golden.crop)
        try expectClose(
            Self.real(cropped, croppedMask),
            Self.real(EncoderFolders.part("out.prompt_embeds", tensors), croppedMask),
            golden.testDescription)
        let wantedMask = try EncoderFolders.part("out.prompt_attention_mask", tensors)
        #expect(try croppedMask.equal(wantedMask).all().item() == 1)
    }

    @Test("The states of the layers next to it are others")
    func neighbours() throws {
        let tensors = try Fixtures.tensors("text/llama_crop0.safetensors")
        let ids = try EncoderFolders.part("in.input_ids", tensors)
        let wanted = try EncoderFolders.part("out.prompt_embeds", tensors)
        let url = Fixtures.url("text/llama_gqa")
        let config = try CheckpointFolder.json(LlamaConfig.self, in: url)
        for count in [1, 3] {
            let weights = Weights(CheckpointWeights(try CheckpointFolder(url)))
            let encoder = try LlamaTextEncoder(config, weights, layerCount: count)
            #expect(try (encoder(ids) - wanted).abs().max().item() > 0.1)
        }
    }

    @Test("Half-precision weights read in their own type compute in float32 when asked to")
    func castingAfterLoading() throws {
        let tensors = try Fixtures.tensors("text/llama_f16.safetensors")
        let mask = try EncoderFolders.part("in.attention_mask", tensors)
        let ids = try EncoderFolders.part("in.input_ids", tensors)
        let encoder = try EncoderFolders.llama("text/llama_sharded_f16", dtype: nil)
        let states = try encoder(ids, mask, dtype: .float32).slice(1, from: 20)
        let wanted = try EncoderFolders.part("out.prompt_embeds", tensors)
        let rows = try mask.slice(1, from: 20)
        try expectClose(Self.real(states, rows), Self.real(wanted, rows), "f16 weights")
        #expect(try encoder(ids, mask).dtype == .float16)
    }

    @Test("bfloat16 arithmetic stays within a percent of float32's")
    func bfloat16() throws {
        let tensors = try Fixtures.tensors("text/llama_bf16.safetensors")
        let mask = try EncoderFolders.part("in.attention_mask", tensors)
        let ids = try EncoderFolders.part("in.input_ids", tensors)
        let encoder = try EncoderFolders.llama("text/llama_causal_bf16", dtype: nil)
        let states = try encoder(ids, mask).slice(1, from: 20)
        #expect(states.dtype == .bfloat16)
        let rows = try mask.slice(1, from: 20)
        let wanted = try Self.real(EncoderFolders.part("out.prompt_embeds", tensors), rows)
        let difference = try (Self.real(states.to(.float32), rows) - wanted).norm().item()
        let relative = try difference / wanted.norm().item()
        print("    bfloat16: relative difference \(relative)")
        #expect(relative < 0.01)
    }

    @Test("A row's numbers are the same alone and beside longer rows")
    func batchIndependence() throws {
        let tensors = try Fixtures.tensors("text/llama_gqa.safetensors")
        let mask = try EncoderFolders.part("in.attention_mask", tensors)
        let ids = try EncoderFolders.part("in.input_ids", tensors)
        let encoder = try EncoderFolders.llama("text/llama_gqa")
        let together = try encoder(ids, mask)
        for row in 0..<ids.dim(0) {
            let length = try mask.select(0, row).sum().intItem()
            let alone = try encoder(ids.narrow(0, row, 1).narrow(1, 0, length))
            try expectClose(
                alone, together.narrow(0, row, 1).narrow(1, 0, length), "row \(row)")
        }
    }
}
