public import Torch

/// A weight with its name: a box that the layer, the store and the optimizer share.
public final class Parameter: @unchecked Sendable {
    /// The full name, as in the checkpoint: `transformer_blocks.0.attn.to_q.weight`.
    public let name: String
    /// The weight itself, in the shape that its layer gives it.
    public var value: Tensor

    /// Names a weight.
    public init(_ name: String, _ value: Tensor) {
        self.name = name
        self.value = value
    }

    /// The weight in the type that the activations have; a conversion is part of the graph.
    ///
    /// - Returns: The weight's shape; the weight itself where it has the type.
    /// - Throws: `TorchError` where memory does not suffice.
    public func value(as dtype: DType) throws(TorchError) -> Tensor {
        value.dtype == dtype ? value : try value.to(dtype)
    }
}

/// Every parameter of a model by name, in the order in which the layers were made.
public final class ParameterStore: @unchecked Sendable {
    /// The parameters in the order in which the layers were made.
    public private(set) var parameters: [Parameter] = []
    /// The weights in few bits, which no training changes, in the order of their layers.
    public private(set) var quantizedWeights: [QuantizedWeight] = []
    /// The linear layers that were made with the store, in their order.
    private(set) var linears: [Linear] = []
    /// What the names of parameters begin with that a model uses only inside
    /// ``withBlock(_:_:)``, in the order of use.
    public private(set) var blocks: [String] = []
    /// Who brings the weights of ``blocks``; nil where they are always there.
    public weak var residency: (any WeightResidency)?
    private var indices: [String: Int] = [:]

    /// An empty store.
    public init() {}

    /// The parameter of that name, or nil.
    public subscript(name: String) -> Parameter? { indices[name].map { parameters[$0] } }

    /// Adds a parameter; a name that is there already gives the parameter that has it.
    func add(_ name: String, _ make: () throws -> Tensor) rethrows -> Parameter {
        if let known = self[name] { return known }
        let parameter = Parameter(name, try make())
        add(parameter)
        return parameter
    }

    /// Adds a parameter whose name is not there yet.
    func add(_ parameter: Parameter) {
        indices[parameter.name] = parameters.count
        parameters.append(parameter)
    }

    /// Adds a weight in few bits whose name is not there yet.
    func add(_ weight: QuantizedWeight) { quantizedWeights.append(weight) }

    /// The weight in few bits of that name, or nil.
    func quantized(_ name: String) -> QuantizedWeight? {
        quantizedWeights.first { $0.name == name }
    }

    /// Adds a block, so that its weights can be brought when it runs.
    func add(block: String) {
        if !blocks.contains(block) { blocks.append(block) }
    }

    /// Adds a layer, so that adapters find it by its name.
    func add(_ linear: Linear) { linears.append(linear) }

    /// The number of elements of all weights.
    public var elementCount: Int {
        parameters.reduce(0) { $0 + $1.value.count }
            + quantizedWeights.reduce(0) { $0 + $1.shape[0] * $1.shape[1] }
    }

    /// The bytes of all weights.
    public var byteCount: Int {
        parameters.reduce(0) { $0 + $1.value.count * $1.value.dtype.size }
            + quantizedWeights.reduce(0) { $0 + $1.byteCount }
    }

    /// Asks for gradients of every parameter, or for none.
    ///
    /// - Throws: `TorchError` for a parameter that is not of a floating type.
    public func setRequiresGradient(_ on: Bool) throws(TorchError) {
        for parameter in parameters { try parameter.value.setRequiresGradient(on) }
    }

    /// Moves every weight to a device, and parameters into a type; what is nil stays.
    ///
    /// - Throws: `TorchError` for a device that is not there, or that has no memory left
    ///   (`.outOfMemory`); the parameters before are then moved.
    public func move(to device: Device? = nil, _ dtype: DType? = nil) throws(TorchError) {
        for parameter in parameters { parameter.value = try parameter.value.to(device, dtype) }
        guard let device else { return }
        for weight in quantizedWeights { try weight.move(to: device) }
    }

    /// Every parameter's value by name; the tensors are the parameters' own, not copies.
    public var tensors: [String: Tensor] {
        Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.value) })
    }
}
