extension LlamaTextEncoder {
    /// Whether a weight may be stored in few bits: those of the layers' projections.
    public static func mayBeQuantized(_ name: String) -> Bool {
        name.contains("layers.") && name.hasSuffix("_proj.weight")
    }
}
