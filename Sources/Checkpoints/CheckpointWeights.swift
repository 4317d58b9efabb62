import Foundation
public import Torch
public import TorchNN

/// The weights of a folder as a source for a model.
///
/// Every weight that a model asks for must be there in the shape it needs; afterwards
/// ``checkAllUsed()`` tells whether the folder holds weights that no layer asked for.
public final class CheckpointWeights: WeightSource {
    private let folder: CheckpointFolder
    private let device: Device
    private let dtype: DType?
    private let prefix: String
    private let ignored: (String) -> Bool
    private let onTensor: () throws -> Void
    private var used: Set<String> = []

    /// Opens a folder as a source.
    ///
    /// - Parameters:
    ///   - dtype: The type that weights are converted to; nil keeps the file's own.
    ///   - prefixes: What some published files put before every name, such as `text_model.`; the
    ///     first one that occurs in the folder is taken off.
    ///   - ignoring: Names that may be there though no layer needs them.
    ///   - onTensor: Called before each weight is read; what it throws ends the reading.
    public init(
        _ folder: CheckpointFolder, device: Device = .cpu, dtype: DType? = nil,
        prefixes: [String] = [], ignoring: @escaping (String) -> Bool = { _ in false },
        onTensor: @escaping () throws -> Void = {}
    ) {
        self.folder = folder
        self.device = device
        self.dtype = dtype
        self.ignored = ignoring
        self.onTensor = onTensor
        let names = folder.entries.keys
        prefix = prefixes.first { prefix in names.contains { $0.hasPrefix(prefix) } } ?? ""
    }

    /// Reads one weight.
    ///
    /// - Throws: `CheckpointError` that names the weight if it is missing or has another shape.
    public func tensor(_ name: String, shape: [Int], initialization: Initialization) throws
        -> Tensor
    {
        guard let file = folder.file(of: prefix + name), let entry = file.entries[prefix + name]
        else { throw CheckpointError("\(folder.url.path) lacks the tensor \(prefix + name)") }
        guard entry.shape == shape else {
            throw CheckpointError(
                """
                \(file.url.path): \(prefix + name) has the shape \(entry.shape), its layer needs \
                \(shape)
                """)
        }
        used.insert(prefix + name)
        try onTensor()
        let tensor = try file.tensor(prefix + name)
        guard tensor.dtype.isFloatingPoint else {
            throw CheckpointError(
                "\(file.url.path): \(prefix + name) has the type \(tensor.dtype), its layer needs "
                    + "floating point numbers")
        }
        return try tensor.to(device, dtype ?? tensor.dtype)
    }

    /// Whether the folder has that weight.
    public func contains(_ name: String) -> Bool { folder.file(of: prefix + name) != nil }

    /// Checks that no weight of the folder was left over.
    ///
    /// - Throws: `CheckpointError` that names the first few weights that no layer needs.
    public func checkAllUsed() throws {
        let extra = folder.entries.keys.filter { !used.contains($0) && !ignored($0) }.sorted()
        guard let first = extra.first else { return }
        let others = extra.count > 1 ? " and \(extra.count - 1) more" : ""
        throw CheckpointError(
            """
            \(folder.url.path) holds the tensor \(first)\(others), which the configuration has \
            no layer for
            """)
    }
}
