public import Torch

/// Mean 0 and variance 1 over the last axis.
public final class LayerNorm {
    let size: Int
    let eps: Double
    /// `(size)`; nil without an affine map.
    public let weight: Parameter?
    /// `(size)`; nil without an affine map.
    public let bias: Parameter?

    /// A norm without weights.
    ///
    /// - Parameters:
    ///   - size: The length of the last axis.
    ///   - eps: Added to the variance.
    public init(_ size: Int, eps: Double = 1e-6) {
        (self.size, self.eps, weight, bias) = (size, eps, nil, nil)
    }

    /// A norm with an affine map, `weight` and `bias`.
    ///
    /// - Parameters:
    ///   - size: The length of the last axis.
    ///   - eps: Added to the variance.
    /// - Throws: What the weights' source throws for a missing or misshapen weight.
    public init(_ size: Int, eps: Double = 1e-6, _ weights: Weights) throws {
        self.size = size
        self.eps = eps
        weight = try weights.parameter("weight", [size], .ones)
        bias = try weights.parameter("bias", [size], .zeros)
    }

    /// Normalises `(…, size)`; shape and type stay.
    ///
    /// - Throws: `TorchError` for another last axis.
    ///
    /// Source: `torch.nn.LayerNorm`.
    public func callAsFunction(_ x: Tensor) throws -> Tensor {
        try x.layerNorm(
            size, weight: weight?.value(as: x.dtype), bias: bias?.value(as: x.dtype), eps: eps)
    }
}

extension LayerNorm {
    /// Normalises `(B, L, C)`, then multiplies by a factor and adds a shift, each `(B, 1, C)`.
    ///
    /// For a norm without weights of its own this is one pass over the tokens where ``Kernels``
    /// allows.
    ///
    /// - Throws: `TorchError` for sizes that do not fit.
    public func callAsFunction(_ x: Tensor, factor: Tensor, shift: Tensor) throws -> Tensor {
        if weight == nil, bias == nil,
            let y = try x.fusedLayerNorm(factor: factor, shift: shift, eps: eps)
        {
            return y
        }
        return try shift.addProduct(self(x), factor)
    }
}

/// Root mean square 1 over the last axis, then a weight.
///
/// The mean is taken in float32, or in float64 of such an input, and the normalised value rounded
/// to the input's type before the weight is applied. Source: diffusers `RMSNorm`, transformers
/// `LlamaRMSNorm`.
public final class RMSNorm {
    let eps: Double
    /// `(size)`.
    public let weight: Parameter

    /// Builds a norm from its weight.
    ///
    /// - Parameters:
    ///   - size: The length of the last axis.
    ///   - eps: Added to the mean square.
    /// - Throws: What the weights' source throws for a missing or misshapen weight.
    public init(_ size: Int, eps: Double, _ weights: Weights) throws {
        self.eps = eps
        weight = try weights.parameter("weight", [size], .ones)
    }

    /// Normalises `(…, size)`; shape and type stay.
    ///
    /// - Throws: `TorchError` for a last axis that does not fit.
    public func callAsFunction(_ x: Tensor) throws -> Tensor {
        let wide = x.dtype == .float64 ? x : try x.to(.float32)
        let factor = try (wide.square().mean([-1], keepAxes: true) + eps).rsqrt()
        return try (wide * factor).to(x.dtype) * weight.value(as: x.dtype)
    }

    /// Normalises heads `(B, N, H, D)`, then turns pairs of channels of the first L tokens, in one
    /// pass over them.
    ///
    /// - Parameter phases: Cosine and sine of each pair, `(B or 1, L, 1, D/2, 2)` in float32; nil
    ///   turns none.
    /// - Returns: nil where ``Kernels`` has no such pass.
    public func fused(_ x: Tensor, phases: Tensor?) throws -> Tensor? {
        try x.fusedRMSNorm(weight: weight.value(as: x.dtype), phases: phases, eps: eps)
    }
}

/// Mean 0 and variance 1 over groups of channels.
public final class GroupNorm {
    let groups: Int
    let eps: Double
    /// `(C)`.
    public let weight: Parameter
    /// `(C)`.
    public let bias: Parameter

    /// Builds a norm from its weights, `weight` and `bias`.
    ///
    /// - Parameters:
    ///   - groups: How many; it divides the channels.
    ///   - channels: C.
    ///   - eps: Added to the variance.
    /// - Throws: What the weights' source throws for a missing or misshapen weight.
    public init(_ groups: Int, _ channels: Int, eps: Double = 1e-6, _ weights: Weights) throws {
        self.groups = groups
        self.eps = eps
        weight = try weights.parameter("weight", [channels], .ones)
        bias = try weights.parameter("bias", [channels], .zeros)
    }

    /// Normalises `(B, C, …)`; shape and type stay.
    ///
    /// - Throws: `TorchError` for another number of channels.
    ///
    /// Source: `torch.nn.GroupNorm`.
    public func callAsFunction(_ x: Tensor) throws -> Tensor {
        try x.groupNorm(
            groups, weight: weight.value(as: x.dtype), bias: bias.value(as: x.dtype), eps: eps)
    }

    /// Normalises `(B, C, F, h, w)`, then SiLU, then edges are replicated: what a convolution of a
    /// causal autoencoder takes in, in two passes where ``Kernels`` allows.
    ///
    /// - Parameters:
    ///   - front: Frames in front.
    ///   - side: Pixels on each side.
    /// - Returns: `(B, C, F + front, h + 2 · side, w + 2 · side)` in the input's type.
    /// - Throws: `TorchError` for another number of channels.
    public func activated(_ x: Tensor, front: Int, side: Int) throws -> Tensor {
        let norm = (groups: groups, weight: weight.value, bias: bias.value, eps: eps)
        if let y = try x.fusedFrame(norm, front: front, side: side) { return y }
        return try self(x).silu().pad([side, side, side, side, front, 0], .replicate)
    }

    /// What each channel of `(B, C, F, h, w)` is multiplied by, and what is added: `(B, 2, C)` in
    /// float32; nil where ``Kernels`` has no such pass.
    package func scales(of x: Tensor) throws -> Tensor? {
        try x.fusedChannelScales(groups, weight: weight.value, bias: bias.value, eps: eps)
    }
}
