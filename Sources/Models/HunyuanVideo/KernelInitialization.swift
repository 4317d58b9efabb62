public import Torch
public import TorchNN

/// A checkpoint's weights, with those of packing kernels that it lacks made from the base patches.
///
/// A kernel begins as the mean over its box, then the base projection: the weight of
/// `x_embedder.proj`, a (1, 2, 2) kernel, is repeated along each axis and divided by the number of
/// repetitions, and the bias is copied. So a plain HunyuanVideo checkpoint becomes one that a
/// packing can be trained on, and a FramePack checkpoint gets further kernels.
///
/// Source: arXiv 2504.12626, section 3.1; `initialize_weight_from_another_conv3d` of the official
/// repository.
public struct KernelInitialization: WeightSource {
    private let source: any WeightSource
    private let config: TransformerConfig
    private let prefix: String

    /// Wraps a source.
    ///
    /// - Parameters:
    ///   - source: The checkpoint's weights, `x_embedder.proj` among them.
    ///   - config: The transformer's sizes with the wanted ``TransformerConfig/packingKernels``.
    ///   - prefix: What the transformer's names begin with: empty or ending in a dot.
    public init(_ source: any WeightSource, config: TransformerConfig, prefix: String = "") {
        (self.source, self.config, self.prefix) = (source, config, prefix)
    }

    /// The weight of the checkpoint, or of a kernel made from the base patches.
    public func tensor(_ name: String, shape: [Int], initialization: Initialization) throws
        -> Tensor
    {
        guard let part = madePart(name) else {
            return try source.tensor(name, shape: shape, initialization: initialization)
        }
        let base = prefix + "x_embedder.proj."
        if part == "bias" {
            return try source.tensor(base + "bias", shape: shape, initialization: initialization)
                .clone()
        }
        let patch = [1, config.patchSize, config.patchSize]
        let weight = try source.tensor(
            base + "weight", shape: Array(shape.prefix(2)) + patch, initialization: initialization)
        var repeated = weight
        let factors = zip(shape.suffix(3), patch).map { $0 / $1 }
        for (axis, factor) in factors.enumerated() where factor > 1 {
            repeated = try repeated.repeatInterleaved(factor, axis: axis + 2)
        }
        return try (repeated / Double(factors.reduce(1, *))).to(weight.dtype)
    }

    /// Whether the checkpoint has the weight, or it is a kernel's that can be made.
    public func contains(_ name: String) -> Bool { source.contains(name) || madePart(name) != nil }

    /// "weight" or "bias" where the name is that of a kernel which the checkpoint lacks.
    private func madePart(_ name: String) -> String? {
        guard !source.contains(name) else { return nil }
        for kernel in config.packingKernels {
            let layer = prefix + "clean_x_embedder.\(kernel.weightName)."
            if name.hasPrefix(layer) { return String(name.dropFirst(layer.count)) }
        }
        return nil
    }
}
