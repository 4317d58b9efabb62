import Checkpoints
import Foundation
import Models
import TestSupport
import Torch
import TorchNN

/// A stored transformer and one case of its inputs and outputs.
struct TransformerFixture {
    let model: Transformer
    let store: ParameterStore
    let tensors: [String: Tensor]

    /// Loads `<folder>/<model>` and `<folder>/<name>.safetensors`.
    init(
        _ name: String, in folder: String = "transformer", model modelName: String = "model",
        dtype: DType? = .float32
    ) throws {
        (model, store) = try Self.load("\(folder)/\(modelName)", dtype: dtype)
        tensors = try Fixtures.tensors("\(folder)/\(name).safetensors")
    }

    static func load(_ path: String, dtype: DType? = .float32) throws -> (
        Transformer, ParameterStore
    ) {
        let folder = Fixtures.url(path)
        let config = try TransformerConfig(
            json: Data(contentsOf: folder.appendingPathComponent("config.json")))
        let source = CheckpointWeights(try CheckpointFolder(folder), dtype: dtype)
        let weights = Weights(source)
        let model = try Transformer(config, weights)
        try source.checkAllUsed()
        return (model, weights.store)
    }

    /// The tensors of the input, without their prefix.
    var inputs: [String: Tensor] {
        let names = tensors.keys.filter { $0.hasPrefix("in.") && $0 != "in.target" }
        return Dictionary(
            uniqueKeysWithValues: names.compactMap { name in
                tensors[name].map { (String(name.dropFirst(3)), $0) }
            })
    }

    var input: TransformerInput {
        get throws { try TransformerInput(named: inputs, for: model.config) }
    }

    func tensor(_ name: String) throws -> Tensor {
        guard let tensor = tensors[name] else { throw ModelError("the fixture lacks \(name)") }
        return tensor
    }
}

/// The cases of other shapes that lie in `Tests/Fixtures/transformer`.
let transformerCases = [
    "f1_odd", "one_frame", "no_4x", "no_4x_2x", "no_history", "short_history", "batch2", "batch3",
]
