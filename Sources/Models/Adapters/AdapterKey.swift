/// What one tensor of an adapter file is, told from its key.
struct AdapterKey {
    /// What a tensor is to its module.
    enum Part: String {
        case down, up, alpha
        case hadamardFirstUp = "hada_w1_a"
        case hadamardFirstDown = "hada_w1_b"
        case hadamardSecondUp = "hada_w2_a"
        case hadamardSecondDown = "hada_w2_b"
        case coarse = "lokr_w1"
        case coarseUp = "lokr_w1_a"
        case coarseDown = "lokr_w1_b"
        case fine = "lokr_w2"
        case fineUp = "lokr_w2_a"
        case fineDown = "lokr_w2_b"
        /// The lengths that DoRA gives the columns of the adapted weight.
        case magnitude

        /// The kind of adapter that has such a tensor; nil for what all have.
        var kind: String? {
            switch self {
            case .alpha: nil
            case .down, .up: "LoRA"
            case .magnitude: "DoRA"
            default: rawValue.hasPrefix("hada") ? "LoHa" : "LoKr"
            }
        }
    }

    /// The module's name without what programs put before it, its dots as underscores.
    let module: String
    /// What the tensor is to it.
    let part: Part

    /// Takes a key apart; nil where it has none of the known endings.
    init?(_ key: String) {
        guard let (module, part) = Self.split(key) else { return nil }
        self.part = part
        self.module = Self.plain(module)
    }

    private static let endings: [(String, Part)] = [
        (".lora_down.weight", .down), (".lora_up.weight", .up),
        (".lora.down.weight", .down), (".lora.up.weight", .up),
        (".lora_A.weight", .down), (".lora_B.weight", .up), (".alpha", .alpha),
        (".dora_scale", .magnitude), (".lora_magnitude_vector", .magnitude),
        (".lora_magnitude_vector.weight", .magnitude),
    ]

    private static func split(_ key: String) -> (module: Substring, part: Part)? {
        for (ending, part) in endings where key.hasSuffix(ending) {
            return (key.dropLast(ending.count), part)
        }
        guard let dot = key.lastIndex(of: ".") else { return nil }
        if let part = Part(rawValue: String(key[key.index(after: dot)...])) {
            return (key[..<dot], part)
        }
        // PEFT puts the name of the adapter in between: `.lora_A.default.weight`.
        guard let match = key.wholeMatch(of: /(.+)\.lora_([AB])\.[^.]+\.weight/) else { return nil }
        return (match.1, match.2 == "A" ? .down : .up)
    }

    /// What programs put before the names of a transformer's modules.
    private static let prefixes = [
        "lora_unet_", "lora_transformer_", "lycoris_", "base_model.model.", "model.",
        "diffusion_model.", "transformer.",
    ]

    private static func plain(_ module: Substring) -> String {
        var rest = module
        while let prefix = prefixes.first(where: { rest.hasPrefix($0) }) {
            rest = rest.dropFirst(prefix.count)
        }
        return underscored(rest)
    }

    /// A layer's name as kohya's files have it: `transformer_blocks_0_attn_to_q`.
    static func underscored(_ name: some StringProtocol) -> String {
        String(name.map { $0 == "." ? "_" : $0 })
    }
}
