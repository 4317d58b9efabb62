import Foundation
public import TorchNN

/// Which layers of a transformer get low-rank adapters to be trained, and of what size.
///
/// The defaults are musubi-tuner's for FramePack: every linear layer of the double and the single
/// blocks but those of the norms.
public struct LowRankConfig: Sendable, Equatable {
    /// Directions of each adapter, 1 or more.
    public var rank = 32
    /// What stands above the rank in the factor alpha / rank; musubi-tuner's default is 1.
    public var alpha = 1.0
    /// Regular expressions; a layer is adapted if one of them is found in its name, as
    /// `transformer_blocks.0.attn.to_q`.
    public var targets = [#"^(single_)?transformer_blocks\."#]
    /// Regular expressions; a layer in whose name one of them is found is left out.
    public var excluded = ["norm"]

    /// The defaults: rank 32, alpha 1, the linear layers of all blocks.
    public init() {}

    /// Chooses rank, alpha and layers.
    ///
    /// - Parameters:
    ///   - rank: Directions of each adapter, 1 or more.
    ///   - alpha: What stands above the rank in the factor, above 0; the rank gives a factor of 1.
    ///   - targets: Regular expressions of layers' names; those of all blocks if nil.
    ///   - excluded: Regular expressions of names that are left out; `norm` if nil.
    public init(
        rank: Int, alpha: Double = 1, targets: [String]? = nil, excluded: [String]? = nil
    ) {
        self.rank = rank
        self.alpha = alpha
        if let targets { self.targets = targets }
        if let excluded { self.excluded = excluded }
    }

    /// The layers that are adapted, among those of a network.
    ///
    /// - Throws: `ModelError` for a rank below 1, an alpha that is not above 0, an expression that
    ///   cannot be read, or where no layer is meant.
    public func layers(among layers: [(name: String, layer: Linear)]) throws(ModelError) -> [(
        name: String, layer: Linear
    )] {
        guard rank >= 1 else {
            throw ModelError("The adapters' rank is \(rank); it must be 1 or more.")
        }
        guard alpha > 0, alpha.isFinite else {
            throw ModelError("The adapters' alpha is \(alpha); it must be above 0.")
        }
        let (wanted, unwanted) = (try Self.expressions(targets), try Self.expressions(excluded))
        let chosen = layers.filter { name, _ in
            wanted.contains { name.contains($0) } && !unwanted.contains { name.contains($0) }
        }
        guard !chosen.isEmpty else {
            throw ModelError(
                "No linear layer is meant by the targets \(targets) without \(excluded); names look "
                    + "like \(layers.first?.name ?? "transformer_blocks.0.attn.to_q").")
        }
        return chosen
    }

    private static func expressions(_ texts: [String]) throws(ModelError) -> [Regex<
        AnyRegexOutput
    >] {
        try texts.map { text throws(ModelError) in
            do { return try Regex(text) } catch {
                throw ModelError(
                    "The expression \"\(text)\" for layers to adapt cannot be read; write a regular "
                        + "expression such as \"attn\\.to_[qkv]\".")
            }
        }
    }
}
