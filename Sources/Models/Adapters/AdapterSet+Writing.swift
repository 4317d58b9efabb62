public import Torch
public import TorchNN

/// In which keys a LoRA file is written.
public enum AdapterForm: String, Codable, CaseIterable, Sendable {
    /// musubi-tuner's: `lora_unet_….lora_down.weight`, `.lora_up.weight` and `.alpha`.
    case musubi
    /// diffusers': `transformer.….lora_A.weight` and `.lora_B.weight`, the factor multiplied into B.
    case diffusers
}

extension AdapterSet {
    /// The tensors of a LoRA file of these adapters.
    ///
    /// Read again they give the same numbers, bit for bit in musubi's form; diffusers' form has no
    /// place for alpha, so that B is written times alpha / rank, which loses nothing where that is a
    /// power of two and the type has the range: the small numbers of a B times 1/32 need float32.
    ///
    /// - Parameters:
    ///   - form: Whose keys.
    ///   - dtype: The type of what is written; that of the adapters if nil.
    /// - Throws: `ModelError` for adapters that are no LoRA.
    public func tensors(in form: AdapterForm, dtype: DType? = nil) throws -> [String: Tensor] {
        try withoutGradients {
            var tensors: [String: Tensor] = [:]
            for (layer, adapter) in try lowRank() {
                let (down, up) = (try adapter.down.value.detach(), try adapter.up.value.detach())
                switch form {
                case .musubi:
                    let module = "lora_unet_" + AdapterKey.underscored(layer)
                    tensors["\(module).lora_down.weight"] = try down.to(nil, dtype)
                    tensors["\(module).lora_up.weight"] = try up.to(nil, dtype)
                    tensors["\(module).alpha"] = try Tensor([Float(adapter.alpha)], [])
                case .diffusers:
                    let scaled = adapter.scale == 1 ? up : try up * adapter.scale
                    tensors["transformer.\(layer).lora_A.weight"] = try down.to(nil, dtype)
                    tensors["transformer.\(layer).lora_B.weight"] = try scaled.to(nil, dtype)
                }
            }
            return tensors
        }
    }

    /// The texts that programs expect beside the tensors.
    ///
    /// - Throws: `ModelError` for adapters that are no LoRA.
    public func metadata(in form: AdapterForm) throws -> [String: String] {
        guard form == .musubi else { return ["format": "pt"] }
        let adapters = try lowRank().map(\.adapter)
        let (ranks, alphas) = (Set(adapters.map(\.rank)), Set(adapters.map(\.alpha)))
        return [
            "format": "pt", "ss_network_module": "networks.lora_framepack",
            "ss_network_dim": ranks.count == 1 ? "\(ranks.first ?? 0)" : "Dynamic",
            "ss_network_alpha": alphas.count == 1 ? "\(alphas.first ?? 0)" : "Dynamic",
        ]
    }

    private func lowRank() throws(ModelError) -> [(layer: String, adapter: LowRankAdapter)] {
        try adapters.map { layer, adapter throws(ModelError) in
            guard let adapter = adapter as? LowRankAdapter else {
                throw ModelError("\(name), \(layer): only a LoRA can be written to a LoRA file.")
            }
            return (layer, adapter)
        }
    }
}
