import Foundation
package import Torch
package import TorchNN

/// Weights in few bits, as the field's files have them.
///
/// fp8 and int8: `X.weight` with codes, `X.scale_weight` (musubi-tuner, ComfyUI) or `X.weight_scale`
/// (ComfyUI since) with one number, one for each row, or one for each group of a row. int4: `X.weight`
/// holds two codes in a byte, the first in the lower bits. ggml's blocks need nothing beside them.
extension CheckpointFolder {
    /// The shape of a weight, whatever it is stored as; nil if there is none of that name.
    package func shape(of name: String) -> [Int]? {
        guard let entry = file(of: name)?.entries[name] else { return nil }
        guard isInt4(name, entry), entry.shape.count == 2 else { return entry.shape }
        return [entry.shape[0], 2 * entry.shape[1]]
    }

    /// How a weight is stored; nil for plain numbers, and for none of that name.
    package func quantizedFormat(of name: String) -> QuantizedFormat? {
        guard let entry = file(of: name)?.entries[name], name.hasSuffix(Self.weight) else {
            return nil
        }
        if let format = entry.quantized { return format }
        switch entry.dtype {
        case .float8e4m3: return .fp8
        case .int8 where scaleName(of: name) != nil: return .int8
        case .uint8 where isInt4(name, entry): return .int4
        default: return nil
        }
    }

    /// A weight in few bits on the mapped bytes; nil where it is plain numbers.
    ///
    /// - Parameter used: Told the names that belong to it.
    /// - Throws: `CheckpointError` that names the weight if its scales do not fit.
    package func quantizedWeight(_ name: String, used: (String) -> Void = { _ in }) throws
        -> QuantizedWeight?
    {
        guard let file = file(of: name), let shape = shape(of: name), let rows = shape.first else {
            return nil
        }
        guard let format = quantizedFormat(of: name) else {
            // Numbers that need scales would be wrong without them.
            guard name.hasSuffix(Self.weight), let scale = scaleName(of: name) else { return nil }
            throw CheckpointError(
                "\(file.url.path): \(name) of the type \(file.entries[name]?.typeName ?? "?") has "
                    + "\(scale) beside it; weights with scales are read in fp8 (e4m3), int8 and int4"
            )
        }
        // Of a convolution the rows alone count.
        let columns = shape.dropFirst().reduce(1, *)
        let codes = try file.tensor(name)
        used(name)
        do {
            return try QuantizedWeight(
                name, format, shape: [rows, columns], codes: codes.reshape(rows, -1),
                scales: scales(of: name, rows: rows, format, used: used))
        } catch let error as TorchError {
            throw CheckpointError("\(file.url.path): \(error.message)")
        }
    }

    /// Whether a tensor tells readers something and is no weight: a mark of a format, or a scale of
    /// activations, which are scaled by their own size here.
    package static func isMark(_ name: String) -> Bool {
        ["scaled_fp8", ".comfy_quant", ".scale_input", ".input_scale"].contains {
            name.hasSuffix($0)
        }
    }

    /// Whether a tensor is the scales of a weight that is there.
    package func isScale(_ name: String) -> Bool { weight(ofScale: name) != nil }

    /// The weight whose scales a tensor is; nil where it is none's.
    package func weight(ofScale name: String) -> String? {
        Self.scales.filter(name.hasSuffix).map { name.dropLast($0.count) + Self.weight }
            .first { file(of: $0) != nil }
    }

    /// What is there and cannot be computed with, with its type: tensors of other types of ggml's.
    package var unread: [String: String] {
        files.compactMap { $0 as? GGUFFile }.reduce(into: [:]) { unread, file in
            for tensor in file.tensors where file.entries[tensor.name] == nil {
                unread[tensor.name] = tensor.type
            }
        }
    }

    private static let weight = ".weight"
    private static let scales = [".scale_weight", ".weight_scale"]

    private func scaleName(of name: String) -> String? {
        Self.scales.map { name.dropLast(Self.weight.count) + $0 }.first { file(of: $0) != nil }
    }

    private func isInt4(_ name: String, _ entry: TensorEntry) -> Bool {
        guard entry.dtype == .uint8, entry.quantized == nil, name.hasSuffix(Self.weight),
            let scale = scaleName(of: name)
        else { return false }
        return file(of: scale)?.entries[scale].map(isScaleType) == true
    }

    /// Whether scales of that type are numbers; 8 bits are powers of two in some files.
    private func isScaleType(_ entry: TensorEntry) -> Bool {
        entry.dtype.isFloatingPoint && entry.dtype.size > 1
    }

    /// Scales as `(rows or 1, groups)`.
    private func scales(
        of name: String, rows: Int, _ format: QuantizedFormat, used: (String) -> Void
    ) throws -> Tensor? {
        guard !format.isGGML, let scaleName = scaleName(of: name),
            let file = file(of: scaleName)
        else { return nil }
        used(scaleName)
        guard let entry = file.entries[scaleName], isScaleType(entry) else {
            throw CheckpointError(
                "\(file.url.path): \(scaleName) has the type "
                    + "\(file.entries[scaleName]?.typeName ?? "?"); scales are read in float32, "
                    + "float16 and bfloat16")
        }
        var value = try file.tensor(scaleName)
        if value.dtype != .bfloat16 || format == .int8 { value = try value.to(.float32) }
        if value.count == 1 {
            value = try value.reshape(1, 1)
            return format == .int8 ? try value.expand([rows, 1]).contiguous() : value
        }
        guard value.dim(0) == rows else {
            throw CheckpointError(
                "\(file.url.path): \(scaleName) has the shape \(value.shape); \(name) has \(rows) "
                    + "rows")
        }
        return try value.reshape(rows, -1)
    }
}
