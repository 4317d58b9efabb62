public import Torch

/// A convolution over `(B, C, F, h, w)` without padding of its own.
public final class Conv3d {
    /// `(out, in, kf, kh, kw)`.
    public let weight: Parameter
    /// `(out)`.
    public let bias: Parameter
    let stride: [Int]
    private let packed = DerivedWeight()

    /// Builds a layer from its weights, `weight` and `bias`.
    ///
    /// - Parameters:
    ///   - inputSize: Channels that go in.
    ///   - outputSize: Channels that come out.
    ///   - kernel: Its length along frames, height and width.
    ///   - stride: Along frames, height and width.
    ///   - zero: Whether fresh weights begin as zeros.
    /// - Throws: What the weights' source throws for a missing or misshapen weight.
    public init(
        _ inputSize: Int, _ outputSize: Int, kernel: [Int], stride: [Int] = [1, 1, 1],
        zero: Bool = false, _ weights: Weights
    ) throws {
        let bound = 1 / Double(inputSize * kernel.reduce(1, *)).squareRoot()
        let start: Initialization = zero ? .zeros : .uniform(bound)
        weight = try weights.parameter("weight", [outputSize, inputSize] + kernel, start)
        bias = try weights.parameter("bias", [outputSize], start)
        self.stride = stride
    }

    /// Convolves `(B, in, F, h, w)`.
    ///
    /// - Parameter added: Of the result's shape; added to it.
    /// - Returns: `(B, out, F', h', w')` in the input's type, with F' = ⌊(F − kf) / stride⌋ + 1,
    ///   and so height and width.
    /// - Throws: `TorchError` for another shape, or where memory does not suffice.
    ///
    /// Source: `torch.nn.Conv3d`.
    public func callAsFunction(_ x: Tensor, adding added: Tensor? = nil) throws -> Tensor {
        if let y = try fused(x, added) { return y }
        let y = try x.conv3d(weight.value(as: x.dtype), bias.value(as: x.dtype), stride: stride)
        return try added.map { try $0 + y } ?? y
    }

    private func fused(_ x: Tensor, _ added: Tensor?) throws -> Tensor? {
        guard Kernels.areFused else { return nil }
        let packed = try packed(of: weight, as: x.dtype) {
            try x.packedConvolutionWeight(weight.value(as: x.dtype), stride: stride)
        }
        guard let packed else { return nil }
        return try x.fusedConvolution(
            packed, bias.value(as: x.dtype), adding: added, stride: stride, padding: [0, 0, 0])
    }
}

/// A convolution over `(B, C, h, w)`.
public final class Conv2d {
    /// `(out, in, kh, kw)`.
    public let weight: Parameter
    /// `(out)`; nil if the layer has none.
    public let bias: Parameter?
    let stride: [Int]
    let padding: [Int]

    /// Builds a layer from its weights, `weight` and `bias`.
    ///
    /// - Parameters:
    ///   - inputSize: Channels that go in.
    ///   - outputSize: Channels that come out.
    ///   - kernel: Its length along height and width.
    ///   - stride: Along height and width.
    ///   - padding: Zeros at both ends of height and width.
    ///   - bias: Whether the layer has a `bias`.
    /// - Throws: What the weights' source throws for a missing or misshapen weight.
    public init(
        _ inputSize: Int, _ outputSize: Int, kernel: [Int], stride: [Int] = [1, 1],
        padding: [Int] = [0, 0], bias: Bool = true, _ weights: Weights
    ) throws {
        let bound = 1 / Double(inputSize * kernel.reduce(1, *)).squareRoot()
        weight = try weights.parameter("weight", [outputSize, inputSize] + kernel, .uniform(bound))
        self.bias = bias ? try weights.parameter("bias", [outputSize], .uniform(bound)) : nil
        (self.stride, self.padding) = (stride, padding)
    }

    /// Convolves `(B, in, h, w)`.
    ///
    /// - Returns: `(B, out, h', w')` in the input's type, with
    ///   h' = ⌊(h + 2 · padding − kh) / stride⌋ + 1, and so the width.
    /// - Throws: `TorchError` for another shape, or where memory does not suffice.
    ///
    /// Source: `torch.nn.Conv2d`.
    public func callAsFunction(_ x: Tensor) throws -> Tensor {
        try x.conv2d(
            weight.value(as: x.dtype), bias?.value(as: x.dtype), stride: stride, padding: padding)
    }
}
