public import Torch

/// Something that is added to what a linear layer gives; the layer's own weights stay as they are.
public protocol LinearAdapter: AnyObject {
    /// Channels that go in.
    var inputSize: Int { get }
    /// Channels that come out.
    var outputSize: Int { get }
    /// Its weights.
    var parameters: [Parameter] { get }
    /// What is added for an input `(…, in)`: `(…, out)` in the input's type.
    ///
    /// - Parameter strength: What the whole is multiplied by.
    /// - Throws: `TorchError` for another last axis, or where memory does not suffice.
    func callAsFunction(_ x: Tensor, strength: Double) throws -> Tensor
}

/// Adapters of many layers that belong together, as those of one LoRA file, and how strongly they
/// act.
///
/// The adapters are attached to layers; the strength stays here, outside of all weights, and is
/// looked up whenever a layer runs. Who runs a network sets it: a pipeline before each section.
/// Several sets on one layer add up. A set is used by one thread at a time, as the network is.
public final class AdapterSet: @unchecked Sendable {
    /// What messages call it: a file's path, say.
    public let name: String
    /// What all of its adapters are multiplied by; at 0 the layers give what they give without it.
    public var strength: Double
    /// Each adapter with the name of its layer, as `transformer_blocks.0.attn.to_q`.
    public let adapters: [(layer: String, adapter: any LinearAdapter)]
    /// The weights of all adapters: what a training trains, and what is moved to a device.
    public let store = ParameterStore()

    /// Puts adapters together.
    ///
    /// - Parameters:
    ///   - name: What messages call it.
    ///   - adapters: Each with the name of its layer; the parameters have names of their own.
    ///   - strength: What all of them are multiplied by.
    public init(
        _ name: String, _ adapters: [(layer: String, adapter: any LinearAdapter)],
        strength: Double = 1
    ) {
        (self.name, self.adapters, self.strength) = (name, adapters, strength)
        for parameter in adapters.flatMap(\.adapter.parameters) { store.add(parameter) }
    }

    /// Attaches every adapter to the layer of its name.
    ///
    /// - Parameter layers: The linear layers of a network, with their names.
    /// - Throws: `TorchError` that names a layer that is not there or has other sizes; then nothing
    ///   is attached.
    public func attach(to layers: [(name: String, layer: Linear)]) throws(TorchError) {
        let known = Dictionary(layers.map { ($0.name, $0.layer) }) { first, _ in first }
        var found: [(Linear, any LinearAdapter)] = []
        for (name, adapter) in adapters {
            guard let layer = known[name] else {
                throw TorchError(
                    .invalid, "\(self.name) adapts \(name), and the network has no such layer")
            }
            guard (adapter.inputSize, adapter.outputSize) == (layer.inputSize, layer.outputSize)
            else {
                throw TorchError(
                    .invalid,
                    "\(self.name) adapts \(name) from \(adapter.inputSize) to "
                        + "\(adapter.outputSize) channels; that layer leads from "
                        + "\(layer.inputSize) to \(layer.outputSize)")
            }
            found.append((layer, adapter))
        }
        for (layer, adapter) in found { layer.attach(adapter, of: self) }
    }

    /// Takes the adapters off again; layers that have none of them stay as they are.
    public func detach(from layers: [(name: String, layer: Linear)]) {
        for (_, layer) in layers { layer.detach(self) }
    }
}
