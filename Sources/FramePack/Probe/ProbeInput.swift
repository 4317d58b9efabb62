import Checkpoints
public import Foundation
public import Torch

/// The tensors of a probe's input file, by their names without the prefix `in.`.
///
/// Every tensor that is asked for is checked for type, axes and values before the network sees it,
/// so that an error names it.
public struct ProbeInput {
    /// Prefixes of tensors that a file may hold for other readers.
    public static let passedOver = ["out.", "alt.", "probe.", "stage.", "rounded."]

    /// What is there, by name, in the shapes and types of the file.
    public let tensors: [String: Tensor]

    /// Reads a safetensors file.
    ///
    /// - Parameters:
    ///   - file: The file.
    ///   - known: Names that the component reads.
    ///   - ignored: Names that belong to another component.
    /// - Throws: `CheckpointError` for a broken file, `FramePackError.probe` for a tensor that is
    ///   not known or stands in the file twice, with the prefix and without it.
    public init(file: URL, known: [String], ignored: [String] = []) throws {
        try self.init(file: file, ignored: ignored, knownList: known.joined(separator: ", ")) {
            known.contains($0)
        }
    }

    /// Reads a safetensors file; `isKnown` tells which names the component reads.
    init(
        file: URL, ignored: [String] = [], knownList: String, isKnown: (String) -> Bool
    ) throws {
        let source = try SafetensorsFile(file)
        var tensors: [String: Tensor] = [:]
        for full in source.names {
            let name = full.hasPrefix("in.") ? String(full.dropFirst(3)) : full
            if isKnown(name) {
                guard tensors[name] == nil else {
                    throw FramePackError.probe("\(name) stands in the file twice; leave one out.")
                }
                tensors[name] = try source.tensor(full)
            } else if !ignored.contains(name), !Self.passedOver.contains(where: full.hasPrefix) {
                throw FramePackError.probe(
                    "\(full) is not known to this component; it reads \(knownList).")
            }
        }
        self.tensors = tensors
    }

    /// Whether a tensor is there.
    public func contains(_ name: String) -> Bool { tensors[name] != nil }

    /// A tensor of finite numbers in float32, in the shape that is asked for.
    ///
    /// - Parameters:
    ///   - name: The name, without the prefix `in.`.
    ///   - shape: The length of each axis; nil for any above 0.
    ///   - form: The shape in words, such as `(B, 16, F, h, w)`.
    /// - Throws: `FramePackError.probe` that names a tensor that is missing, has another shape, is
    ///   not floating point, or holds NaN or infinite numbers.
    public func numbers(_ name: String, _ shape: [Int?], _ form: String) throws -> Tensor {
        let tensor = try checked(name, shape, form)
        guard tensor.dtype.isFloatingPoint else {
            throw FramePackError.probe("\(name) is \(tensor); it must be floating point.")
        }
        let numbers = try tensor.to(.float32)
        guard try numbers.isFinite().all().item() != 0 else {
            throw FramePackError.probe("\(name) holds NaN or infinite numbers.")
        }
        return numbers
    }

    /// A tensor of whole numbers in int64, in the shape that is asked for.
    ///
    /// - Parameters:
    ///   - name: The name, without the prefix `in.`.
    ///   - shape: The length of each axis; nil for any above 0.
    ///   - form: The shape in words, such as `(B, T)`.
    /// - Throws: `FramePackError.probe` that names a tensor that is missing, has another shape, or
    ///   is floating point or bool.
    public func integers(_ name: String, _ shape: [Int?], _ form: String) throws -> Tensor {
        let tensor = try checked(name, shape, form)
        guard !tensor.dtype.isFloatingPoint, tensor.dtype != .bool else {
            throw FramePackError.probe("\(name) is \(tensor); it must be int64.")
        }
        return try tensor.to(.int64)
    }

    /// A tensor of 8-bit levels, uint8 in the shape that is asked for.
    ///
    /// - Parameters:
    ///   - name: The name, without the prefix `in.`.
    ///   - shape: The length of each axis; nil for any above 0.
    ///   - form: The shape in words, such as `(H, W, 3)`.
    /// - Throws: `FramePackError.probe` that names a tensor that is missing, has another shape, or
    ///   is not uint8.
    public func levels(_ name: String, _ shape: [Int?], _ form: String) throws -> Tensor {
        let tensor = try checked(name, shape, form)
        guard tensor.dtype == .uint8 else {
            throw FramePackError.probe("\(name) is \(tensor); it must be uint8.")
        }
        return tensor
    }

    /// A tensor of any type whose shape fits.
    func checked(_ name: String, _ shape: [Int?], _ form: String) throws -> Tensor {
        guard let tensor = tensors[name] else {
            throw FramePackError.probe("\(name) is missing; it must be \(form).")
        }
        let found = tensor.shape
        let fits =
            found.count == shape.count
            && zip(found, shape).allSatisfy { $1 == nil ? $0 > 0 : $0 == $1 }
        guard fits else {
            let lengths = shape.map { $0.map(String.init) ?? "1 or more" }.joined(separator: ", ")
            throw FramePackError.probe(
                "\(name) has the shape \(found); it must be \(form), here (\(lengths)).")
        }
        return tensor
    }
}
