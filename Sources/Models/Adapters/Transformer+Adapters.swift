public import Torch
public import TorchNN

extension Transformer {
    /// Attaches a set of adapters to the layers that they name; several sets add up.
    ///
    /// - Throws: `TorchError` that names a layer that is not there or has other sizes; then nothing
    ///   is attached.
    public func attach(_ adapters: AdapterSet) throws { try adapters.attach(to: linears) }

    /// Takes a set of adapters off; without it the network gives what it gave before, bit for bit.
    public func detach(_ adapters: AdapterSet) { adapters.detach(from: linears) }

    /// Attaches fresh low-rank adapters that are ready to be trained, and freezes all else.
    ///
    /// The network gives what it gave before until a step of an optimizer over the result's `store`,
    /// which is all that is trained: B begins with zeros. Activation checkpointing of blocks
    /// (`Execution.checkpointsBlocks`) works as without adapters. Let the adapters be float32 and
    /// the network of any type: gradients come in float32, and the products are taken in the type
    /// of the activations.
    ///
    /// - Parameters:
    ///   - config: Rank, alpha and layers.
    ///   - seed: Decides what A begins with.
    ///   - dtype: The adapters' own type.
    /// - Returns: The adapters, attached at strength 1; each is on the device of its layer.
    /// - Throws: `ModelError` for a configuration that means no layer or cannot be read;
    ///   `TorchError` where memory does not suffice.
    public func attachFreshAdapters(
        _ config: LowRankConfig = LowRankConfig(), seed: UInt64, dtype: DType = .float32
    ) throws -> AdapterSet {
        let weights = Weights(try RandomWeights(seed: seed, dtype: dtype))
        let adapters = try config.layers(among: linears).map { name, layer in
            let adapter = try LowRankAdapter(
                layer.inputSize, layer.outputSize, rank: config.rank, alpha: config.alpha,
                weights[name])
            for parameter in adapter.parameters {
                parameter.value = try parameter.value.to(layer.device)
            }
            return (layer: name, adapter: adapter as any LinearAdapter)
        }
        let set = AdapterSet("The trained LoRA", adapters)
        try attach(set)
        try train(only: set)
        return set
    }

    /// Asks for gradients of a set's adapters, and for none of the network's own weights.
    ///
    /// - Throws: `TorchError` for weights that are not of a floating type.
    public func train(only adapters: AdapterSet) throws {
        for parameter in parameters where parameter.value.requiresGradient {
            try parameter.value.setRequiresGradient(false)
        }
        try adapters.store.setRequiresGradient(true)
    }
}
