import Torch

/// A place in the tree of a model's weights: `weights["attn"]["to_q"]`.
///
/// A layer's initializer gets the scope that its keys begin with, asks it for parameters by their
/// last name, and so shows the checkpoint's key beside the layer.
public struct Weights {
    /// Where values come from.
    public let source: any WeightSource
    /// Where parameters are registered.
    public let store: ParameterStore
    /// What names begin with: empty or ending in a dot.
    public let prefix: String

    /// The root of a model's weights.
    public init(_ source: any WeightSource, store: ParameterStore = ParameterStore()) {
        self.init(source: source, store: store, prefix: "")
    }

    private init(source: any WeightSource, store: ParameterStore, prefix: String) {
        (self.source, self.store, self.prefix) = (source, store, prefix)
    }

    /// The scope below this one; a name with dots descends several levels.
    public subscript(name: String) -> Weights {
        Weights(source: source, store: store, prefix: "\(prefix)\(name).")
    }

    /// The scope of a list's element.
    public subscript(index: Int) -> Weights { self["\(index)"] }

    /// The scope of an element of a list of blocks, each of which the model runs inside
    /// ``ParameterStore/withBlock(_:_:)``.
    public func block(_ index: Int) -> Weights {
        let scope = self[index]
        store.add(block: scope.prefix)
        return scope
    }

    /// The parameter of that name in this scope.
    ///
    /// - Parameters:
    ///   - name: The last part of the name.
    ///   - shape: The length of each axis.
    ///   - initialization: How it begins where the source has no values of its own.
    /// - Returns: The parameter, registered in ``store``; one that is registered already is not
    ///   asked of the source again.
    /// - Throws: What the source throws: an error that names the missing or misshapen weight.
    public func parameter(_ name: String, _ shape: [Int], _ initialization: Initialization) throws
        -> Parameter
    {
        let full = prefix + name
        return try store.add(full) {
            try source.tensor(full, shape: shape, initialization: initialization)
        }
    }

    /// The weight of a linear layer in this scope: a parameter, or what the source has in few bits.
    ///
    /// - Throws: As ``parameter(_:_:_:)``.
    func linearWeight(_ name: String, _ shape: [Int], _ initialization: Initialization) throws
        -> LinearWeight
    {
        let full = prefix + name
        if let known = store.quantized(full) { return .quantized(known) }
        if store[full] == nil, let weight = try source.quantized(full, shape: shape) {
            store.add(weight)
            return .quantized(weight)
        }
        return .plain(try parameter(name, shape, initialization))
    }

    /// The parameters of this scope that were made so far, in their order.
    public var parameters: [Parameter] {
        store.parameters.filter { $0.name.hasPrefix(prefix) }
    }

    /// The linear layers of this scope that were made so far, in their order, with their names
    /// within it.
    public var linears: [(name: String, layer: Linear)] {
        store.linears.filter { $0.name.hasPrefix(prefix) }.map {
            (String($0.name.dropFirst(prefix.count)), $0)
        }
    }

    /// Whether the source has a value for that name in this scope.
    public func contains(_ name: String) -> Bool { source.contains(prefix + name) }
}
