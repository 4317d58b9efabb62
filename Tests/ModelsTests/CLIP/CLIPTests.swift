import Checkpoints
import Foundation
import Models
import TestSupport
import Testing
import Torch
import TorchNN

@Suite("CLIP text encoder")
struct CLIPTests {
    @Test(
        "Hidden states and pooled vector are the reference's",
        arguments: [
            ("goldens/text/clip", "goldens/text/clip"), ("text/clip_eos", "text/clip_eos"),
            ("text/clip_legacy_f16", "text/clip_legacy_f16"),
        ])
    func golden(_ folder: String, _ file: String) throws {
        let tensors = try Fixtures.tensors("\(file).safetensors")
        let ids = try EncoderFolders.part("in.input_ids", tensors)
        let hidden = try EncoderFolders.part("out.last_hidden_state", tensors)
        let pooled = try EncoderFolders.part("out.pooler_output", tensors)
        let output = try EncoderFolders.clip(folder)(ids)
        try expectClose(output.lastHiddenState, hidden, "\(file) last_hidden_state")
        try expectClose(output.pooled, pooled, "\(file) pooler_output")
        let cast = try EncoderFolders.clip(folder, dtype: nil)(ids, dtype: .float32)
        try expectClose(cast.pooled, pooled, "\(file) pooler_output, weights in their own type")
    }

    @Test("Tokens after a position change nothing before it, and shorter texts are taken")
    func causal() throws {
        let tensors = try Fixtures.tensors("text/clip_eos.safetensors")
        let ids = try EncoderFolders.part("in.input_ids", tensors).narrow(1, 0, 9)
        let wanted = try EncoderFolders.part("out.last_hidden_state", tensors).narrow(1, 0, 9)
        let output = try EncoderFolders.clip("text/clip_eos")(ids)
        try expectClose(output.lastHiddenState, wanted, "9 tokens")
    }

    @Test("The released configuration calls for exactly the released names and shapes")
    func releasedShapes() throws {
        let config = try CheckpointFolder.json(
            CLIPTextConfig.self, in: Fixtures.url("released/text_encoder_2"))
        let wanted = try EncoderFolders.expectedShapes("released/text_encoder_2")
        #expect(try CLIPTextEncoder.publishedShapes(config) == wanted)
    }

    @Test("A configuration survives writing and reading")
    func roundTrip() throws {
        var config = CLIPTextConfig()
        (config.vocabularySize, config.hiddenSize, config.headCount) = (100, 48, 6)
        (config.activation, config.endTokenID, config.positionCount) = (.gelu, 2, 20)
        let data = try JSONEncoder().encode(config)
        #expect(try JSONDecoder().decode(CLIPTextConfig.self, from: data) == config)
    }

    @Test(
        "What can't be is named",
        arguments: [
            (#"{"hidden_act": "relu"}"#, "relu"), (#"{"num_attention_heads": 7}"#, "multiple"),
            (#"{"vocab_size": 0}"#, "vocab_size is 0"), (#"{"eos_token_id": "x"}"#, "eos_token_id"),
        ])
    func configErrors(_ json: String, _ part: String) throws {
        let message = EncoderFolders.message {
            _ = try JSONDecoder().decode(CLIPTextConfig.self, from: Data(json.utf8))
        }
        #expect(message.contains(part), "\(message)")
    }

    @Test("Wrong ids are errors that name them")
    func wrongInput() throws {
        let encoder = try EncoderFolders.clip("text/clip_eos")
        func message(_ ids: Tensor) -> String {
            EncoderFolders.message { _ = try encoder(ids) }
        }
        let long = message(try .zeros([1, 78], dtype: .int64))
        #expect(long.contains("78 tokens a row") && long.contains("77 positions"), "\(long)")
        let high = message(try Tensor([1, 64] as [Int64], [1, 2]))
        #expect(high.contains("token id 64 in row 0 at position 1"), "\(high)")
        #expect(message(try .zeros([77], dtype: .int64)).contains("input_ids has the shape [77]"))
    }

    @Test("Missing and extra tensors are named with their prefix")
    func tensors() throws {
        let config = try CheckpointFolder.json(
            CLIPTextConfig.self, in: Fixtures.url("text/clip_legacy_f16"))
        func load(_ change: (inout [String: Tensor]) throws -> Void) -> String {
            EncoderFolders.message {
                try withTemporaryFolder { folder in
                    var all = try Fixtures.tensors("text/clip_legacy_f16/model.safetensors")
                    try change(&all)
                    try writeSafetensors(
                        all, to: folder.appendingPathComponent("model.safetensors"))
                    let source = CheckpointWeights(
                        try CheckpointFolder(folder), prefixes: CLIPTextEncoder.prefixes,
                        ignoring: CLIPTextEncoder.ignoredKeys(config))
                    _ = try CLIPTextEncoder(config, Weights(source))
                    try source.checkAllUsed()
                }
            }
        }
        #expect(load { _ in } == "")
        let lost = load { $0["text_model.final_layer_norm.bias"] = nil }
        #expect(lost.contains("text_model.final_layer_norm.bias"), "\(lost)")
        let extra = load { $0["text_model.stray"] = try .zeros([2]) }
        #expect(extra.contains("text_model.stray"), "\(extra)")
    }

    @Test("Gradients reach every weight through bfloat16 arithmetic")
    func gradientsFlow() throws {
        var config = CLIPTextConfig()
        (config.vocabularySize, config.hiddenSize, config.headCount) = (12, 16, 2)
        (config.intermediateSize, config.layerCount, config.positionCount) = (24, 2, 5)
        let weights = Weights(try RandomWeights(seed: 3))
        let encoder = try CLIPTextEncoder(config, weights)
        try weights.store.setRequiresGradient(true)
        let output = try encoder(Tensor([1, 2, 3, 4, 11, 0] as [Int64], [2, 3]), dtype: .bfloat16)
        #expect(output.pooled.dtype == .bfloat16)
        // A norm's sum of squares hardly depends on what comes in; a cubic does.
        let sum = try output.lastHiddenState.to(.float32).pow(3).sum()
        try (sum + output.pooled.to(.float32).pow(3).sum()).backward()
        for parameter in weights.store.parameters where !parameter.name.hasSuffix("k_proj.bias") {
            let gradient = try #require(try parameter.value.gradient(), "\(parameter.name)")
            #expect(try gradient.abs().max().item() > 0, "\(parameter.name)")
            #expect(try gradient.isFinite().all().item() == 1, "\(parameter.name)")
        }
    }
}
