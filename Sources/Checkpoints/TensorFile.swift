public import Foundation
public import Torch

/// What a file says of one tensor.
public struct TensorEntry: Sendable, Equatable {
    /// The element type; bytes where ``quantized`` is not nil.
    public let dtype: DType
    /// The length of each axis.
    public let shape: [Int]
    /// Where its bytes lie, counted from the start of the file.
    public let range: Range<Int>
    /// How numbers are stored in blocks of bytes; nil for plain elements.
    public let quantized: QuantizedFormat?

    /// The type's name: q4_k, bfloat16.
    public var typeName: String { quantized?.rawValue ?? "\(dtype)" }

    init(dtype: DType, shape: [Int], range: Range<Int>, quantized: QuantizedFormat? = nil) {
        (self.dtype, self.shape) = (dtype, shape)
        (self.range, self.quantized) = (range, quantized)
    }
}

/// A file of named tensors that is mapped into memory: safetensors or GGUF.
public protocol TensorFile: Sendable {
    /// Where the file lies.
    var url: URL { get }
    /// What the file holds, by name.
    var entries: [String: TensorEntry] { get }
    /// The texts that the writer put beside the tensors.
    var metadata: [String: String] { get }
    /// A tensor on the mapped bytes: nothing is copied, and pages are read when they are used.
    ///
    /// - Returns: The entry's shape and type; of a quantized tensor its bytes, row by row.
    /// - Throws: `CheckpointError` if the file has no such tensor, or one that cannot be read.
    func tensor(_ name: String) throws -> Tensor
}

extension MappedFile {
    /// A tensor on some of the file's bytes.
    ///
    /// - Throws: `TorchError` where memory does not suffice.
    func tensor(_ range: Range<Int>, _ shape: [Int], _ dtype: DType) throws -> Tensor {
        guard let base = bytes.baseAddress, !range.isEmpty else {
            return try .empty(shape, dtype: dtype)
        }
        let start = base + range.lowerBound
        guard Int(bitPattern: start) % dtype.size == 0 else {
            // The formats promise no alignment; processors of today want it.
            let copy = try Tensor.empty(shape, dtype: dtype)
            try copy.withMutableBytes {
                $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[range]))
            }
            return copy
        }
        return try .borrowing(start, shape, dtype: dtype, owner: self)
    }
}
