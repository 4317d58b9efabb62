extension Scene {
    /// The most words that a caption has.
    public static let longestCaption = 24

    /// The plain caption, in a fixed form.
    public var canonicalCaption: String {
        var phrasing = Phrasing(choices: nil)
        let caption = phrasing.caption(facts)
        guard caption.split(separator: " ").count > Scene.longestCaption else { return caption }
        var brief = Phrasing(choices: nil, isBrief: true)
        return brief.caption(facts)
    }

    /// One of the many ways to say what happens; the same number always gives the same words.
    ///
    /// - Parameter variant: any number.
    public func caption(variant: Int) -> String {
        let number = UInt64(bitPattern: Int64(variant))
        var random = SplitMix64(seed: SplitMix64.mix(seed) ^ SplitMix64.mix(number &+ 0xCA97_1045))
        for _ in 0..<8 {
            var phrasing = Phrasing(choices: random)
            let caption = phrasing.caption(facts)
            if caption.split(separator: " ").count <= Scene.longestCaption { return caption }
            random = SplitMix64(seed: random.next())
        }
        return canonicalCaption
    }

    /// Several captions, not necessarily different ones.
    public func captions(count: Int) -> [String] {
        (0..<count).map(caption(variant:))
    }
}

/// Text to make tokenizers from.
public enum Captions {
    /// Captions of random scenes, mostly of the full world.
    ///
    /// - Parameters:
    ///   - count: how many.
    ///   - seed: the same seed gives the same text.
    public static func corpus(count: Int, seed: UInt64) -> [String] {
        (0..<count).map { index in
            let scene = Scene(
                seed: SplitMix64.mix(seed &+ UInt64(index)), side: 64,
                config: index % 4 == 0 ? .simple : .full)
            return index % 8 == 0 ? scene.canonicalCaption : scene.caption(variant: index)
        }
    }
}
