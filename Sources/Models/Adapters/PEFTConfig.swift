import Foundation

/// What PEFT and diffusers say of a LoRA in its metadata, where a file without `.alpha` has its
/// factor.
///
/// Source: diffusers' `lora_adapter_metadata`, PEFT's `LoraConfig`.
struct PEFTConfig {
    private let alpha: Double?
    private let alphas: [String: Double]
    private let usesRoot: Bool

    /// Reads the metadata; nil where they do not hold such a thing.
    init?(_ metadata: [String: String]) {
        guard let text = metadata["lora_adapter_metadata"],
            let root = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        else { return nil }
        func value(_ key: String) -> Any? { root["transformer.\(key)"] ?? root[key] }
        alpha = value("lora_alpha") as? Double
        alphas = value("alpha_pattern") as? [String: Double] ?? [:]
        usesRoot = value("use_rslora") as? Bool ?? false
    }

    /// The alpha of a layer, as it stands above the rank; nil where nothing is said.
    ///
    /// Of several patterns that end the layer's name the longest says most of it.
    func alpha(of layer: String, rank: Int) -> Double? {
        let own = alphas.filter { layer == $0.key || layer.hasSuffix(".\($0.key)") }
            .max { $0.key.count < $1.key.count }?.value
        guard let alpha = own ?? alpha else { return nil }
        return usesRoot ? alpha * Double(rank).squareRoot() : alpha
    }
}
