import Torch
import TorchNN

/// Fresh weights of a VAE whose path around the residual branches passes averaged colours through.
///
/// With the layers' usual fresh weights a run learns brightness, and then stays for a thousand
/// steps or more before it learns colour: what little there is of it is lost on the long way. Here
/// each resampling averages or repeats channels, each shortcut copies them, and the first
/// convolution adds the colours themselves; the usual weights come on top, weakened.
enum VAEStart {
    /// How much of the usual weights stays in convolutions that pass their input on.
    private static let rest = 0.3
    /// How much of a residual branch's usual last convolution stays.
    private static let branch = 0.1

    /// Changes fresh weights in place.
    static func passColours(_ store: ParameterStore) throws {
        try withoutGradients {
            for parameter in store.parameters {
                let name = parameter.name
                let value = parameter.value
                if name.hasSuffix("conv2.conv.weight") {
                    try value.multiplyInPlace(branch)
                } else if name.hasSuffix("conv2.conv.bias") {
                    try value.zeroInPlace()
                } else if name == "encoder.conv_in.conv.weight" {
                    try value.multiplyInPlace(rest)
                    try value.addInPlace(colours(value.shape))
                } else if isPassing(name), name.hasSuffix(".weight") {
                    try value.multiplyInPlace(rest)
                    try value.addInPlace(
                        identity(value.shape, isAveraging: name.contains("downsamplers")))
                } else if isPassing(name) {
                    try value.zeroInPlace()
                }
            }
        }
    }

    private static func isPassing(_ name: String) -> Bool {
        ["conv_shortcut.conv.", "downsamplers.0.conv.conv.", "upsamplers.0.conv.conv."]
            .contains { name.contains($0) }
    }

    /// A kernel that copies channel for channel, again from the first when the inputs run out; in
    /// the last time tap, and averaged over neighbours where the layer leaves pixels out.
    private static func identity(_ shape: [Int], isAveraging: Bool) throws -> Tensor {
        let (inputs, side) = (shape[1], shape[3])
        let line: [Float] =
            side == 1 ? [1] : isAveraging ? [0.25, 0.5, 0.25] : [0, 1, 0]
        return try kernel(
            shape, channels: { output, input in output % inputs == input ? 1 : 0 },
            plane: { line[$0] * line[$1] })
    }

    /// A kernel that copies red, green and blue in turn, positive and negative.
    private static func colours(_ shape: [Int]) throws -> Tensor {
        try kernel(
            shape,
            channels: { output, input in
                output % 3 != input ? 0 : (output / 3).isMultiple(of: 2) ? 1 : -1
            }, plane: { $0 == shape[3] / 2 && $1 == shape[4] / 2 ? 1 : 0 })
    }

    private static func kernel(
        _ shape: [Int], channels: (Int, Int) -> Float, plane: (Int, Int) -> Float
    ) throws -> Tensor {
        var values = [Float](repeating: 0, count: shape.reduce(1, *))
        var index = 0
        for output in 0..<shape[0] {
            for input in 0..<shape[1] {
                let factor = channels(output, input)
                for tap in 0..<shape[2] {
                    for row in 0..<shape[3] {
                        for column in 0..<shape[4] {
                            if tap == shape[2] - 1 { values[index] = factor * plane(row, column) }
                            index += 1
                        }
                    }
                }
            }
        }
        return try Tensor(values, shape)
    }
}
