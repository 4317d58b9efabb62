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
    // Larger elements first keeps every tensor aligned.
    let ordered = tensors.sorted {
        ($0.value.dtype.size, $1.key) > ($1.value.dtype.size, $0.key)
    }
    let header = try safetensorsHeader(ordered, metadata: metadata)
    try AtomicFile.write(to: url) { file in
        try file.write(header)
        for (_, tensor) in ordered {
            let flat = try tensor.detach().to(.cpu).contiguous()
            try flat.withMutableBytes { bytes in
                Result { try file.write(UnsafeRawBufferPointer(bytes)) }
            }.get()
        }
    }
}

private func safetensorsHeader(
    _ ordered: [(key: String, value: Tensor)], metadata: [String: String]
) throws -> Data {
    let typeNames = Dictionary(uniqueKeysWithValues: safetensorsTypes.map { ($1, $0) })
    var root: [String: Any] = metadata.isEmpty ? [:] : ["__metadata__": metadata]
    var offset = 0
    for (name, tensor) in ordered {
        let end = offset + tensor.count * tensor.dtype.size
        root[name] = [
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
