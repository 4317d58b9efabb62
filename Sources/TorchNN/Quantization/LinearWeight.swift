public import Torch

/// The weight of a linear layer: numbers that can be trained, or few bits.
public enum LinearWeight {
    /// Of a floating type.
    case plain(Parameter)
    /// In few bits.
    case quantized(QuantizedWeight)

    /// The numbers that can be trained; nil for few bits.
    public var parameter: Parameter? {
        if case .plain(let parameter) = self { parameter } else { nil }
    }

    /// Where it lies.
    public var device: Device {
        switch self {
        case .plain(let parameter): parameter.value.device
        case .quantized(let weight): weight.device
        }
    }

    /// `x · weightᵀ + bias` over the last axis, then an activation, in the input's type.
    func product(_ x: Tensor, _ bias: Tensor?, then activation: Activation? = nil) throws -> Tensor
    {
        switch self {
        case .plain(let parameter):
            try x.linear(parameter.value(as: x.dtype), bias, then: activation)
        case .quantized(let weight): try weight.product(x, bias, then: activation)
        }
    }
}
