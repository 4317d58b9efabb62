public import Torch

/// A linear layer's weight in few bits: codes, and scales beside them where the format has such.
///
/// It takes no part in training; adapters beside the layer do. Where the processor or the GPU
/// multiplies bytes, an int8 weight is multiplied as it is, each row of the activations rounded to 8
/// bits, and on a GPU so is an fp8 weight where ``Kernels/multipliesFP8`` asks for it; everything else
/// is turned into the activations' type piece by piece, and lives for one product.
public final class QuantizedWeight: @unchecked Sendable {
    /// The full name, as in the checkpoint: `transformer_blocks.0.attn.to_q.weight`.
    public let name: String
    /// How it is stored.
    public let format: QuantizedFormat
    /// The weight's shape, `(out, in)`.
    public let shape: [Int]
    /// The codes, `(out, bytes)`.
    public private(set) var codes: Tensor
    /// A number for each group of a row, `(out or 1, groups)` in float32 or bfloat16; nil where the
    /// codes need none.
    public private(set) var scales: Tensor?
    private let packed = DerivedWeight()

    /// Takes a weight as it is stored.
    ///
    /// - Parameters:
    ///   - name: The full name.
    ///   - format: How it is stored.
    ///   - shape: The weight's shape, `(out, in)`.
    ///   - codes: `(out, bytes)` in the format's type.
    ///   - scales: `(out or 1, groups)`, of which `in` is a multiple; ggml's formats have none, int8
    ///     has one for each row, int4 one for each group.
    /// - Throws: `TorchError` that names the weight and what does not fit.
    public init(
        _ name: String, _ format: QuantizedFormat, shape: [Int], codes: Tensor,
        scales: Tensor? = nil
    ) throws(TorchError) {
        (self.name, self.format, self.shape) = (name, format, shape)
        (self.codes, self.scales) = (codes, scales)
        let columns = shape.last ?? 0
        let wanted = [shape.first ?? 0, columns / format.blockSize * format.blockBytes]
        guard shape.count == 2, columns % format.blockSize == 0 else {
            throw TorchError(
                .invalid,
                "\(name): \(format.rawValue) takes rows of whole blocks of "
                    + "\(format.blockSize) numbers; its shape is \(shape)")
        }
        guard codes.shape == wanted, codes.dtype == format.codeType else {
            throw TorchError(
                .invalid,
                "\(name): \(format.rawValue) codes of shape \(shape) are \(wanted) in "
                    + "\(format.codeType); found \(codes.shape) in \(codes.dtype)")
        }
        guard fits(scales) else {
            throw TorchError(
                .invalid,
                "\(name): scales of \(scales.map { "shape \($0.shape)" } ?? "no shape") do "
                    + "not fit \(format.rawValue) codes of shape \(shape)")
        }
    }

    private func fits(_ scales: Tensor?) -> Bool {
        guard let scales else { return format.isGGML || format == .fp8 }
        guard !format.isGGML, scales.rank == 2, [1, shape[0]].contains(scales.dim(0)),
            scales.dim(1) > 0, shape[1] % scales.dim(1) == 0,
            [.float32, .bfloat16].contains(scales.dtype)
        else { return false }
        // Where a product of bytes is scaled afterwards, a row has one scale.
        guard format != .int8 || scales.shape == [shape[0], 1] else { return false }
        return format != .int4 || shape[1] / scales.dim(1) % 2 == 0
    }

    /// Where it lies.
    public var device: Device { codes.device }

    /// Bytes of codes and scales.
    public var byteCount: Int {
        codes.count * codes.dtype.size + (scales.map { $0.count * $0.dtype.size } ?? 0)
    }

    /// Bits that a weight takes on the average, scales and all.
    public var bitsPerWeight: Double { Double(8 * byteCount) / Double(shape[0] * shape[1]) }

    /// How many columns share a scale.
    var groupSize: Int { shape[1] / (scales?.dim(1) ?? 1) }

    /// Moves it to a device.
    ///
    /// - Throws: `TorchError` for a device that is not there, or that has no memory left.
    func move(to device: Device) throws(TorchError) {
        codes = try codes.to(device)
        scales = try scales?.to(device)
    }

    /// The weight in a floating type, `(out, in)`.
    ///
    /// - Throws: `TorchError` where memory does not suffice.
    public func dequantized(to dtype: DType) throws -> Tensor {
        let fused = try codes.fusedDecoded(
            scales: scales, format: format, columns: shape[1],
            group: format.isGGML ? shape[1] : groupSize, dtype: dtype)
        return try fused ?? plainlyDequantized().to(dtype)
    }

    /// `x · weightᵀ + bias` over the last axis, then an activation, in the input's type.
    ///
    /// - Throws: `TorchError` for another last axis, or where memory does not suffice.
    func product(_ x: Tensor, _ bias: Tensor?, then activation: Activation?) throws -> Tensor {
        if let y = try eightBitProduct(x, bias, then: activation) { return y }
        return try x.linear(dequantized(to: x.dtype), bias, then: activation)
    }

    /// The product in eight bits, rows of the input rounded to them; nil where that is not to be had.
    private func eightBitProduct(_ x: Tensor, _ bias: Tensor?, then activation: Activation?) throws
        -> Tensor?
    {
        // With gradients nothing is packed, and that is not to be remembered.
        guard Kernels.areFused, let scales, scales.dtype == .float32 else { return nil }
        switch (format, x.device.kind) {
        case (.int8, .cpu): return try packedProduct(x, scales, bias, then: activation)
        case (.int8, _):
            return try x.fusedByteProduct(codes, scales: scales, bias, then: activation)
        case (.fp8, _) where Kernels.multipliesFP8 && scales.dim(1) == 1:
            let y = try x.fusedFP8Product(codes, scales: scales, bias)
            return try activation.flatMap { try y?.activated(by: $0) } ?? y
        default: return nil
        }
    }

    private func packedProduct(
        _ x: Tensor, _ scales: Tensor, _ bias: Tensor?, then activation: Activation?
    ) throws -> Tensor? {
        guard Kernels.multiplyBytes,
            let packed = try packed(of: codes, as: .int8, { try codes.packedBytes() })
        else { return nil }
        return try x.fusedByteProduct(packed, scales: scales, bias, then: activation)
    }
}
