import Checkpoints
import Foundation
import Models
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct TransformerConfigTests {
    private func config(_ changes: [String: Any] = [:]) throws -> TransformerConfig {
        let file = Fixtures.url("transformer/model/config.json")
        let json = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
        var keys = try #require(json as? [String: Any])
        keys.merge(changes) { $1 }
        return try TransformerConfig(json: JSONSerialization.data(withJSONObject: keys))
    }

    private func message(_ body: () throws -> Void) throws -> String {
        let error = #expect(throws: (any Error).self, performing: body)
        return error.map { "\($0)" } ?? ""
    }

    @Test func theReleasedConfigurationCallsForTheReleasedTensors() throws {
        let folder = Fixtures.url("released/transformer")
        let config = try TransformerConfig(
            json: Data(contentsOf: folder.appendingPathComponent("config.json")))
        var released = TransformerConfig()
        released.className = "HunyuanVideoTransformer3DModelPacked"
        #expect(config == released)
        let weights = Weights(ShapesOnly())
        _ = try Transformer(config, weights)
        let wanted = try JSONDecoder().decode(
            [String: [Int]].self,
            from: Data(contentsOf: folder.appendingPathComponent("expected.json")))
        #expect(weights.store.tensors.mapValues(\.shape) == wanted)
        #expect(weights.store.parameters.count == wanted.count)
        #expect(weights.store.elementCount == 12_874_314_816)
    }

    @Test func readsBothClassNamesAndTheSizes() throws {
        for name in TransformerConfig.classNames {
            #expect(try config(["_class_name": name]).className == name)
        }
        let config = try config(["image_condition_type": NSNull(), "later_key": 3])
        #expect(config.hiddenSize == 16)
        #expect(config.feedForwardSize == 48)
        #expect(config.rotaryAxes == [2, 2, 4])
        let data = try JSONEncoder().encode(config)
        #expect(try TransformerConfig(json: data) == config)
    }

    @Test(
        arguments: [
            ("num_layers", 0), ("in_channels", -1), ("patch_size_t", 2), ("qk_norm", "layer_norm"),
            ("num_attention_heads", "two"), ("rope_axes_dim", [2, 2, 2]),
            ("rope_axes_dim", [3, 3, 2]),
            ("rope_axes_dim", [4, 4]), ("_class_name", "UNet2DModel"), ("mlp_ratio", 0),
            ("image_condition_type", "latent_concat"), ("guidance_embeds", 3.5), ("rope_theta", 0),
        ] as [(String, any Sendable)])
    func errorsNameTheKey(_ key: String, _ value: any Sendable) throws {
        let text = try message { _ = try config([key: value]) }
        #expect(text.contains("config.json"), "\(text)")
        #expect(text.contains(key), "\(text)")
    }

    @Test func whatIsNoJSONIsAnErrorThatNamesTheFile() throws {
        let text = try message { _ = try TransformerConfig(json: Data("{".utf8), file: "a.json") }
        #expect(text.contains("a.json"))
    }

    @Test func aMisshapenWeightIsAnErrorThatNamesIt() throws {
        let folder = try CheckpointFolder(Fixtures.url("transformer/model"))
        func text(_ changes: [String: Any]) throws -> String {
            try message {
                _ = try Transformer(config(changes), Weights(CheckpointWeights(folder)))
            }
        }
        #expect(try text(["mlp_ratio": 4.0]).contains("transformer_blocks.0.ff.net.0.proj.weight"))
        #expect(try text(["text_embed_dim": 15]).contains("context_embedder"))
        #expect(try text(["num_layers": 2]).contains("transformer_blocks.1."))
    }
}
