import Checkpoints
import Foundation
import Torch
import TorchNN

/// Notes what a network asks for, without memory for any of it.
private final class WeightList: WeightSource {
    private(set) var outlines: [TensorOutline] = []
    private(set) var initializations: [String: Initialization] = [:]

    func tensor(_ name: String, shape: [Int], initialization: Initialization) throws -> Tensor {
        outlines.append(TensorOutline(name, shape, .bfloat16))
        initializations[name] = initialization
        return try .empty(shape, device: .meta)
    }

    func contains(_ name: String) -> Bool { true }
}

/// Fresh weights of which none are zero, so that every layer does something and activations stay
/// near 1.
struct FilledWeights: WeightSource {
    private let source: RandomWeights
    private let device: Device

    init(seed: UInt64, dtype: DType = .bfloat16, device: Device = .cpu) throws {
        source = try RandomWeights(seed: seed, dtype: dtype)
        self.device = device
    }

    func tensor(_ name: String, shape: [Int], initialization: Initialization) throws -> Tensor {
        var filled = initialization
        if case .zeros = initialization { filled = .normal(0.02) }
        return try source.tensor(name, shape: shape, initialization: filled).to(device)
    }

    func contains(_ name: String) -> Bool { true }
}

/// A folder of random weights as published folders are: `config.json` and a safetensors file.
struct RandomCheckpoint {
    /// What `config.json` says.
    let config: Data
    /// The name of the weights' file.
    var fileName = "diffusion_pytorch_model.safetensors"
    /// What is put before every name.
    var prefix = ""
    /// Weights that a published file has and our network does not ask for; they are ones.
    var further: [TensorOutline] = []
    /// Decides the weights.
    var seed: UInt64 = 1

    /// Whether a folder holds these very weights.
    func isThere(_ folder: URL) -> Bool {
        let file = folder.appendingPathComponent(fileName)
        let made = try? Data(contentsOf: folder.appendingPathComponent("config.json"))
        let mark = (try? SafetensorsFile(file))?.metadata["benchmark"]
        return made == config && mark == BenchmarkFiles.version
    }

    /// Writes the weights that a network asks for, in bfloat16.
    ///
    /// - Parameter build: Builds the network.
    func write(to folder: URL, _ build: (Weights) throws -> Void) throws {
        let list = WeightList()
        try build(Weights(list))
        let random = try FilledWeights(seed: seed)
        let own = list.outlines.map { TensorOutline(prefix + $0.name, $0.shape, $0.dtype) }
        try AtomicFolder.write(to: folder) { part in
            try config.write(to: part.appendingPathComponent("config.json"))
            try writeSafetensors(
                (own + further).inFileOrder,
                metadata: ["format": "pt", "benchmark": BenchmarkFiles.version],
                to: part.appendingPathComponent(fileName)
            ) { outline in
                let name = String(outline.name.dropFirst(prefix.count))
                return try random.tensor(
                    name, shape: outline.shape,
                    initialization: list.initializations[name] ?? .ones)
            }
        }
    }
}
