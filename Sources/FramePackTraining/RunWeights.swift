import Checkpoints
public import Foundation
public import Torch
public import TorchNN

/// The averaged weights that a training run stored, as a source for a model.
public final class AveragedWeights: WeightSource {
    private let file: SafetensorsFile
    private static let prefix = "average."

    /// Opens the state in a run's folder.
    public init(_ folder: URL) throws {
        file = try SafetensorsFile(folder.appendingPathComponent("state.safetensors"))
    }

    /// The step at which the state was stored.
    public var step: Int { file.metadata["step"].flatMap(Int.init) ?? 0 }

    /// The step of the teacher that taught them; nil where there was none.
    public var teacherStep: Int? { file.metadata["teacher"].flatMap(Int.init) }

    /// A copy of one averaged weight.
    ///
    /// - Throws: `TrainingError` that names a weight that is missing or misshapen.
    public func tensor(_ name: String, shape: [Int], initialization: Initialization) throws
        -> Tensor
    {
        guard contains(name), file.entries[Self.prefix + name]?.shape == shape else {
            throw TrainingError("\(file.url.path) has no averaged \(name) of shape \(shape)")
        }
        return try file.tensor(Self.prefix + name).clone()
    }

    /// The shape of one averaged weight; nil if there is none of that name.
    public func shape(_ name: String) -> [Int]? { file.entries[Self.prefix + name]?.shape }

    /// Whether the state has that weight.
    public func contains(_ name: String) -> Bool { file.entries[Self.prefix + name] != nil }
}

/// The parameters of one store as a source for another model.
public struct StoredWeights: WeightSource {
    private let store: ParameterStore

    /// Reads from a store.
    public init(_ store: ParameterStore) { self.store = store }

    /// The parameter's own tensor.
    public func tensor(_ name: String, shape: [Int], initialization: Initialization) throws
        -> Tensor
    {
        guard let value = store[name]?.value, value.shape == shape else {
            throw TrainingError("the store has no \(name) of shape \(shape)")
        }
        return value
    }

    /// Whether the store has that parameter.
    public func contains(_ name: String) -> Bool { store[name] != nil }
}

/// Weights of another source under other names, with fresh ones where it has none.
struct RenamedWeights: WeightSource {
    private let source: any WeightSource
    private let from: String
    private let to: String
    private let fallback: (any WeightSource)?

    /// Gives `from` + name what the source calls `to` + name.
    init(
        _ source: any WeightSource, from: String = "", to: String,
        otherwise fallback: (any WeightSource)? = nil
    ) {
        (self.source, self.from, self.to, self.fallback) = (source, from, to, fallback)
    }

    func tensor(_ name: String, shape: [Int], initialization: Initialization) throws -> Tensor {
        let inner = to + name.dropFirst(from.count)
        if let fallback, !source.contains(inner) {
            return try fallback.tensor(name, shape: shape, initialization: initialization)
        }
        return try source.tensor(inner, shape: shape, initialization: initialization)
    }

    func contains(_ name: String) -> Bool {
        source.contains(to + name.dropFirst(from.count)) || fallback?.contains(name) == true
    }
}
