public import Foundation
public import Torch

/// A GGUF file, mapped into memory.
///
/// Source: the description of GGUF versions 2 and 3 in ggml's documentation: a magic word, the
/// version, the counts of tensors and of metadata, the metadata, then name, shape, type and offset
/// of each tensor, and the data, aligned; all little-endian.
public final class GGUFFile: TensorFile {
    /// What the file says of one tensor, whether its type can be computed with or not.
    public struct Description: Sendable, Equatable {
        /// The tensor's name.
        public let name: String
        /// The length of each axis, the slowest first, as in safetensors.
        public let shape: [Int]
        /// The type's name in ggml, such as Q4_K.
        public let type: String
        /// Numbers in the tensor.
        public let elementCount: Int
        /// Bytes of the tensor; nil for a type that is not known.
        public let byteCount: Int?
        /// Where its bytes begin, counted from the start of the data.
        let offset: Int
    }

    /// Where the file lies.
    public let url: URL
    /// The format's version.
    public let version: Int
    /// Size of the file.
    public let byteCount: Int
    /// The metadata as text; of a list its type and length alone.
    public let metadata: [String: String]
    /// The tensors, in the order of the file.
    public let tensors: [Description]
    /// What can be computed with, by name.
    public let entries: [String: TensorEntry]
    private let file: MappedFile

    /// Whether a file begins as GGUF files do.
    ///
    /// - Throws: `CheckpointError` for a file that cannot be opened.
    public static func isGGUF(_ url: URL) throws -> Bool {
        let file = try MappedFile(url)
        return file.bytes.count >= 4 && file.bytes.prefix(4).elementsEqual("GGUF".utf8)
    }

    /// Reads the header; no tensor is read yet.
    ///
    /// - Throws: `CheckpointError` if the header is cut off, or is none.
    public init(_ url: URL) throws {
        self.url = url
        file = try MappedFile(url)
        byteCount = file.bytes.count
        var reader = GGUFReader(bytes: UnsafeRawBufferPointer(file.bytes), file: url.path)
        guard try reader.bytes(4).elementsEqual("GGUF".utf8) else {
            throw CheckpointError("\(url.path) is not a GGUF file")
        }
        version = Int(try reader.integer(UInt32.self))
        guard (2...3).contains(version) else {
            throw CheckpointError(
                "\(url.path) is of GGUF version \(version); versions 2 and 3 are known")
        }
        let (tensorCount, metadataCount) = (
            try reader.count(smallest: 24), try reader.count(smallest: 12)
        )
        var metadata: [String: String] = [:]
        for _ in 0..<metadataCount {
            let key = try reader.string()
            metadata[key] = try reader.value(ofKey: key)
        }
        self.metadata = metadata
        let shapes = reader.shapes
        tensors = try (0..<tensorCount).map { _ in try reader.entry() }
        let start = try reader.dataStart(alignment: metadata["general.alignment"])
        var entries: [String: TensorEntry] = [:]
        for tensor in tensors {
            guard let entry = try Self.entry(tensor, shapes[tensor.name], start, in: file, url)
            else { continue }
            guard entries.updateValue(entry, forKey: tensor.name) == nil else {
                throw CheckpointError("\(url.path): \(tensor.name) stands twice in the header")
            }
        }
        self.entries = entries
    }

    /// What a tensor is to a network; nil for a type that is not computed with.
    ///
    /// - Parameter original: The shape that it had before it was folded into at most four axes.
    private static func entry(
        _ tensor: Description, _ original: [Int]?, _ start: Int, in file: MappedFile, _ url: URL
    ) throws -> TensorEntry? {
        guard let bytes = tensor.byteCount else { return nil }
        let quantized = QuantizedFormat.ggml(tensor.type)
        guard let dtype = quantized == nil ? plainTypes[tensor.type] : .uint8 else { return nil }
        let (first, overflow) = start.addingReportingOverflow(tensor.offset)
        guard !overflow, tensor.offset >= 0, first <= file.bytes.count,
            bytes <= file.bytes.count - first
        else {
            throw CheckpointError(
                "\(url.path) is cut off: \(tensor.name) lies behind the end of the file")
        }
        let shape = original.flatMap { count($0) == tensor.elementCount ? $0 : nil } ?? tensor.shape
        return TensorEntry(
            dtype: dtype, shape: shape, range: first..<first + bytes, quantized: quantized)
    }

    /// The numbers of a shape; nil where they are too many to be counted.
    private static func count(_ shape: [Int]) -> Int? {
        shape.reduce(Optional(1)) { product, length in
            product.flatMap {
                let (value, overflow) = $0.multipliedReportingOverflow(by: length)
                return overflow ? nil : value
            }
        }
    }

    /// A tensor on the mapped bytes; of a quantized one its bytes, row by row.
    ///
    /// - Throws: `CheckpointError` if the file has no such tensor, or one of another type.
    public func tensor(_ name: String) throws -> Tensor {
        guard let entry = entries[name] else {
            let known = tensors.first { $0.name == name }
            throw CheckpointError(
                known.map {
                    "\(url.path): \(name) has the type \($0.type); types that are read are F32, F16, "
                        + "BF16, Q8_0, Q4_K and Q6_K"
                } ?? "\(url.path) has no tensor \(name)")
        }
        guard entry.quantized != nil, let rows = entry.shape.first else {
            return try file.tensor(entry.range, entry.shape, entry.dtype)
        }
        return try file.tensor(entry.range, [rows, entry.range.count / max(rows, 1)], entry.dtype)
    }

    private static let plainTypes: [String: DType] = [
        "F32": .float32, "F16": .float16, "BF16": .bfloat16, "F64": .float64, "I8": .int8,
        "I16": .int16, "I32": .int32, "I64": .int64,
    ]
}

extension QuantizedFormat {
    /// The format of ggml's that has that name, where it can be computed with.
    static func ggml(_ name: String) -> QuantizedFormat? {
        allCases.first { $0.isGGML && $0.rawValue.uppercased() == name }
    }
}

/// Walks through the bytes of a header; everything that is read is checked against the file's end.
private struct GGUFReader {
    let bytes: UnsafeRawBufferPointer
    let file: String
    var offset = 0
    /// The shapes that tensors of more than four axes had, by name.
    var shapes: [String: [Int]] = [:]

    /// What such a shape's key begins with; ComfyUI's readers know it.
    private static let shapePrefix = "comfy.gguf.orig_shape."

    mutating func bytes(_ count: Int) throws -> UnsafeRawBufferPointer {
        guard count >= 0, count <= bytes.count - offset else {
            throw CheckpointError("\(file) is cut off: its header goes on after the file's end")
        }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
    }

    mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value {
        Value(littleEndian: try bytes(MemoryLayout<Value>.size).loadUnaligned(as: type))
    }

    /// A count of things that take `smallest` bytes or more each.
    mutating func count(smallest: Int) throws -> Int {
        let count = try integer(UInt64.self)
        guard count <= UInt64((bytes.count - offset) / smallest) else {
            throw CheckpointError(
                "\(file) is cut off, or its header lies: \(count) entries do not fit into it")
        }
        return Int(count)
    }

    mutating func string() throws -> String {
        let length = try count(smallest: 1)
        return String(decoding: try bytes(length), as: UTF8.self)
    }

    /// One value of the metadata as text.
    mutating func value(ofKey key: String) throws -> String {
        let type = try integer(UInt32.self)
        guard type == 9 else { return try scalar(type) }
        let element = try integer(UInt32.self)
        let length = try count(smallest: Self.size(element) ?? 8)
        let isShape = key.hasPrefix(Self.shapePrefix) && length <= 8
        var shape: [Int] = []
        for _ in 0..<length {
            let text = try scalar(element)
            if isShape, let number = Int(text), number >= 0 { shape.append(number) }
        }
        if isShape { shapes[String(key.dropFirst(Self.shapePrefix.count))] = shape }
        return "\(length) values"
    }

    /// Where the data begins: behind the header, aligned.
    func dataStart(alignment text: String?) throws -> Int {
        guard let text else { return (offset + 31) / 32 * 32 }
        guard let alignment = Int(text), alignment > 0, alignment <= 1 << 20 else {
            throw CheckpointError("\(file): general.alignment is \(text), no size of a block")
        }
        return (offset + alignment - 1) / alignment * alignment
    }

    private static func size(_ type: UInt32) -> Int? { [1, 1, 2, 2, 4, 4, 4, 1][safe: Int(type)] }

    private mutating func scalar(_ type: UInt32) throws -> String {
        switch type {
        case 0: "\(try integer(UInt8.self))"
        case 1: "\(try integer(Int8.self))"
        case 2: "\(try integer(UInt16.self))"
        case 3: "\(try integer(Int16.self))"
        case 4: "\(try integer(UInt32.self))"
        case 5: "\(try integer(Int32.self))"
        case 6: "\(Float(bitPattern: try integer(UInt32.self)))"
        case 7: try integer(UInt8.self) == 0 ? "false" : "true"
        case 8: try string()
        case 10: "\(try integer(UInt64.self))"
        case 11: "\(try integer(Int64.self))"
        case 12: "\(Double(bitPattern: try integer(UInt64.self)))"
        default:
            throw CheckpointError("\(file): its metadata has a value of the unknown type \(type)")
        }
    }

    mutating func entry() throws -> GGUFFile.Description {
        let name = try string()
        let rank = try integer(UInt32.self)
        guard rank <= 8 else {
            throw CheckpointError("\(file): \(name) has \(rank) axes; at most 8 are possible")
        }
        var (shape, elements) = ([Int](), 1)
        for _ in 0..<rank {
            let length = try integer(UInt64.self)
            let (product, overflow) = elements.multipliedReportingOverflow(
                by: Int(clamping: length))
            guard !overflow, length <= UInt64(Int.max) else {
                throw CheckpointError("\(file): \(name) has an impossible shape")
            }
            (elements, shape) = (product, [Int(length)] + shape)
        }
        let type = try integer(UInt32.self)
        let offset = Int(clamping: try integer(UInt64.self))
        let layout = ggmlTypes[type]
        let (bits, overflow) = (elements / (layout?.block ?? 1)).multipliedReportingOverflow(
            by: layout?.bytes ?? 0)
        return GGUFFile.Description(
            name: name, shape: shape, type: layout?.name ?? "type \(type)",
            elementCount: elements, byteCount: layout == nil || overflow ? nil : bits,
            offset: offset)
    }
}

/// ggml's types: name, numbers in a block, bytes of a block.
private let ggmlTypes: [UInt32: (name: String, block: Int, bytes: Int)] = [
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22), 7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 36),
    10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110), 12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292),
    24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8),
    28: ("F64", 1, 8), 30: ("BF16", 1, 2),
]

extension Array {
    fileprivate subscript(safe index: Int) -> Element? {
        indices.contains(index) ? self[index] : nil
    }
}
