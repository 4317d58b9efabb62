extension Transformer {
    /// Whether a weight may be stored in few bits: those of the blocks' linear layers.
    ///
    /// Modulation, embedders, refiner and output stay as they are: small, or touched once a video,
    /// and what everything else goes through.
    public static func mayBeQuantized(_ name: String) -> Bool {
        (name.hasPrefix("transformer_blocks.") || name.hasPrefix("single_transformer_blocks."))
            && name.hasSuffix(".weight") && !name.contains(".norm")
    }
}
