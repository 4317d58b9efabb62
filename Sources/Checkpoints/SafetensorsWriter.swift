public import Foundation
public import Torch

/// Writes tensors as a safetensors file, whole or not at all.
///
/// - Parameters:
///   - tensors: Values by name; they are copied to the CPU one at a time.
///   - metadata: Texts to be kept beside them.
/// - Throws: `CheckpointError` if the disk is full or the place can't be written; a file that
///   stood there before is then untouched.
public func writeSafetensors(
    _ tensors: [String: Tensor], metadata: [String: String] = [:], to url: URL
) throws {
    let outlines = tensors.map { TensorOutline($0.key, $0.value.shape, $0.value.dtype) }
    try writeSafetensors(outlines.inFileOrder, metadata: metadata, to: url) {
        try tensors[$0.name] ?? .empty($0.shape, dtype: $0.dtype)
    }
}

/// What a tensor of a file is, without its values.
public struct TensorOutline: Codable, Equatable, Sendable {
    /// The name in the file.
    public let name: String
    /// The length of each axis.
    public let shape: [Int]
    /// The type of the elements.
    public let dtype: DType

    /// Describes a tensor.
    public init(_ name: String, _ shape: [Int], _ dtype: DType) {
        (self.name, self.shape, self.dtype) = (name, shape, dtype)
    }
}

extension [TensorOutline] {
    /// The order of a file: larger elements first, which keeps every tensor aligned.
    public var inFileOrder: [TensorOutline] {
        sorted { ($0.dtype.size, $1.name) > ($1.dtype.size, $0.name) }
    }
}

/// Writes tensors that are made one at a time, whole or not at all.
///
/// - Parameters:
///   - outlines: What is written, in its order.
///   - metadata: Texts to be kept beside them.
///   - value: The tensor of an outline, in its shape and type.
/// - Throws: `CheckpointError` if the disk is full or the place can't be written; what `value`
///   throws. A file that stood there before is then untouched.
public func writeSafetensors(
    _ outlines: [TensorOutline], metadata: [String: String] = [:], to url: URL,
    value: (TensorOutline) throws -> Tensor
) throws {
    let header = try safetensorsHeader(outlines, metadata: metadata)
    try AtomicFile.write(to: url) { file in
        try file.write(header)
        for outline in outlines {
            let flat = try value(outline).detach().to(.cpu, outline.dtype).contiguous()
            guard flat.shape == outline.shape else {
                throw CheckpointError(
                    "\(outline.name) has the shape \(flat.shape), not \(outline.shape)")
            }
            try flat.withMutableBytes { bytes in
                Result { try file.write(UnsafeRawBufferPointer(bytes)) }
            }.get()
        }
    }
}

private func safetensorsHeader(
    _ outlines: [TensorOutline], metadata: [String: String]
) throws -> Data {
    let typeNames = Dictionary(uniqueKeysWithValues: safetensorsTypes.map { ($1, $0) })
    var root: [String: Any] = metadata.isEmpty ? [:] : ["__metadata__": metadata]
    var offset = 0
    for tensor in outlines {
        let end = offset + tensor.shape.reduce(tensor.dtype.size, *)
        root[tensor.name] = [
            "dtype": typeNames[tensor.dtype] ?? "", "shape": tensor.shape,
            "data_offsets": [offset, end],
        ]
        offset = end
    }
    var json = try JSONSerialization.data(
        withJSONObject: root, options: [.sortedKeys, .withoutEscapingSlashes])
    json.append(contentsOf: Data(repeating: 0x20, count: (8 - json.count % 8) % 8))
    var header = withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) }
    header.append(json)
    return header
}
