public import Foundation
public import Torch

/// What a tensor of a GGUF file is, without its values.
public struct GGUFOutline: Equatable, Sendable {
    /// The type of a tensor's numbers.
    public enum Numbers: Equatable, Sendable {
        /// float32, float16 or bfloat16.
        case plain(DType)
        /// Blocks of ggml's.
        case quantized(QuantizedFormat)
    }

    /// The name in the file.
    public let name: String
    /// The length of each axis, the slowest first.
    public let shape: [Int]
    /// The type of its numbers.
    public let numbers: Numbers

    /// Describes a tensor.
    public init(_ name: String, _ shape: [Int], _ numbers: Numbers) {
        (self.name, self.shape, self.numbers) = (name, shape, numbers)
    }

    /// The type's number in ggml; nil for one that it has none for, or that is not written.
    var type: UInt32? {
        switch numbers {
        case .plain(.float32): 0
        case .plain(.float16): 1
        case .plain(.bfloat16): 30
        case .quantized(.q8_0): 8
        case .quantized(.q4_k): 12
        case .quantized(.q6_k): 14
        default: nil
        }
    }

    var byteCount: Int {
        let count = shape.reduce(1, *)
        return switch numbers {
        case .plain(let dtype): count * dtype.size
        case .quantized(let format): count / format.blockSize * format.blockBytes
        }
    }
}

/// Writes a GGUF file of version 3, whole or not at all; tensors are made one at a time.
///
/// A tensor of more than four axes, which ggml does not have, is written with all but the last
/// joined, and its shape beside it under `comfy.gguf.orig_shape.`, as ComfyUI's readers expect.
/// - Parameters:
///   - outlines: What is written, in its order.
///   - metadata: Texts and whole numbers to be kept beside them; `general.architecture` is one.
///   - value: The tensor of an outline: its numbers, or its bytes.
/// - Throws: `CheckpointError` for a type that ggml does not have, if the disk is full or the place
///   can't be written; what `value` throws. A file that stood there before is then untouched.
public func writeGGUF(
    _ outlines: [GGUFOutline], metadata: [String: GGUFValue], to url: URL,
    value: (GGUFOutline) throws -> Tensor
) throws {
    let header = try GGUFHeader(outlines, metadata: metadata)
    try AtomicFile.write(to: url) { file in
        try file.write(header.data)
        for outline in outlines {
            let flat = try value(outline).detach().to(.cpu).contiguous()
            guard flat.count * flat.dtype.size == outline.byteCount else {
                throw CheckpointError(
                    "\(outline.name) has \(flat.count * flat.dtype.size) bytes, not "
                        + "\(outline.byteCount)")
            }
            try flat.withMutableBytes { bytes in
                Result { try file.write(UnsafeRawBufferPointer(bytes)) }
            }.get()
            try file.write(Data(count: GGUFHeader.padding(outline.byteCount)))
        }
    }
}

/// A value of a GGUF file's metadata.
public enum GGUFValue: Equatable, Sendable {
    /// A text.
    case text(String)
    /// A whole number of 32 bits.
    case number(UInt32)
    /// Whole numbers of 32 bits.
    case numbers([Int32])
}

/// The bytes in front of the data.
private struct GGUFHeader {
    static let alignment = 32
    private(set) var data = Data("GGUF".utf8)

    static func padding(_ count: Int) -> Int { (alignment - count % alignment) % alignment }

    init(_ outlines: [GGUFOutline], metadata: [String: GGUFValue]) throws {
        var metadata = metadata
        for outline in outlines where outline.shape.count > 4 {
            metadata["comfy.gguf.orig_shape.\(outline.name)"] = .numbers(
                outline.shape.map(Int32.init))
        }
        add(UInt32(3))
        add(UInt64(outlines.count))
        add(UInt64(metadata.count))
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            add(key)
            add(value)
        }
        var offset = 0
        for outline in outlines {
            guard let type = outline.type else {
                throw CheckpointError(
                    "\(outline.name): GGUF files are written with F32, F16, BF16, Q8_0, Q4_K and "
                        + "Q6_K, not with \(outline.numbers)")
            }
            add(outline.name)
            let shape =
                outline.shape.count > 4
                ? [outline.shape.dropLast().reduce(1, *), outline.shape[outline.shape.count - 1]]
                : outline.shape
            add(UInt32(shape.count))
            for length in shape.reversed() { add(UInt64(length)) }
            add(type)
            add(UInt64(offset))
            offset += outline.byteCount + Self.padding(outline.byteCount)
        }
        data.append(Data(count: Self.padding(data.count)))
    }

    private mutating func add<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
    }

    private mutating func add(_ text: String) {
        add(UInt64(text.utf8.count))
        data.append(contentsOf: text.utf8)
    }

    private mutating func add(_ value: GGUFValue) {
        switch value {
        case .text(let text):
            add(UInt32(8))
            add(text)
        case .number(let number):
            add(UInt32(4))
            add(number)
        case .numbers(let numbers):
            add(UInt32(9))
            add(UInt32(5))
            add(UInt64(numbers.count))
            for number in numbers { add(number) }
        }
    }
}
