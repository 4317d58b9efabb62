import Models
import Torch

/// What a run's prompts say to the transformer, made once for each, since a ``RunMemory`` knows
/// prompts again by their very tensors.
final class KnownConditionings<Name: Hashable> {
    /// So many prompts are kept at most: their states lie on the device.
    private let limit = 16
    private let device: Device
    private var known: [Name: Conditioning] = [:]

    init(on device: Device) { self.device = device }

    /// A prompt's conditioning.
    ///
    /// - Parameters:
    ///   - name: What the prompt is known by: it always comes with the same states.
    ///   - prompt: The prompt's states.
    ///   - vision: The picture's states, `(1, I, C)`, the same in every call.
    func callAsFunction(_ name: Name, _ prompt: EncodedPrompt, _ vision: Tensor?) throws
        -> Conditioning
    {
        if let conditioning = known[name] { return conditioning }
        if known.count == limit { known = [:] }
        let conditioning = try prompt.conditioning(vision: vision, on: device)
        known[name] = conditioning
        return conditioning
    }
}
