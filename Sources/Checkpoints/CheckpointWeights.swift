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
    private let quantization: WeightQuantization?
    private let dequantizes: Bool
    private let staying: Set<String>
    private let onTensor: () throws -> Void
    private var used: Set<String> = []

    /// Opens a folder as a source.
    ///
    /// - Parameters:
    ///   - dtype: The type that weights are converted to; nil keeps the file's own.
    ///   - prefixes: What some published files put before every name, such as `text_model.`; the
    ///     first one that occurs in the folder is taken off.
    ///   - ignoring: Names that may be there though no layer needs them.
    ///   - quantization: Which weights of linear layers are rounded as they are read; those that the
    ///     folder has in few bits stay as they are.
    ///   - dequantizes: Whether weights in few bits become numbers as they are read, so that they can
    ///     be trained.
    ///   - staying: Weights that stay in the machine's memory as they are stored, whatever device and
    ///     type are asked for, as they are brought when they are used.
    ///   - onTensor: Called before each weight is read; what it throws ends the reading.
    public init(
        _ folder: CheckpointFolder, device: Device = .cpu, dtype: DType? = nil,
        prefixes: [String] = [], ignoring: @escaping (String) -> Bool = { _ in false },
        quantization: WeightQuantization? = nil, dequantizes: Bool = false,
        staying: Set<String> = [], onTensor: @escaping () throws -> Void = {}
    ) {
        self.folder = folder
        self.device = device
        self.dtype = dtype
        self.ignored = ignoring
        self.quantization = quantization
        self.dequantizes = dequantizes
        self.staying = staying
        self.onTensor = onTensor
        let names = folder.entries.keys
        prefix = prefixes.first { prefix in names.contains { $0.hasPrefix(prefix) } } ?? ""
    }

    /// Reads one weight; one in few bits is turned into numbers, bfloat16 unless told otherwise.
    ///
    /// - Throws: `CheckpointError` that names the weight if it is missing or has another shape.
    public func tensor(_ name: String, shape: [Int], initialization: Initialization) throws
        -> Tensor
    {
        let full = prefix + name
        guard let file = folder.file(of: full), file.entries[full] != nil else {
            if let type = folder.unread[full] {
                throw CheckpointError(
                    "\(folder.url.path): \(full) has the type \(type); types that are read are F32, "
                        + "F16, BF16, Q8_0, Q6_K and Q4_K")
            }
            throw CheckpointError("\(folder.url.path) lacks the tensor \(full)")
        }
        guard let found = folder.shape(of: full), found == shape else {
            throw CheckpointError(
                """
                \(file.url.path): \(full) has the shape \(folder.shape(of: full) ?? []), its layer \
                needs \(shape)
                """)
        }
        try onTensor()
        if let stored = try folder.quantizedWeight(full, used: { used.insert($0) }) {
            return try stored.dequantized(to: dtype ?? .bfloat16).reshape(shape).to(device)
        }
        used.insert(full)
        let tensor = try file.tensor(full)
        guard tensor.dtype.isFloatingPoint else {
            throw CheckpointError(
                "\(file.url.path): \(full) has the type \(tensor.dtype), its layer needs "
                    + "floating point numbers")
        }
        if staying.contains(name) { return tensor }
        // No network computes in 8 bits without scales.
        return try tensor.to(device, dtype ?? (tensor.dtype.size == 1 ? .bfloat16 : tensor.dtype))
    }

    /// A linear layer's weight in few bits: as the folder has it, or rounded now.
    ///
    /// - Throws: `CheckpointError` that names the weight if what is stored does not fit.
    public func quantized(_ name: String, shape: [Int]) throws -> QuantizedWeight? {
        let full = prefix + name
        guard !dequantizes, folder.shape(of: full) == shape else { return nil }
        if let stored = try folder.quantizedWeight(full, used: { used.insert($0) }) {
            try onTensor()
            let device = staying.contains(name) ? .cpu : device
            return try QuantizedWeight(
                name, stored.format, shape: shape, codes: stored.codes.to(device),
                scales: stored.scales?.to(device))
        }
        guard let quantization, quantization.takes(name, shape: shape) else { return nil }
        let weight = try tensor(name, shape: shape, initialization: .zeros)
        return try QuantizedWeight(name, weight, as: quantization.target)
    }

    /// Whether the folder has that weight.
    public func contains(_ name: String) -> Bool { folder.file(of: prefix + name) != nil }

    /// Checks that no weight of the folder was left over.
    ///
    /// - Throws: `CheckpointError` that names the first few weights that no layer needs.
    public func checkAllUsed() throws {
        let extra = folder.entries.keys.filter {
            !used.contains($0) && !ignored($0) && !CheckpointFolder.isMark($0)
                && folder.weight(ofScale: $0).map(ignored) != true
        }.sorted()
        guard let first = extra.first else { return }
        let others = extra.count > 1 ? " and \(extra.count - 1) more" : ""
        throw CheckpointError(
            """
            \(folder.url.path) holds the tensor \(first)\(others), which the configuration has \
            no layer for
            """)
    }
}

/// Which weights of linear layers are rounded as they are read, and into what.
public struct WeightQuantization {
    /// What they are turned into.
    public let target: QuantizationTarget
    private let layers: (String) -> Bool

    /// Chooses weights.
    ///
    /// - Parameters:
    ///   - target: What they are turned into.
    ///   - layers: Whether the weight of that name is; one whose rows do not fill whole groups is
    ///     not, whatever is said here.
    public init(_ target: QuantizationTarget, layers: @escaping (String) -> Bool) {
        (self.target, self.layers) = (target, layers)
    }

    /// Whether a weight is rounded.
    package func takes(_ name: String, shape: [Int]) -> Bool {
        shape.count == 2 && shape[1] % target.groupSize == 0 && layers(name)
    }
}
