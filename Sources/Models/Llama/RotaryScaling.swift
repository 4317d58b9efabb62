/// How a Llama model stretches its rotary frequencies over a longer context.
public enum RotaryScaling: Sendable, Equatable {
    /// Frequencies as they are.
    case none
    /// The rule of Llama 3.1: low frequencies divided by `factor`, high ones kept, and a ramp
    /// between the two wavelengths `originalLength / lowFactor` and `originalLength / highFactor`.
    ///
    /// Source: transformers `_compute_llama3_parameters`.
    case llama3(factor: Double, lowFactor: Double, highFactor: Double, originalLength: Int)

    /// One frequency, in radians a token, after the scaling.
    package func scaled(_ frequency: Double) -> Double {
        guard case .llama3(let factor, let low, let high, let length) = self else {
            return frequency
        }
        let wavelength = 2 * Double.pi / frequency
        if wavelength > Double(length) / low { return frequency / factor }
        if wavelength < Double(length) / high { return frequency }
        let kept = (Double(length) / wavelength - low) / (high - low)
        return (1 - kept) * frequency / factor + kept * frequency
    }

    /// What is wrong with the numbers, as a sentence; nil if nothing is.
    var problem: String? {
        guard case .llama3(let factor, let low, let high, let length) = self else { return nil }
        guard factor > 0, low > 0, high > low, length > 0 else {
            return """
                the rotary scaling needs factor > 0, low_freq_factor > 0, high_freq_factor above \
                it and original_max_position_embeddings > 0; found \(factor), \(low), \(high) \
                and \(length)
                """
        }
        return nil
    }
}

/// The tables `rope_scaling` and `rope_parameters` of a `config.json`.
struct RotaryTable: Codable {
    var type: String
    var theta: Double?
    var scaling: RotaryScaling

    enum CodingKeys: String, CodingKey {
        case type = "rope_type"
        case oldType = "type"
        case theta = "rope_theta"
        case factor
        case lowFactor = "low_freq_factor"
        case highFactor = "high_freq_factor"
        case originalLength = "original_max_position_embeddings"
    }

    init(_ scaling: RotaryScaling) {
        self.scaling = scaling
        type = scaling == .none ? "default" : "llama3"
    }

    init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        theta = try keys.decodeIfPresent(Double.self, forKey: .theta)
        type =
            try keys.decodeIfPresent(String.self, forKey: .type)
            ?? keys.decodeIfPresent(String.self, forKey: .oldType) ?? "default"
        switch type {
        case "default": scaling = .none
        case "llama3":
            scaling = .llama3(
                factor: try keys.decode(Double.self, forKey: .factor),
                lowFactor: try keys.decode(Double.self, forKey: .lowFactor),
                highFactor: try keys.decode(Double.self, forKey: .highFactor),
                originalLength: try keys.decode(Int.self, forKey: .originalLength))
        default:
            throw DecodingError.dataCorruptedError(
                forKey: .type, in: keys,
                debugDescription:
                    "the rotary scaling \"\(type)\" is unknown; wanted is \"default\" or \"llama3\""
            )
        }
    }

    func encode(to encoder: any Encoder) throws {
        var keys = encoder.container(keyedBy: CodingKeys.self)
        try keys.encode(type, forKey: .type)
        guard case .llama3(let factor, let low, let high, let length) = scaling else { return }
        try keys.encode(factor, forKey: .factor)
        try keys.encode(low, forKey: .lowFactor)
        try keys.encode(high, forKey: .highFactor)
        try keys.encode(length, forKey: .originalLength)
    }
}
