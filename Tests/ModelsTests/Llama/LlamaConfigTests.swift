import Checkpoints
import Foundation
import Models
import TestSupport
import Testing
import Torch
import TorchNN

@Suite("Llama configuration and weights")
struct LlamaConfigTests {
    static func decode(_ json: String) throws -> LlamaConfig {
        try withTemporaryFolder { folder in
            try Data(json.utf8).write(to: folder.appendingPathComponent("config.json"))
            return try CheckpointFolder.json(LlamaConfig.self, in: folder)
        }
    }

    @Test("The released configuration calls for exactly the released names and shapes")
    func releasedShapes() throws {
        let config = try CheckpointFolder.json(
            LlamaConfig.self, in: Fixtures.url("released/text_encoder"))
        let wanted = try EncoderFolders.expectedShapes("released/text_encoder")
        #expect(try LlamaTextEncoder.publishedShapes(config) == wanted)
        let ignored = try LlamaTextEncoder.ignoredKeys(config)
        let unread = Set(wanted.keys.filter(ignored))
        #expect(unread.count == 2 * 9 + 1)
        #expect(unread.contains("layers.30.mlp.up_proj.weight"))
        #expect(!unread.contains("layers.29.mlp.up_proj.weight"))
        #expect(ignored("lm_head.weight"))
        #expect(ignored("model.layers.3.self_attn.rotary_emb.inv_freq"))
        #expect(ignored("model.norm.weight"))
        #expect(!ignored("model.layers.32.mlp.up_proj.weight"))
    }

    @Test("A configuration survives writing and reading")
    func roundTrip() throws {
        var config = LlamaConfig()
        config.hiddenSize = 48
        config.headCount = 6
        config.keyValueHeadCount = 2
        config.headSize = 10
        config.rotaryBase = 500_000
        config.rotaryScaling = .llama3(
            factor: 8, lowFactor: 1, highFactor: 4, originalLength: 8192)
        config.attentionBias = true
        let data = try JSONEncoder().encode(config)
        #expect(try JSONDecoder().decode(LlamaConfig.self, from: data) == config)
    }

    @Test("Head width and key heads follow from the others where they are absent")
    func derivedSizes() throws {
        let config = try Self.decode(
            #"{"hidden_size": 96, "num_attention_heads": 6, "head_dim": null}"#)
        #expect(config.headSize == 16)
        #expect(config.keyValueHeadCount == 6)
    }

    @Test("Both spellings of the rotary table are read")
    func rotaryTables() throws {
        let llama3 = RotaryScaling.llama3(
            factor: 32, lowFactor: 1, highFactor: 4, originalLength: 8192)
        let table = """
            "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192
            """
        let old = try Self.decode(
            #"{"rope_theta": 5e5, "rope_scaling": {"type": "llama3", \#(table)}}"#)
        #expect(old.rotaryBase == 500_000 && old.rotaryScaling == llama3)
        let new = try Self.decode(
            #"{"rope_parameters": {"rope_type": "llama3", "rope_theta": 7e5, \#(table)}}"#)
        #expect(new.rotaryBase == 700_000 && new.rotaryScaling == llama3)
        let plain = try Self.decode(
            #"{"rope_parameters": {"rope_type": "default", "rope_theta": 9e5}}"#)
        #expect(plain.rotaryBase == 900_000 && plain.rotaryScaling == .none)
    }

    @Test(
        "What can't be is named",
        arguments: [
            (#"{"rope_scaling": {"rope_type": "yarn", "factor": 2.0}}"#, "yarn"),
            (#"{"rope_scaling": {"rope_type": "llama3", "factor": 2.0}}"#, "low_freq_factor"),
            (#"{"hidden_act": "gelu"}"#, "hidden_act"),
            (#"{"num_attention_heads": 0}"#, "num_attention_heads is 0"),
            (#"{"num_attention_heads": 6, "num_key_value_heads": 4}"#, "not a multiple"),
            (#"{"head_dim": 7}"#, "head_dim is 7"),
            (#"{"hidden_size": 9000000000000000000}"#, "hidden_size"),
            (#"{"num_hidden_layers": -1}"#, "num_hidden_layers is -1"),
            (#"{"vocab_size": "many"}"#, "vocab_size"),
        ])
    func errors(_ json: String, _ part: String) throws {
        let message = EncoderFolders.message { _ = try Self.decode(json) }
        #expect(message.contains(part), "\(message)")
        #expect(message.contains("config.json"), "\(message)")
    }

    @Test("One layer is too few for hidden state -3")
    func tooFewLayers() throws {
        var config = LlamaConfig()
        config.layerCount = 1
        let message = EncoderFolders.message {
            _ = try LlamaTextEncoder(config, Weights(ShapesOnly()))
        }
        #expect(message.contains("2 layers or more"), "\(message)")
    }

    @Test("A missing, misshapen or extra tensor is named; an unread layer may be missing")
    func tensors() throws {
        let url = Fixtures.url("text/llama_gqa")
        let config = try CheckpointFolder.json(LlamaConfig.self, in: url)
        let all = try Fixtures.tensors("text/llama_gqa/model.safetensors")
        func load(_ change: (inout [String: Tensor]) throws -> Void) -> String {
            EncoderFolders.message {
                try withTemporaryFolder { folder in
                    var tensors = all
                    try change(&tensors)
                    try writeSafetensors(
                        tensors, to: folder.appendingPathComponent("model.safetensors"))
                    let source = CheckpointWeights(
                        try CheckpointFolder(folder), prefixes: LlamaTextEncoder.prefixes,
                        ignoring: try LlamaTextEncoder.ignoredKeys(config))
                    _ = try LlamaTextEncoder(config, Weights(source))
                    try source.checkAllUsed()
                }
            }
        }
        #expect(load { _ in } == "")
        #expect(load { $0["layers.3.mlp.up_proj.weight"] = nil } == "")
        let lost = load { $0["layers.1.mlp.up_proj.weight"] = nil }
        #expect(lost.contains("lacks the tensor layers.1.mlp.up_proj.weight"), "\(lost)")
        let bent = load { $0["layers.0.self_attn.k_proj.weight"] = try .zeros([24, 24]) }
        #expect(bent.contains("layers.0.self_attn.k_proj.weight"), "\(bent)")
        #expect(bent.contains("[16, 24]"), "\(bent)")
        let extra = load { $0["layers.1.self_attn.q_proj.bias"] = try .zeros([48]) }
        #expect(extra.contains("layers.1.self_attn.q_proj.bias"), "\(extra)")
    }
}
