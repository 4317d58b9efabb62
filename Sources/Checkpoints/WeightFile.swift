public import Foundation
public import Torch
public import TorchNN

/// One file of weights, safetensors or PyTorch's, as a source for a model.
public final class WeightFile: WeightSource {
    /// Where the file lies.
    public let url: URL
    /// The names in the file, sorted.
    public let names: [String]
    /// Where weights go.
    public var device = Device.cpu
    /// What weights are converted to; nil keeps the file's own type.
    public var dtype: DType?
    private let shapes: [String: [Int]]
    private let read: (String) throws -> Tensor
    private var used: Set<String> = []

    /// The endings of files that are read.
    public static let endings = ["safetensors", "pth", "pt"]

    /// Opens a file; no tensor is read yet.
    ///
    /// - Throws: `CheckpointError` if it is no whole file of its kind.
    public init(_ url: URL) throws {
        self.url = url
        if url.pathExtension.lowercased() == "safetensors" {
            let file = try SafetensorsFile(url)
            shapes = file.entries.mapValues(\.shape)
            read = file.tensor
        } else {
            let file = try TorchFile(url)
            shapes = Dictionary(
                uniqueKeysWithValues: file.names.map { ($0, file.shape(of: $0) ?? []) })
            read = file.tensor
        }
        names = shapes.keys.sorted()
    }

    /// The shape of a tensor; nil where there is none of that name.
    public func shape(of name: String) -> [Int]? { shapes[name] }

    /// Whether the file has that weight.
    public func contains(_ name: String) -> Bool { shapes[name] != nil }

    /// Reads one weight.
    ///
    /// - Throws: `CheckpointError` that names the weight if it is missing or has another shape.
    public func tensor(_ name: String, shape: [Int], initialization: Initialization) throws
        -> Tensor
    {
        guard let found = shapes[name] else {
            throw CheckpointError("\(url.path) lacks the tensor \(name)")
        }
        guard found == shape else {
            throw CheckpointError(
                "\(url.path): \(name) has the shape \(found), its layer needs \(shape)")
        }
        used.insert(name)
        let tensor = try read(name)
        return try tensor.to(device, dtype ?? tensor.dtype)
    }

    /// Checks that no weight of the file was left over.
    ///
    /// - Parameter ignoring: Names that may be there though no layer needs them.
    /// - Throws: `CheckpointError` that names the first of them.
    public func checkAllUsed(ignoring: (String) -> Bool = { _ in false }) throws {
        let extra = names.filter { !used.contains($0) && !ignoring($0) }
        guard let first = extra.first else { return }
        let others = extra.count > 1 ? " and \(extra.count - 1) more" : ""
        throw CheckpointError(
            "\(url.path) holds the tensor \(first)\(others), which no layer needs")
    }
}
